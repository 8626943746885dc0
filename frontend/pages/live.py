"""Live events as pages that work without JavaScript: what is on, one event with its room, its replay and calendar."""

import uuid
from typing import Any
from urllib.parse import quote

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import i18n
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.web import for_strangers, form, form_again, page, redirect
from community.chat.pages import room_context
from community.groups.policy import access_group_contents
from content.live_events import calendar, forms, polls, queries, questions, reminders, replay, service
from content.live_events.policy import access_event
from content.live_events.transcript import clock_of
from frontend.pages.live_shared import shared_stage
from frontend.pages.live_stage import earners_of, links_of, stage_of
from frontend.pages.live_words import hour_of

SHOW, NEW = "frontend/live/show.html", "frontend/live/form.html"
ICS = "text/calendar; charset=utf-8"


class LivePages(Controller):
    path = "/live"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """All that the viewer may see, or what one group holds."""
        group = await _group(request, viewer)
        group_id = group["id"] if group else None
        shown: dict[str, Any] = {
            "group": group,
            "on_air": await queries.on_air(viewer, group_id=group_id, limit=20),
            "coming": await queries.coming(viewer, group_id=group_id, limit=50),
            "past": await queries.past(viewer, group_id=group_id, cursor=request.query_params.get("after")),
        }
        mine = await queries.hosted_by(viewer) if viewer.is_member and not group else []
        return page(request, viewer, "frontend/live/index.html", made_from=shown, mine=mine, hour_of=hour_of, **shown)

    @get("/strip")
    async def show_strip(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """What a group has on now and next, for its page."""
        group = await _group(request, viewer)
        soon = await queries.soon(viewer, group_id=group["id"] if group else None)
        return page(request, viewer, "frontend/live/_strip.html", soon=soon, hour_of=hour_of)

    @get("/new")
    async def show_new(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        given = {name: request.query_params.get(name, "")[:100] for name in ("group", "store", "title")}
        return page(request, viewer, NEW, event=None, values=given, problem=None)

    @post("/new")
    async def plan(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        await limit("plan-live", member_id, most=10, per=86_400)
        try:
            new = forms.new_live(await form(request, forms.LiveForm))
            slug = await once(request, member_id, str, lambda: service.plan(viewer, new))
        except Invalid as problem:
            return await form_again(request, viewer, NEW, problem, event=None)
        return redirect(f"/live/{slug}/desk", flash=_("Your event is announced. Line up what you will show."))

    @get("/calendar.ics")
    async def show_calendar(self, viewer: NamedDependency[Viewer]) -> Response:
        """What is coming, to subscribe to."""
        events = await queries.on_air(viewer, limit=20) + await queries.coming(viewer, limit=50)
        return _ics(events, "live.ics")

    @get("/room/{room_id:int}")
    async def find(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        """From the room to its event."""
        slug = await queries.slug_of_room(room_id) if room_id < 2**63 else None
        if slug is None:
            raise NotFound()
        await access_event(viewer, slug)
        return redirect(f"/live/{slug}")

    @get("/{slug:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event(viewer, slug)
        return page(request, viewer, SHOW, values={}, problem=None, **await _screen(request, viewer, event))

    @get("/{slug:str}/stage")
    async def show_stage(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """The moving part alone, for <live-stage>. Strangers see the same: read and rendered once for all of them."""
        event = await access_event(viewer, slug)
        if viewer.is_member:
            return page(request, viewer, "frontend/live/_stage.html", hour_of=hour_of, **await stage_of(viewer, event))
        stage = await shared_stage(event["room_id"], event["room_seq"])
        if stage is None:
            raise NotFound()
        return for_strangers(request, stage.render(i18n.current(), "stranger").encode())

    @get("/{slug:str}/event.ics")
    async def show_ics(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return _ics([await access_event(viewer, slug)], f"{slug}.ics")

    @get("/{slug:str}/replay")
    async def show_replay(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event(viewer, slug)
        since = request.query_params.get("from", "")
        stretch = await replay.replay_of(
            event,
            cursor=request.query_params.get("after"),
            since=int(since) if since.isdecimal() and len(since) < 7 else 0,
        )
        pins = await queries.pins_shown(event["id"])
        terms, links, cards = await links_of(event, pins)
        return page(
            request,
            viewer,
            "frontend/live/replay.html",
            event=event,
            stretch=stretch,
            marks=await replay.marks_of(event),
            length=replay.length_of(event),
            clock_of=clock_of,
            hour_of=hour_of,
            since=since,
            links={pin["slug"]: links[pin["id"]] for pin in pins if pin["id"] in links},
            earners=earners_of(event, terms, cards),
        )

    @post("/{slug:str}/reminder")
    async def remind(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await reminders.remind(viewer, slug)
        return redirect(f"/live/{slug}", flash=_("We ring your bell shortly before it begins."))

    @post("/{slug:str}/reminder/remove")
    async def forget(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await reminders.forget(viewer, slug)
        return redirect(f"/live/{slug}", flash=_("The bell stays silent."))

    @post("/{slug:str}/questions")
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await limit("ask-live", require_member(viewer), most=30, per=3600)
        event = await access_event(viewer, slug)
        try:
            given = await form(request, forms.QuestionForm)
            await questions.ask(viewer, slug, given.client_id, given.question)
        except Problem as problem:
            if problem.status == 404:
                raise
            return await form_again(request, viewer, SHOW, problem, **await _screen(request, viewer, event))
        return redirect(f"/live/{slug}#questions", flash=_("Your question is in the queue."))

    @post("/{slug:str}/questions/{question_id:int}/vote")
    async def vote(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]
    ) -> Response:
        await limit("vote-live", require_member(viewer), most=300, per=3600)
        wanted = (await form(request, forms.VoteForm)).vote == "on"
        await (questions.vote if wanted else questions.unvote)(viewer, slug, question_id)
        return redirect(f"/live/{slug}#questions")

    @post("/{slug:str}/polls/{poll_id:int}/vote")
    async def choose(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], poll_id: FromPath[int]
    ) -> Response:
        await limit("vote-live", require_member(viewer), most=300, per=3600)
        await polls.vote(viewer, slug, poll_id, (await form(request, forms.ChoiceForm)).option)
        return redirect(f"/live/{slug}#poll")


async def _group(request: Request, viewer: Viewer) -> asyncpg.Record | None:
    slug = request.query_params.get("group", "")
    return await access_group_contents(viewer, slug) if slug else None


async def _screen(request: Request, viewer: Viewer, event: asyncpg.Record) -> dict:
    room = await room_context(request, viewer, event["room_id"])
    return {
        **room,
        **await stage_of(viewer, event),
        "rooms": [],
        "embedded": True,
        "hour_of": hour_of,
        "question_id": uuid.uuid4(),
    }


def _ics(events: list[asyncpg.Record], name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}", "Cache-Control": "no-cache"}
    return Response(calendar.calendar_of(events).encode(), media_type=ICS, headers=headers)
