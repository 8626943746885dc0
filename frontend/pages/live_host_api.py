"""Live events as JSON, for the host and who keeps order."""

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.web import json_body
from content.guides.drafts import access_own
from content.live_events import examples, guide, hosts, pins, polls, queries, questions, segments, service
from content.live_events.policy import access_event
from content.live_events.schemas import (
    DraftMade,
    GuideFrom,
    LiveChange,
    LiveView,
    Made,
    NewHost,
    NewLive,
    NewPin,
    NewPoll,
    NewSegment,
    NewState,
    NewTranscript,
    SegmentView,
    Transcript,
)
from frontend.pages.live_api import live_view
from referrals.live_cards import service as live_cards


class LiveHostApi(Controller):
    path = "/live-events"
    tags = ["live"]

    @post(
        "/",
        summary="Announce a live event",
        status_code=201,
        opt=door(takes=examples.new_live, gives=examples.live, refuses=(Forbidden, NotFound), scope="write", once=True),
    )
    async def plan(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[LiveView]:
        """It gets a room of its own. Without a group everybody may come."""
        member_id = require_member(viewer)
        await limit("plan-live", member_id, most=10, per=86_400)
        new = await json_body(request, NewLive)
        slug = await once(request, member_id, str, lambda: service.plan(viewer, new))
        return Response(await live_view(viewer, slug), status_code=201)

    @put(
        "/{slug:str}",
        summary="Change a live event",
        opt=door(takes=examples.live_change, gives=examples.live, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def change(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> LiveView:
        await limit("change-live", require_member(viewer), most=60, per=3600)
        await service.change(viewer, slug, await json_body(request, LiveChange))
        return await live_view(viewer, slug)

    @put(
        "/{slug:str}/state",
        summary="Begin it, end it, or call it off",
        opt=door(takes=examples.new_state, gives=examples.live, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def move(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> LiveView:
        verbs = {"live": service.begin, "ended": service.end, "cancelled": service.cancel}
        await verbs[(await json_body(request, NewState)).state](viewer, slug)
        return await live_view(viewer, slug)

    @post(
        "/{slug:str}/hosts",
        summary="Ask somebody to host along",
        opt=door(takes=examples.new_host, gives=examples.live, refuses=(Conflict, Forbidden, Invalid), scope="write"),
        status_code=200,
    )
    async def invite(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> LiveView:
        """They are told, and are there once they say yes. What they hold up leads by a link of theirs."""
        await limit("invite-live", require_member(viewer), most=30, per=3600)
        await hosts.invite(viewer, slug, (await json_body(request, NewHost)).handle)
        return await live_view(viewer, slug)

    @delete(
        "/{slug:str}/hosts/{handle:str}",
        summary="Let somebody host no longer",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def let_go(self, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]) -> None:
        """Or take the question back. What they held up stays theirs until it is taken down."""
        await hosts.remove(viewer, slug, handle)

    @put(
        "/{slug:str}/invitation",
        summary="Say yes to hosting along",
        opt=door(gives=examples.live, refuses=(Conflict,), scope="write"),
    )
    async def accept(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> LiveView:
        await hosts.accept(viewer, slug)
        return await live_view(viewer, slug)

    @delete(
        "/{slug:str}/invitation",
        summary="Say no, or host no longer",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def decline(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        await hosts.decline(viewer, slug)

    @post(
        "/{slug:str}/pins",
        summary="Hold a product up",
        status_code=201,
        opt=door(takes=examples.new_pin, gives=examples.made, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def pin(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Made:
        """By a link of one's own, or of the host who held it up here before. One that is up already keeps its card."""
        await limit("pin-live", require_member(viewer), most=600, per=3600)
        return Made(str(await live_cards.pin(viewer, slug, await json_body(request, NewPin))))

    @delete(
        "/{slug:str}/pins/{pin_id:int}",
        summary="Take a product down",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def unpin(self, viewer: NamedDependency[Viewer], slug: FromPath[str], pin_id: FromPath[int]) -> None:
        await pins.unpin(viewer, slug, pin_id)

    @put(
        "/{slug:str}/questions/{question_id:int}/answer",
        summary="Mark a question answered just now",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def answer(self, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]) -> None:
        await limit("settle-live", require_member(viewer), most=600, per=3600)
        await questions.mark_answered(viewer, slug, question_id)

    @delete(
        "/{slug:str}/questions/{question_id:int}/answer",
        summary="Put a question back into the queue",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def reopen(self, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]) -> None:
        await limit("settle-live", require_member(viewer), most=600, per=3600)
        await questions.reopen(viewer, slug, question_id)

    @delete(
        "/{slug:str}/questions/{question_id:int}",
        summary="Put a question aside",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def dismiss(self, viewer: NamedDependency[Viewer], slug: FromPath[str], question_id: FromPath[int]) -> None:
        """Out of the queue; its words stay in the room."""
        await limit("settle-live", require_member(viewer), most=600, per=3600)
        await questions.dismiss(viewer, slug, question_id)

    @post(
        "/{slug:str}/polls",
        summary="Ask the room",
        status_code=201,
        opt=door(takes=examples.new_poll, gives=examples.made, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def open_poll(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Made:
        """While it is live, one poll at a time."""
        await limit("poll-live", require_member(viewer), most=60, per=3600)
        return Made(str(await polls.open_poll(viewer, slug, await json_body(request, NewPoll))))

    @put(
        "/{slug:str}/polls/{poll_id:int}/closure",
        summary="Close a poll",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def close_poll(self, viewer: NamedDependency[Viewer], slug: FromPath[str], poll_id: FromPath[int]) -> None:
        await polls.close(viewer, slug, poll_id)

    @get("/{slug:str}/segments", summary="The transcript", opt=door(gives=examples.transcript))
    async def list_segments(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Transcript:
        return await _segments(viewer, slug)

    @post(
        "/{slug:str}/segments",
        summary="Write down what was said",
        status_code=201,
        opt=door(takes=examples.new_segment, gives=examples.made, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def write(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Made:
        await limit("write-live", require_member(viewer), most=1200, per=3600)
        return Made(str(await segments.write(viewer, slug, await json_body(request, NewSegment))))

    @delete(
        "/{slug:str}/segments/{segment_id:int}",
        summary="Erase a part of the transcript",
        status_code=204,
        opt=door(refuses=(Forbidden,), scope="write"),
    )
    async def erase(self, viewer: NamedDependency[Viewer], slug: FromPath[str], segment_id: FromPath[int]) -> None:
        await segments.erase(viewer, slug, segment_id)

    @put(
        "/{slug:str}/transcript",
        summary="Take in subtitles as the transcript",
        opt=door(
            takes=examples.new_transcript,
            gives=examples.transcript,
            refuses=(Conflict, Forbidden, Invalid),
            scope="write",
        ),
    )
    async def take_transcript(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Transcript:
        """WebVTT, SRT, or lines that begin like 12:04, once the event has ended."""
        await limit("write-live", require_member(viewer), most=1200, per=3600, cost=50)
        await segments.take_transcript(viewer, slug, (await json_body(request, NewTranscript)).text)
        return await _segments(viewer, slug)

    @post(
        "/{slug:str}/guide-drafts",
        summary="Make a draft guide of parts of the transcript",
        status_code=201,
        opt=door(takes=examples.guide_from, gives=examples.draft, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def make_guide(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> DraftMade:
        """Each part stands under the product that was up then. Only the host sees the draft."""
        await limit("write-guide", require_member(viewer), most=60, per=3600)
        given = await json_body(request, GuideFrom)
        draft_id = await guide.draft_from(viewer, slug, [int(name) for name in given.segments])
        draft = await access_own(viewer, draft_id)
        return DraftMade(str(draft_id), f"/guides/new?draft={draft_id}", draft["title"], draft["source"])


async def _segments(viewer: Viewer, slug: str) -> Transcript:
    event = await access_event(viewer, slug)
    rows = await queries.segments(event["id"])
    return Transcript([SegmentView(str(row["id"]), row["offset_seconds"], row["body"]) for row in rows])
