"""The host's desk of a live event: begin and end it, hold products up, take questions, ask, write along."""

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Invalid, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.chat.pages import room_context
from content.live_events import forms, guide, hosts, pins, polls, queries, questions, replay, segments, service
from content.live_events.policy import access_event_to_run, access_event_to_tidy, access_own_event
from content.live_events.schemas import NewPoll, NewSegment
from content.live_events.transcript import clock_of
from frontend.pages.live_products import products_to_show
from frontend.pages.live_stage import stage_of
from frontend.pages.live_words import hour_of
from referrals.live_cards import service as live_cards
from referrals.live_cards.queries import sum_of

DESK, FORM = "frontend/live/desk.html", "frontend/live/form.html"


class LiveDeskPages(Controller):
    path = "/live/{slug:str}"
    include_in_schema = False

    @get("/desk")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event_to_tidy(viewer, slug)
        return page(request, viewer, DESK, values={}, problem=None, **await _desk(request, viewer, event))

    @get("/desk/now")
    async def show_now(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """What moves on the desk, alone."""
        event = await access_event_to_tidy(viewer, slug)
        now = {**await stage_of(viewer, event), **await _figures(viewer, event)}
        return page(request, viewer, "frontend/live/_desk_now.html", **now)

    @get("/desk/products")
    async def show_products(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """Products to hold up, as one types."""
        event = await access_event_to_run(viewer, slug)
        await limit("look-live", viewer.member_id, most=1200, per=3600)
        found = await products_to_show(viewer, event, request.query_params.get("q", ""))
        return page(request, viewer, "frontend/live/_desk_found.html", event=event, found=found)

    @post("/hosts")
    async def invite(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_own_event(viewer, slug)
        await limit("invite-live", viewer.member_id, most=30, per=3600)
        try:
            await hosts.invite(viewer, slug, (await form(request, forms.HostForm)).handle)
        except Problem as problem:
            return await form_again(request, viewer, DESK, problem, **await _desk(request, viewer, event))
        return redirect(f"/live/{slug}/desk#hosts", flash=_("They were asked."))

    @post("/hosts/{handle:str}/remove")
    async def let_go(self, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]) -> Response:
        if handle.lower() == viewer.handle.lower():
            await hosts.decline(viewer, slug)
            return redirect(f"/live/{slug}", flash=_("You host it no longer."))
        await hosts.remove(viewer, slug, handle)
        return redirect(f"/live/{slug}/desk#hosts")

    @post("/invitation")
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        if (await form(request, forms.AnswerForm)).answer == "no":
            await hosts.decline(viewer, slug)
            return redirect(f"/live/{slug}")
        await hosts.accept(viewer, slug)
        return redirect(f"/live/{slug}/desk", flash=_("You host along. What you hold up leads by a link of yours."))

    @get("/edit")
    async def show_edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_own_event(viewer, slug)
        return page(request, viewer, FORM, event=event, values=forms.values_of(event), problem=None)

    @post("/edit")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_own_event(viewer, slug)
        await limit("change-live", viewer.member_id, most=60, per=3600)
        try:
            await service.change(viewer, slug, forms.live_change(await form(request, forms.LiveForm)))
        except Problem as problem:
            return await form_again(request, viewer, FORM, problem, event=event)
        return redirect(f"/live/{slug}/desk", flash=_("Saved."))

    @post("/state")
    async def move(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        state = (await form(request, forms.StateForm)).state
        if state == "live":
            await service.begin(viewer, slug)
            flash = _("You are live.")
        elif state == "ended":
            await service.end(viewer, slug)
            flash = _("The event has ended. Its replay is there already.")
        else:
            await service.cancel(viewer, slug)
            flash = _("The event is called off, and who wanted to come is told.")
        return redirect(f"/live/{slug}/desk", flash=flash)

    @post("/pins")
    async def pin(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event_to_run(viewer, slug)
        await limit("pin-live", viewer.member_id, most=600, per=3600)
        try:
            await live_cards.pin(viewer, slug, forms.new_pin(await form(request, forms.PinForm)))
        except Problem as problem:
            wrong = Invalid("product", problem.detail) if problem.status == 404 else problem
            return await form_again(request, viewer, DESK, wrong, **await _desk(request, viewer, event))
        return redirect(f"/live/{slug}/desk#pins")

    @post("/pins/{pin_id:int}/remove")
    async def unpin(self, viewer: NamedDependency[Viewer], slug: FromPath[str], pin_id: FromPath[int]) -> Response:
        await pins.unpin(viewer, slug, pin_id)
        return redirect(f"/live/{slug}/desk#pins")

    @post("/questions/{question_id:int}/settle")
    async def settle(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]
    ) -> Response:
        await limit("settle-live", require_member(viewer), most=600, per=3600)
        verbs = {"answered": questions.mark_answered, "dismissed": questions.dismiss, "raised": questions.reopen}
        await verbs[(await form(request, forms.SettleForm)).how](viewer, slug, question_id)
        return redirect(f"/live/{slug}/desk#questions")

    @post("/polls")
    async def open_poll(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event_to_run(viewer, slug)
        await limit("poll-live", viewer.member_id, most=60, per=3600)
        try:
            given = await form(request, forms.PollForm)
            await polls.open_poll(viewer, slug, NewPoll(given.question, given.options.split("\n")))
        except Problem as problem:
            return await form_again(request, viewer, DESK, problem, **await _desk(request, viewer, event))
        return redirect(f"/live/{slug}/desk#poll")

    @post("/polls/{poll_id:int}/close")
    async def close_poll(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], poll_id: FromPath[int]
    ) -> Response:
        await polls.close(viewer, slug, poll_id)
        return redirect(f"/live/{slug}/desk#poll")

    @post("/segments")
    async def write(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_event_to_run(viewer, slug)
        await limit("write-live", viewer.member_id, most=1200, per=3600)
        try:
            given = await form(request, forms.SegmentForm)
            await segments.write(viewer, slug, NewSegment(given.body, forms.seconds_of(given.offset)))
        except Problem as problem:
            return await form_again(request, viewer, DESK, problem, **await _desk(request, viewer, event))
        return redirect(f"/live/{slug}/desk#transcript")

    @post("/segments/{segment_id:int}/remove")
    async def erase(self, viewer: NamedDependency[Viewer], slug: FromPath[str], segment_id: FromPath[int]) -> Response:
        await segments.erase(viewer, slug, segment_id)
        return redirect(f"/live/{slug}/desk#transcript")

    @post("/transcript")
    async def take(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        event = await access_own_event(viewer, slug)
        await limit("write-live", viewer.member_id, most=1200, per=3600, cost=50)
        try:
            taken = await segments.take_transcript(viewer, slug, (await form(request, forms.TranscriptForm)).text)
        except Problem as problem:
            return await form_again(request, viewer, DESK, problem, **await _desk(request, viewer, event))
        return redirect(f"/live/{slug}/desk#transcript", flash=_("%(n)s parts were taken in.", n=taken))

    @post("/guide")
    async def make_guide(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """The chosen parts become a draft that only the host sees."""
        await limit("write-guide", require_member(viewer), most=60, per=3600)
        event = await access_own_event(viewer, slug)
        try:
            chosen = [int(name) for name in (await form(request, forms.GuideForm)).segment if name.isdecimal()]
            draft_id = await guide.draft_from(viewer, slug, [name for name in chosen if name < 2**63])
        except Problem as problem:
            return await form_again(request, viewer, DESK, problem, **await _desk(request, viewer, event))
        return redirect(f"/guides/new?draft={draft_id}")


async def _desk(request: Request, viewer: Viewer, event: asyncpg.Record) -> dict:
    q = request.query_params.get("q", "")[:200]
    return {
        **await room_context(request, viewer, event["room_id"]),
        **await stage_of(viewer, event),
        **await _figures(viewer, event),
        "rooms": [],
        "embedded": True,
        "segments": await queries.segments(event["id"]),
        "invited": await queries.invited_to(event["id"]),
        "may_call_off": service.may_call_off(viewer, event),
        "q": q,
        "found": await products_to_show(viewer, event, q),
        "clock_of": clock_of,
        "hour_of": hour_of,
        "length": replay.length_of(event),
    }


async def _figures(viewer: Viewer, event: asyncpg.Record) -> dict:
    return {"polls": await queries.polls(event["id"], viewer), "sums": await sum_of(event["id"], viewer.member_id)}
