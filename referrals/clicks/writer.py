"""Clicks are written in groups: all that came while the last group was being committed go into the next commit.

A visitor is redirected only after the commit that holds their click. While the database is away, groups go to the
spool on disk instead, synced before the redirect, and are replayed once it is back.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
from prometheus_client import Counter as Metric

from app import db
from app.errors import Unavailable
from referrals.clicks import spool

log = logging.getLogger(__name__)

clicks_total = Metric("grapevine_clicks_total", "Clicks committed", ["kind"])
spooled_total = Metric("grapevine_clicks_spooled_total", "Clicks kept on disk while the database was away")
MOST_AT_ONCE = 500
WAITING_AT_MOST = 20_000
SLOTS = 16
# Two, so that this process answers the visitors of one group while PostgreSQL commits the next.
WRITERS = 2
# A commit that takes longer than this goes to disk as well: whichever is replayed finds the other's ids there.
COMMIT_SECONDS = 3.0
LOST = (*db.LOST, Unavailable, TimeoutError)
COLUMNS = {
    "id": "uuid",
    "link_id": "bigint",
    "occurred_at": "timestamptz",
    "kind": "text",
    "visitor_day_hash": "text",
    "referrer_host": "text",
    "trigger": "text",
    "blocked": "text",
    "variant": "text",
    "consent": "text",
    "agent_hash": "bigint",
    "signals": "smallint",
    "bot_score": "smallint",
    "score_version": "smallint",
    "ua_class": "text",
    "in_app": "text",
    "paid_click_param": "text",
    "fetch_site": "text",
    "fetch_dest": "text",
    "country": "text",
}
# What is not said about a click stays as the table has it (the demo's clicks say only the first six).
SAID = 6


def insert_of(columns: dict[str, str]) -> str:
    """The statement that writes clicks and counts, in one breath, those that were not there before."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(columns.values(), 1))
    return f"""
WITH written AS (
    INSERT INTO click ({", ".join(columns)})
    SELECT * FROM unnest({arrays})
    ON CONFLICT (id, occurred_at) DO NOTHING RETURNING link_id, occurred_at, kind, blocked)
INSERT INTO click_count (link_id, day, kind, slot, clicks)
SELECT link_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, kind, ${len(columns) + 1}::int, count(*)
  FROM written WHERE blocked = '' GROUP BY link_id, day, kind ORDER BY link_id, day, kind
ON CONFLICT (link_id, day, kind, slot) DO UPDATE SET clicks = click_count.clicks + excluded.clicks"""


INSERT = insert_of(dict(list(COLUMNS.items())[:SAID]))
INSERT_ALL = insert_of(COLUMNS)


class LinkIsGone(Exception):
    """The link was removed after this process had looked it up."""


class NewClick(msgspec.Struct, omit_defaults=True):
    id: UUID
    link_id: int
    occurred_at: datetime
    kind: str
    visitor_day_hash: str = ""
    referrer_host: str = ""
    trigger: str = "link"
    blocked: str = ""
    variant: str = ""
    consent: str = ""
    agent_hash: int | None = None
    signals: int = 0
    bot_score: int = 0
    score_version: int = 0
    ua_class: str = ""
    in_app: str = ""
    paid_click_param: str = ""
    fetch_site: str = ""
    fetch_dest: str = ""
    country: str = ""
    agent: str = ""


class _Waiting(msgspec.Struct):
    click: NewClick
    written: asyncio.Future[None]


