"""The stage as everybody in the room has it: read and rendered once a process, language and change.

Nothing personal is in it. Whose vote is whose, a page knows of its own reader and keeps (<live-stage>); the cards lead
by the hosts' links, which are the same for all.
"""

from typing import Any

import msgspec
from markupsafe import Markup

from app import clock, i18n
from app.auth import STRANGER, Viewer
from app.gathered import gathered
from app.web import environment
from content.live_events import queries
from frontend.pages.live_stage import table_of
from frontend.pages.live_words import hour_of

# What no event of the room tells (a link that was switched off, a programme that ended) is at most so many seconds old.
FRESH_SECONDS = 5
MOST_KEPT = 200
# To the template a member is whoever is not a stranger; which one, it never asks.
SOMEBODY = Viewer(member_id=0)

_kept: dict[int, "Shared"] = {}


class Shared(msgspec.Struct):
    """The stage of a room at `seq`, for those who could read it at `version`; by language and seat as HTML."""

    room_id: int
    seq: int
    version: int
    is_open: bool
    state: str
    slug: str
    made_at: float
    table: dict[str, Any]
    html: dict[tuple[str, str], str] = {}

    def render(self, lang: str, seat: str) -> str:
        """`seat`: stranger, reader (a member who only looks on) or member."""
        if (lang, seat) not in self.html:
            with i18n.speaking(lang):
                self.html[lang, seat] = environment.get_template("frontend/live/_stage.html").render(
                    **self.table,
                    viewer=STRANGER if seat == "stranger" else SOMEBODY,
                    takes_part=seat == "member" and self.state in ("planned", "live"),
                    lang=lang,
                    hour_of=hour_of,
                    csrf_field=lambda: Markup('<input type="hidden" name="_csrf" value="">'),
                )
        return self.html[lang, seat]

    @property
    def messages(self) -> set[str]:
        """Whose words are in it."""
        return {str(row["message_id"]) for row in (*self.table["questions"], *self.table["answered"])}


def known(room_id: int) -> Shared | None:
    """What was read last, whether or not it still stands so."""
    return _kept.get(room_id)


async def shared_stage(room_id: int, seq: int) -> Shared | None:
    """The stage at `seq` of its room or later; None when the room is no event's."""
    kept = _kept.get(room_id)
    if kept and kept.seq >= seq and 0 <= clock.now().timestamp() - kept.made_at < FRESH_SECONDS:
        return kept
    return await _read(room_id)


@gathered(most=1)
async def _read(room_ids: list[int]) -> dict[int, Shared]:
    """All who ask while one is being read share the next one."""
    [room_id] = room_ids
    # Its `seq` is read before the rest: what follows is as it stood then, or newer.
    event = await queries.event_of_room(room_id)
    if event is None:
        return {}
    shared = Shared(
        room_id=room_id,
        seq=event["room_seq"],
        version=event["access_version"],
        is_open=event["is_open"],
        state=event["state"],
        slug=event["slug"],
        made_at=clock.now().timestamp(),
        table=await table_of(event),
    )
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[room_id] = shared
    return {room_id: shared}
