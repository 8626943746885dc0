"""Who is in a room at the moment: names up to fifty, beyond that a number; what changed, not everything again.

Each process tells the others whom it has in a room; what is not repeated for a while is forgotten, as a process may
die. Who only looks in is counted, not named. Who hides is neither, who was not let in yet neither, and two who blocked
each other never see each other here.
"""

import asyncio
import contextvars
import logging
import time
from collections import defaultdict
from typing import Any

import msgspec

from app import db
from app.live_signals import THIS_PROCESS, heard, signal
from app.live_socket import Socket
from community.chat import feed
from community.chat.schemas import Author
from community.members.queries import avatar_url
from community.privacy.queries import unseen_pairs

# Who is seen in a room; None for one who is counted without a name.
Shown = dict[int, Author | None]

log = logging.getLogger(__name__)

MOST_NAMES = 50
# The first who comes is told of soon; when many do, once a second.
SOON, PAUSE = 0.25, 1.0
KEPT = 90.0


class Told(msgspec.Struct):
    """What the sockets of a room were told last: the names, or None when they were too many, and the number."""

    names: dict[int, Author] | None
    online: int


# room -> process -> (how many, the first of them, when it said so)
_elsewhere: dict[int, dict[str, tuple[int, list[int], float]]] = {}
_told: dict[int, Told] = {}
_fresh: dict[int, set[Socket]] = defaultdict(set)
_announced: dict[int, tuple[int, list[int]]] = {}
# Rooms to look at in the next round; True: tell the other processes even if nothing changed here.
_changed: dict[int, bool] = {}
# Who of those in a room is shown, and (a, b) when b must not see a: as the last round found it.
_seen: dict[int, dict[int, bool]] = {}
_pairs: set[tuple[int, int]] = set()
_apart: set[Socket] = set()
_round: asyncio.Task | None = None


def came(socket: Socket, room_id: int) -> None:
    """A socket listens to a room now: within a second it hears who is here, and the others of it."""
    _fresh[room_id].add(socket)
    _soon(room_id)


def went(socket: Socket, room_ids: list[int]) -> None:
    _apart.discard(socket)
    for room_id in room_ids:
        _fresh[room_id].discard(socket)
        _soon(room_id)


async def look_again(member_id: int) -> None:
    """A member hid, showed or blocked somebody: wherever they are, it is told anew."""
    await signal("presence-of", member_id)


def may_be_seen(room_id: int, member_id: int, by: int) -> bool:
    """Whether `by` may notice that this member is here (types, for example)."""
    return _seen.get(room_id, {}).get(member_id, False) and (member_id, by) not in _pairs


async def looked_up(room_id: int, member_id: int) -> None:
    """Wait until it is known whether a member who just came may be seen."""
    for _ in range(15):
        if member_id in _seen.get(room_id, ()):
            return
        # A round may just have been told: the next one begins after its pause.
        await asyncio.sleep((PAUSE + SOON) / 10)


async def repeat_for_ever() -> None:
    """The other processes forget who is not repeated: this one may have died."""
    while True:
        await asyncio.sleep(KEPT / 2)
        for room_id in feed.rooms_with_listeners():
            _soon(room_id, repeat=True)


@heard("presence-of")
def hear_of(key: str, _value: None) -> None:
    for room_id in feed.rooms_of(int(key)):
        _soon(room_id)


@heard("presence")
def hear_presence(key: str, here: tuple[int, list[int]]) -> None:
    room, _sign, process = key.partition(":")
    if process != THIS_PROCESS and feed.listeners(int(room)):
        count, ids = here
        _elsewhere.setdefault(int(room), {})[process] = (count, ids, time.monotonic())
        _soon(int(room))


def _soon(room_id: int, *, repeat: bool = False) -> None:
    global _round
    _changed[room_id] = repeat or _changed.get(room_id, False)
    if _round is None or _round.done():
        _round = asyncio.get_running_loop().create_task(_go_round(), context=contextvars.Context())


async def _go_round() -> None:
    await asyncio.sleep(SOON)
    while _changed:
        rooms = dict(_changed)
        _changed.clear()
        try:
            await _look_round(rooms)
        except Exception as error:
            # The database is away for a moment: who is here can wait for it.
            log.info("presence waits: %s", error)
            for room_id, repeat in rooms.items():
                _changed[room_id] = repeat or _changed.get(room_id, False)
        await asyncio.sleep(PAUSE)


async def _look_round(rooms: dict[int, bool]) -> None:
    await feed.settle(rooms)
    here = {room_id: {socket.member_id for socket in feed.listeners(room_id)} for room_id in rooms}
    shown = await _who_is_shown({room_id: ids | _from_elsewhere(room_id) for room_id, ids in here.items()})
    named = [room_id for room_id in rooms if _names(shown[room_id]) is not None]
    looked_at = {member_id for room_id in named for member_id in here[room_id] | shown[room_id].keys()}
    pairs = await unseen_pairs(list(looked_at)) if looked_at else set()
    _pairs.difference_update([pair for pair in _pairs if looked_at.issuperset(pair)])
    _pairs.update(pairs)
    for room_id, repeat in rooms.items():
        await _announce(room_id, here[room_id], shown[room_id], repeat)
        _seen[room_id] = {one: one in shown[room_id] for one in here[room_id] | shown[room_id].keys()}
        if feed.is_settled(room_id):
            _tell(room_id, shown[room_id])
        else:
            # Somebody was shut out while we asked: to whom it may be told is found in the next round.
            _soon(room_id, repeat=repeat)


