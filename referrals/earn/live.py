"""/earn while somebody looks at it: whose page is open hears within seconds that people came by their links.

The redirect does nothing for it. While pages are open, each web process asks once in two seconds, for all of them.
"""

import asyncio
import logging

import msgspec

from app import clock, db, live
from app.live_socket import Socket

log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0

_watching: dict[int, set[Socket]] = {}
_seen: dict[int, int] = {}
_looking: asyncio.Task | None = None


class Watch(msgspec.Struct):
    """`{"type":"watch_earn"}`: tell me `{"type":"notify","about":"earn"}` when something of mine moved."""


@live.frame("watch_earn", Watch)
def watch(socket: Socket, _watch: Watch) -> None:
    global _looking
    _watching.setdefault(socket.member_id, set()).add(socket)
    loop = asyncio.get_running_loop()
    if _looking is None or _looking.done() or _looking.get_loop() is not loop:
        _looking = loop.create_task(_look_while_watched())


@live.on_leaving
def forget(socket: Socket) -> None:
    mine = _watching.get(socket.member_id)
    if mine is not None:
        mine.discard(socket)
        if not mine:
            del _watching[socket.member_id]
            _seen.pop(socket.member_id, None)


async def _look_while_watched() -> None:
    while _watching:
        try:
            await look()
        except Exception:
            log.exception("the look for clicks failed; the next one comes in a moment")
        await asyncio.sleep(EVERY_SECONDS)


async def look() -> None:
    """One query for everybody who watches here."""
    rows = await db.fetch(
        """SELECT l.owner_id, sum(c.clicks)::bigint AS clicks FROM link l JOIN click_count c ON c.link_id = l.id
            WHERE l.owner_id = ANY($1::bigint[]) AND c.day >= $2 GROUP BY 1""",
        list(_watching),
        clock.now().date(),
    )
    for row in rows:
        # The first look tells, too: people may have come between the page and it.
        if _seen.get(row["owner_id"]) != row["clicks"]:
            _seen[row["owner_id"]] = row["clicks"]
            for socket in list(_watching.get(row["owner_id"], ())):
                socket.tell("notify", about="earn")
