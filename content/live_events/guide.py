"""What was said live becomes the draft of a guide: the chosen words, each under the product that was up then."""

from collections.abc import Sequence

import asyncpg

from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from content.guides import drafts
from content.guides.schemas import GuideForm
from content.live_events import policy, queries, replay
from content.live_events.transcript import clock_of


async def draft_from(viewer: Viewer, slug: str, segment_ids: Sequence[int]) -> int:
    """Keep these parts of the transcript as a draft of the host's; its id."""
    event = await policy.access_own_event(viewer, slug)
    said = await queries.segments(event["id"], ids=segment_ids)
    if not said:
        raise Invalid("segments", _("Choose what shall go into the guide."))
    shown = await queries.pins_shown(event["id"])
    form = GuideForm(
        title=event["title"],
        summary=event["summary"].split("\n")[0][:500],
        lang=event["lang"],
        source=source_of(event, said, shown),
    )
    return await drafts.keep(viewer, form, made_from=f"/live/{slug}/replay")


def source_of(event: asyncpg.Record, said: Sequence[asyncpg.Record], shown: Sequence[asyncpg.Record]) -> str:
    """Markdown as the guides' form takes it. A product stands once, where it was first spoken of."""
    parts: list[str] = []
    placed: set[str] = set()
    for segment in said:
        at = segment["offset_seconds"]
        for pin in _up_at(event, shown, at):
            if pin["slug"] not in placed:
                placed.add(pin["slug"])
                parts.append("\n".join(filter(None, (f"[[product:{pin['slug']}]]", pin["note"]))))
        parts.append(f"{segment['body']} ([{clock_of(at)}](/live/{event['slug']}/replay?from={at}))")
    return "\n\n".join(parts)


def _up_at(event: asyncpg.Record, shown: Sequence[asyncpg.Record], at: int) -> list[asyncpg.Record]:
    """The last product that was held up by then and still was: that is what was spoken of."""
    up = [
        pin
        for pin in shown
        if replay.offset_of(event, pin["pinned_at"]) <= at
        and (pin["unpinned_at"] is None or replay.offset_of(event, pin["unpinned_at"]) >= at)
    ]
    return up[-1:]
