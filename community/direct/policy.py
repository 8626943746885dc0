"""Who may begin to write to whom. What goes on in a room afterwards is the business of community.chat."""

from datetime import timedelta
from typing import Literal

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Forbidden, Invalid, NotFound, TooMany
from app.i18n import gettext as _
from app.limits import limit
from community.members.queries import avatar_url
from community.privacy.queries import no_block_between

A_DAY = 86_400
# By how long a member is here and whether mail reaches them: requests of one day's making that nobody has accepted,
# and conversations begun in a day with those who need not be asked.
NEWCOMERS, MEMBERS, REGULARS = (3, 10), (10, 40), (30, 100)
NEW_FOR, REGULAR_AFTER = timedelta(days=1), timedelta(days=30)


class Standing(msgspec.Struct):
    """How the viewer stands to another member: `open` they may write, `ask` it waits as a request, `no` not at all."""

    id: int
    handle: str
    name: str
    avatar_url: str
    way: Literal["open", "ask", "no"]
    room_id: int | None
    """Where they talk already."""


_STANDING = f"""
    SELECT m.id, m.handle, m.name, m.avatar_key, pair.room_id,
           m.kind = 'person' AND m.email NOT LIKE '%@erased.invalid' AND {no_block_between("m.id", "$1")}
           AND NOT EXISTS (
               SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.lifted_at IS NULL
                                            AND (s.until IS NULL OR s.until > $3)) AS in_reach,
           coalesce(p.may_write, 'everyone') AS may_write,
           EXISTS (SELECT 1 FROM membership mine JOIN membership theirs ON theirs.group_id = mine.group_id
                    WHERE mine.member_id = $1 AND mine.state = 'active'
                      AND theirs.member_id = m.id AND theirs.state = 'active') AS share_a_group,
           EXISTS (SELECT 1 FROM room_member rm
                    WHERE rm.room_id = pair.room_id AND rm.member_id = m.id AND rm.state = 'active') AS talks
      FROM member m
      LEFT JOIN privacy p ON p.member_id = m.id
      LEFT JOIN direct_pair pair ON pair.low_id = least(m.id, $1) AND pair.high_id = greatest(m.id, $1)
     WHERE lower(m.handle) = ANY($2::text[]) AND m.id <> $1"""


async def standings(viewer: Viewer, handles: list[str]) -> list[Standing]:
    """How the viewer stands to each of these members, in this order. Who blocked them looks like who wants no mail."""
    wanted = list(dict.fromkeys(cleaned for handle in handles if (cleaned := handle.strip().lstrip("@").lower())))
    if viewer.handle.lower() in wanted:
        raise Invalid("to", _("That is you."))
    rows = await db.fetch(_STANDING, require_member(viewer, "read"), wanted, clock.now())
    found = {row["handle"].lower(): _standing(row) for row in rows}
    if missing := [handle for handle in wanted if handle not in found]:
        raise Invalid("to", _("Nobody here is called @%(handle)s.", handle=missing[0]))
    if not wanted:
        raise Invalid("to", _("To whom? Write their handle."))
    return [found[handle] for handle in wanted]


def _standing(row: asyncpg.Record) -> Standing:
    way: Literal["open", "ask", "no"] = "open" if row["talks"] or row["share_a_group"] else "ask"
    wants_no_more = row["may_write"] == "nobody" or (row["may_write"] == "groups" and not row["share_a_group"])
    if not row["in_reach"] or (wants_no_more and not row["talks"]):
        way = "no"
    return Standing(row["id"], row["handle"], row["name"], avatar_url(row["avatar_key"]), way, row["room_id"])


async def trust_of(member_id: int) -> tuple[int, int]:
    """How many strangers the member may ask, and how many others they may begin to write to, in a day.

    Called in the transaction that writes it, it lets two beginnings at once count one after the other.
    """
    member = await db.fetch_one(
        "SELECT created_at, email_proven_at FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id
    )
    if member is None:
        raise NotFound()
    age = clock.now() - member["created_at"]
    if age < NEW_FOR or member["email_proven_at"] is None:
        return NEWCOMERS
    return REGULARS if age > REGULAR_AFTER else MEMBERS


async def require_room_to_ask(member_id: int) -> None:
    """Refuse one stranger too many; in the transaction that writes the request."""
    most, _others = await trust_of(member_id)
    asked = await db.fetch_val(
        "SELECT count(*) FROM direct_pair WHERE asked_by_id = $1 AND created_at > $2 AND answer <> 'accepted'",
        member_id,
        clock.now() - timedelta(seconds=A_DAY),
    )
    if asked >= most:
        sentence = _(
            "You asked %(n)s people today who have not answered yet. Wait for them, or until tomorrow.", n=most
        )
        raise TooMany(sentence, retry_after=A_DAY)


async def require_room_to_begin(member_id: int, people: int = 1) -> None:
    """Refuse to begin with too many in a day, also of those who need not be asked: a big group is no mailing list."""
    _asks, most = await trust_of(member_id)
    await limit("direct-begin", member_id, most=most, per=A_DAY, cost=people)


async def alone_with(member_id: int, other_id: int) -> None:
    """Whoever begins to write and whoever blocks take turns, in the current transaction: what a block does not find
    to close, it forbids."""
    await db.execute(
        """SELECT pg_advisory_xact_lock(hashtextextended(
               'direct:' || least($1::bigint, $2) || ':' || greatest($1::bigint, $2), 0))""",
        member_id,
        other_id,
    )


async def room_of_two(member_id: int, other_id: int) -> int | None:
    """Where two talk alone."""
    return await db.fetch_val(
        """SELECT room_id FROM direct_pair
            WHERE low_id = least($1::bigint, $2) AND high_id = greatest($1::bigint, $2)""",
        member_id,
        other_id,
    )


async def access_place(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """The viewer's own place in a room of direct messages, or NotFound."""
    place = await db.fetch_one(
        """SELECT rm.role, rm.state, r.name, pair.id AS pair_id, pair.asked_by_id
             FROM room_member rm JOIN room r ON r.id = rm.room_id
             LEFT JOIN direct_pair pair ON pair.room_id = r.id
            WHERE rm.room_id = $1 AND rm.member_id = $2 AND r.kind = 'direct' AND rm.state <> 'left'""",
        room_id,
        require_member(viewer),
    )
    if place is None:
        raise NotFound()
    return place


def refusal(standing: Standing) -> Forbidden:
    return Forbidden(_("@%(handle)s cannot be written to.", handle=standing.handle))