def _from_elsewhere(room_id: int) -> set[int]:
    since = time.monotonic() - KEPT
    told = {process: of for process, of in _elsewhere.get(room_id, {}).items() if of[2] > since}
    if told:
        _elsewhere[room_id] = told
    else:
        _elsewhere.pop(room_id, None)
    return {member_id for _count, ids, _at in told.values() for member_id in ids}


async def _who_is_shown(rooms: dict[int, set[int]]) -> dict[int, Shown]:
    """Of who is in each room: those whom others may see there. One query for all rooms."""
    room_ids = [room_id for room_id, ids in rooms.items() for _id in ids]
    member_ids = [member_id for ids in rooms.values() for member_id in ids]
    rows = await db.fetch(
        """SELECT t.room_id, m.id, m.handle, m.name, m.avatar_key,
                  coalesce(rm.state, ms.state) = 'active' AS belongs
             FROM unnest($1::bigint[], $2::bigint[]) AS t(room_id, member_id)
             JOIN member m ON m.id = t.member_id
             JOIN room r ON r.id = t.room_id
             LEFT JOIN privacy p ON p.member_id = m.id
             LEFT JOIN room_member rm ON rm.room_id = r.id AND rm.member_id = m.id
             LEFT JOIN membership ms ON ms.group_id = r.group_id AND ms.member_id = m.id
            WHERE p.is_hidden IS NOT TRUE AND (r.kind <> 'direct' OR rm.state = 'active')""",
        room_ids,
        member_ids,
    )
    shown: dict[int, Shown] = {room_id: {} for room_id in rooms}
    for row in rows:
        author = Author(str(row["id"]), row["handle"], row["name"], avatar_url(row["avatar_key"]))
        shown[row["room_id"]][row["id"]] = author if row["belongs"] else None
    return shown


def _names(shown: Shown) -> dict[int, Author] | None:
    names = {member_id: author for member_id, author in shown.items() if author is not None}
    return names if len(names) <= MOST_NAMES else None


async def _announce(room_id: int, here: set[int], shown: Shown, repeat: bool) -> None:
    """Tell the other processes whom this one has in the room, when that changed or is due again."""
    mine = sorted(here & shown.keys(), key=lambda member_id: (shown[member_id] is None, member_id))
    told = len(mine), mine[: MOST_NAMES + 1]
    if repeat or _announced.get(room_id, (0, [])) != told:
        await signal("presence", f"{room_id}:{THIS_PROCESS}", told)
    if mine:
        _announced[room_id] = told
    else:
        _announced.pop(room_id, None)


def _tell(room_id: int, shown: Shown) -> None:
    """Who came and who went, to those who know the rest; everything to who is new here."""
    beyond = sum(max(count - len(ids), 0) for count, ids, _at in _elsewhere.get(room_id, {}).values())
    now = Told(_names(shown), len(shown) + beyond)
    before, fresh = _told.get(room_id), _fresh.pop(room_id, set())
    sockets = feed.listeners(room_id)
    if not sockets:
        _told.pop(room_id, None)
        _seen.pop(room_id, None)
        return
    _told[room_id] = now
    everything, change = _frame(room_id, _whole(now)), _frame(room_id, _change(before, now))
    for socket in sockets:
        hidden = {a for a, b in _pairs if b == socket.member_id and now.names and a in now.names} if _pairs else set()
        if hidden or socket in _apart:
            (_apart.add if hidden else _apart.discard)(socket)
            socket.push(_frame(room_id, _whole(now, but=hidden)))
        elif socket in fresh:
            socket.push(everything)
        elif change:
            socket.push(change)


def _frame(room_id: int, facts: dict[str, Any] | None) -> str:
    return msgspec.json.encode({"type": "presence", "room": str(room_id), **facts}).decode() if facts else ""


def _whole(now: Told, but: set[int] | frozenset[int] = frozenset()) -> dict[str, Any]:
    if now.names is None:
        return {"online": now.online}
    names = [author for member_id, author in sorted(now.names.items()) if member_id not in but]
    return {"online": now.online - len(but), "members": names}


def _change(before: Told | None, now: Told) -> dict[str, Any] | None:
    """The difference for who knows `before`; None when there is none."""
    if before == now:
        return None
    if before is None or before.names is None or now.names is None:
        return _whole(now)
    came = [author for member_id, author in sorted(now.names.items()) if member_id not in before.names]
    went = [str(member_id) for member_id in sorted(before.names.keys() - now.names.keys())]
    if not came and not went:
        return {"online": now.online}
    return {"online": now.online, "came": came, "went": went}