# Of this process and writer, so that nobody waits for another's count.
_slots = [secrets.randbelow(SLOTS // WRITERS) * WRITERS + writer for writer in range(WRITERS)]
_waiting: list[_Waiting] = []
_work = asyncio.Event()
_known_agents: set[int] = set()
_is_down = False


async def write(click: NewClick) -> None:
    """Return when the click is durable; raise LinkIsGone, or Unavailable when neither database nor disk takes it."""
    if len(_waiting) >= WAITING_AT_MOST:
        raise Unavailable()
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _waiting.append(_Waiting(click, written))
    _work.set()
    await written


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Write groups for as long as this process serves; what waits at the end is written before it goes."""
    tasks = [asyncio.create_task(_write_for_ever(slot)) for slot in _slots]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while _waiting:
            await _write_next(_slots[0])
        spool.close()


async def replay() -> int:
    """Write what waits on disk into the database, once; how many clicks were in hand."""
    spool.close()
    replayed = 0
    for file in spool.waiting():
        with spool.taken(file) as records:
            if records is not None:
                await _replay(records, file)
                replayed += len(records)
    return replayed


async def _write_for_ever(slot: int) -> None:
    while True:
        await _work.wait()
        await _write_next(slot)


async def come_back() -> None:
    """See whether the database answers again; from then on it is given the clicks, and what waits on disk."""
    global _is_down
    if _is_down:
        await db.fetch_val("SELECT 1")
        _is_down = False
    if spool.waiting():
        await replay()


async def _write_next(slot: int) -> None:
    group = _waiting[:MOST_AT_ONCE]
    del _waiting[: len(group)]
    if not _waiting:
        _work.clear()
    if not group:
        return  # The other writer was quicker.
    try:
        await _keep(group, slot)
    except Exception:
        log.exception("%s clicks could not be kept", len(group))
    finally:
        _settle(group, Unavailable())  # Those that still wait: the group failed, or this process stops.


async def _keep(group: list[_Waiting], slot: int) -> None:
    """Into the database, or onto the disk."""
    global _is_down
    if not _is_down:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await _commit([one.click for one in group], slot)
            _settle(group, None)
            return
        except asyncpg.ForeignKeyViolationError:
            await _one_by_one(group, slot)
            return
        except LOST as lost:
            log.warning("the database took no clicks, they go to disk: %s", lost)
            _is_down = True
    # In a thread: a slow disk must not hold up the pages.
    await asyncio.to_thread(spool.append, [spool.encode(one.click) for one in group])
    _settle(group, None)
    spooled_total.inc(len(group))


async def _one_by_one(group: list[_Waiting], slot: int) -> None:
    """A link in the group was removed: its visitors get no redirect, the others are written without them."""
    for one in group:
        try:
            await _commit([one.click], slot)
            _settle([one], None)
        except asyncpg.ForeignKeyViolationError:
            _settle([one], LinkIsGone())
        except Exception:
            log.exception("a click could not be written")
            _settle([one], Unavailable())


async def _replay(records: list[bytes], file: Path) -> None:
    """Write the clicks of a file and then delete it: whoever dies between the two writes them again, in vain."""
    clicks = [msgspec.json.decode(record, type=NewClick) for record in records]
    for start in range(0, len(clicks), MOST_AT_ONCE):
        some = clicks[start : start + MOST_AT_ONCE]
        try:
            await _commit(some, _slots[0])
        except asyncpg.ForeignKeyViolationError:
            for click in some:
                with suppress(asyncpg.ForeignKeyViolationError):
                    await _commit([click], _slots[0])
    spool.delete(file)


async def _commit(group: list[NewClick], slot: int) -> None:
    new = {click.agent_hash: click.agent for click in group if click.agent_hash not in _known_agents and click.agent}
    if new:
        await _remember_agents(new)
    # Column by column: what asyncpg sends fastest, five times as fast as row by row.
    columns = [[getattr(click, name) for click in group] for name in COLUMNS]
    await db.execute(INSERT_ALL, *columns, slot)
    for kind, many in Counter(click.kind for click in group).items():
        clicks_total.labels(kind).inc(many)


async def _remember_agents(agents: dict[int | None, str]) -> None:
    """Before the clicks that have them: an agent without clicks is harmless, a click without its agent is not."""
    await db.execute(
        """INSERT INTO click_agent (hash, agent) SELECT * FROM unnest($1::bigint[], $2::text[])
           ON CONFLICT (hash) DO NOTHING""",
        list(agents),
        list(agents.values()),
    )
    if len(_known_agents) > 50_000:
        _known_agents.clear()
    _known_agents.update(one for one in agents if one is not None)


def _settle(group: list[_Waiting], problem: Exception | None) -> None:
    for one in group:
        if one.written.done():
            continue
        if problem is None:
            one.written.set_result(None)
        else:
            one.written.set_exception(problem)
