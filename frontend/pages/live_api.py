"""Live events as JSON: to watch and take part in. What the host does is in live_host_api."""

from typing import Any

import asyncpg
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.disclosure import mark
from app.errors import Conflict, Forbidden, Invalid
from app.limits import limit
from app.money import Money
from app.openapi import door
from app.paging import Page, limit_of
from app.web import json_body
from content.live_events import examples, polls, queries, questions, reminders, replay
from content.live_events.policy import access_event
from content.live_events.schemas import (
    LiveLine,
    LiveView,
    Made,
    MarkView,
    NewQuestion,
    OptionView,
    PersonView,
    PinView,
    PollChoice,
    PollView,
    QuestionView,
)
from frontend.pages.live_stage import stage_of

STATES = ("planned", "live", "ended", "cancelled")


class LiveApi(Controller):
    path = "/live-events"
    tags = ["live"]

    @get("/", summary="Live events, the newest first", opt=door(gives=examples.lines, refuses=(Invalid,)))
    async def list_events(
        self,
        viewer: NamedDependency[Viewer],
        only: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[LiveLine]:
        """`only` planned, live, ended or cancelled ones. An event of a closed group is there for its members."""
        if only is not None and only not in STATES:
            raise Invalid("only", "planned, live, ended or cancelled")
        found = await queries.events_in(viewer, only, cursor=after, limit=limit_of(limit))
        return Page([LiveLine(**_line(row)) for row in found.items], found.next)

    @get("/{slug:str}", summary="A live event with what is on its table", opt=door(gives=examples.live))
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> LiveView:
        """Its room is joined like any other, and tells as `room` events what changes here."""
        return await live_view(viewer, slug)

    @get("/{slug:str}/replay", summary="What happened, by seconds since it began", opt=door(gives=examples.marks))
    async def show_replay(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        since: FromQuery[int] = 0,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[MarkView]:
        """From `since` seconds on, the transcript laid in between."""
        event = await access_event(viewer, slug)
        part = await replay.replay_of(event, cursor=after, since=min(max(since, 0), 86_400), limit=limit_of(limit, 50))
        return Page([_mark(found) for found in part.items], part.next)

    @post(
        "/{slug:str}/questions",
        summary="Ask the host",
        status_code=201,
        opt=door(
            takes=examples.new_question,
            gives=examples.made,
            refuses=(Conflict, Forbidden),
            scope="write",
            also=200,
        ),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[Made]:
        """It is said in the room and stands in the queue. The same `client_id` again is answered with 200."""
        await limit("ask-live", require_member(viewer), most=30, per=3600)
        new = await json_body(request, NewQuestion)
        question_id, is_new = await questions.ask(viewer, slug, new.client_id, new.body)
        return Response(Made(str(question_id)), status_code=201 if is_new else 200)

    @put(
        "/{slug:str}/questions/{question_id:int}/vote",
        summary="Want to know that too",
        status_code=204,
        opt=door(refuses=(Conflict, Forbidden), scope="write"),
    )
    async def vote(self, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]) -> None:
        await limit("vote-live", require_member(viewer), most=300, per=3600)
        await questions.vote(viewer, slug, question_id)

    @delete(
        "/{slug:str}/questions/{question_id:int}/vote",
        summary="Take that back",
        status_code=204,
        opt=door(refuses=(Conflict, Forbidden), scope="write"),
    )
    async def unvote(self, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]) -> None:
        await limit("vote-live", require_member(viewer), most=300, per=3600)
        await questions.unvote(viewer, slug, question_id)

    @put(
        "/{slug:str}/polls/{poll_id:int}/vote",
        summary="Vote in the poll, or change one's mind",
        status_code=204,
        opt=door(takes=examples.choice, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def choose(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], poll_id: FromPath[int]
    ) -> None:
        await limit("vote-live", require_member(viewer), most=300, per=3600)
        await polls.vote(viewer, slug, poll_id, (await json_body(request, PollChoice)).option)

    @put(
        "/{slug:str}/reminder",
        summary="Be told when it begins",
        status_code=204,
        opt=door(refuses=(Conflict,), scope="write"),
    )
    async def remind(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        await limit("remind-live", require_member(viewer), most=120, per=3600)
        await reminders.remind(viewer, slug)

    @delete("/{slug:str}/reminder", summary="Not be told after all", status_code=204, opt=door(scope="write"))
    async def forget(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        await reminders.forget(viewer, slug)


async def live_view(viewer: Viewer, slug: str) -> LiveView:
    event = await access_event(viewer, slug)
    stage = await stage_of(viewer, event)
    return LiveView(
        **_line(event),
        summary=event["summary"],
        lang=event["lang"],
        store=event["store_slug"] or "",
        watch_url=event["watch_url"],
        reminders=event["reminder_count"],
        reminded=event["is_reminded"],
        pins=[_pin(pin, stage) for pin in stage["pins"]],
        questions=[_question(row) for row in [*stage["questions"], *stage["answered"]]],
        poll=_poll(stage["poll"]) if stage["poll"] else None,
        cohosts=[_person(host) for host in event["cohosts"]],
        invited=event["is_invited"],
    )


def _line(event: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": str(event["id"]),
        "slug": event["slug"],
        "url": f"/live/{event['slug']}",
        "title": event["title"],
        "state": event["state"],
        "starts_at": event["starts_at"],
        "went_live_at": event["went_live_at"],
        "ended_at": event["ended_at"],
        "host": PersonView(str(event["host_id"]), event["handle"], event["name"]),
        "group": event["group_slug"] or "",
        "room": str(event["room_id"]),
    }


def _pin(pin: asyncpg.Record, stage: dict[str, Any]) -> PinView:
    link = stage["links"].get(pin["id"])
    return PinView(
        id=str(pin["id"]),
        product=pin["slug"],
        title=pin["title"],
        price=Money(pin["price"], pin["currency"]) if pin["price"] else None,
        stock=pin["stock"],
        available=pin["withdrawn_at"] is None and pin["stock"] != 0,
        note=pin["note"],
        pinned_at=pin["pinned_at"],
        unpinned_at=pin["unpinned_at"],
        url=link.address if link else pin["url"],
        disclosure=mark(market=link.market) if link else "",
        credited=stage["cards"][pin["id"]].owner["handle"] if link else "",
    )


def _person(author: dict[str, Any]) -> PersonView:
    return PersonView(str(author["id"]), author["handle"], author["name"])


def _question(row: asyncpg.Record) -> QuestionView:
    return QuestionView(
        id=str(row["id"]),
        message=str(row["message_id"]),
        body=row["body"],
        asker=_person(row["author"]),
        votes=row["vote_count"],
        voted=row["has_voted"],
        raised_at=row["raised_at"],
        answered_at=row["answered_at"],
    )


def _poll(poll: dict[str, Any]) -> PollView:
    return PollView(
        id=str(poll["id"]),
        question=poll["question"],
        options=[OptionView(option["place"], option["text"], option["votes"]) for option in poll["options"]],
        chosen=poll["chosen"],
        opened_at=poll["opened_at"],
        closed_at=poll["closed_at"],
    )


def _mark(found: dict[str, Any]) -> MarkView:
    kind = found["kind"]
    speaks = kind in ("message", "question", "answer")
    return MarkView(
        offset=found["offset"],
        kind=kind,
        id=str(found.get("message_id") or found.get("id") or ""),
        author=_person(found["author"]) if speaks else None,
        text=found.get("product_title") or found.get("poll_question") or found["body"] or "",
        html=found.get("html") or "",
        product=found.get("product_slug") or "",
    )
