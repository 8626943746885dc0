"""Clicks are written in groups: all that came while the last group was being committed go into the next commit.

A visitor is redirected only after the commit that holds their click.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from prometheus_client import Counter as Metric

from app import db
from app.errors import Unavailable

log = logging.getLogger(__name__)

clicks_total = Metric("grapevine_clicks_total", "Clicks committed", ["kind"])
MOST_AT_ONCE = 500
WAITING_AT_MOST = 20_000
SLOTS = 16
INSERT = """
WITH written AS (
    INSERT INTO click (id, link_id, occurred_at, kind, visitor_day_hash, referrer_host)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
    ON CONFLICT (id) DO NOTHING RETURNING link_id, occurred_at, kind)
INSERT INTO click_count (link_id, day, kind, slot, clicks)
SELECT link_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, kind, $7::int, count(*)
  FROM written GROUP BY link_id, day, kind ORDER BY link_id, day, kind
ON CONFLICT (link_id, day, kind, slot) DO UPDATE SET clicks = click_count.clicks + excluded.clicks"""


class LinkIsGone(Exception):
    """The link was removed after this process had looked it up."""


class NewClick(msgspec.Struct):
    id: UUID
    link_id: int
    occurred_at: datetime
    kind: str
    visitor: str
    referrer: str
    written: asyncio.Future[None]


_slot = secrets.randbelow(SLOTS)  # Of this process, so that processes do not wait for each other's count.
_waiting: list[NewClick] = []
_work = asyncio.Event()


async def write(click_id: UUID, link_id: int, occurred_at: datetime, kind: str, visitor: str, referrer: str) -> None:
    """Return when the click is durable; raise LinkIsGone, or Unavailable when the database does not take it."""
    if len(_waiting) >= WAITING_AT_MOST:
        raise Unavailable()
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _waiting.append(NewClick(click_id, link_id, occurred_at, kind, visitor, referrer, written))
    _work.set()
    await written


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Write groups for as long as this process serves; what waits at the end is written before it goes."""
    task = asyncio.create_task(_write_for_ever())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        while _waiting:
            await _write_next()


async def _write_for_ever() -> None:
    while True:
        await _work.wait()
        await _write_next()


async def _write_next() -> None:
    group = _waiting[:MOST_AT_ONCE]
    del _waiting[: len(group)]
    if not _waiting:
        _work.clear()
    try:
        await _commit(group)
    except asyncpg.ForeignKeyViolationError:
        await _one_by_one(group)
    except Exception:
        log.exception("%s clicks could not be written", len(group))
    finally:
        _settle(group, Unavailable())  # Those that still wait: the group failed, or this process stops.


async def _one_by_one(group: list[NewClick]) -> None:
    """A link in the group was removed: its visitors get no redirect, the others are written without them."""
    for click in group:
        try:
            await _commit([click])
        except asyncpg.ForeignKeyViolationError:
            _settle([click], LinkIsGone())
        except Exception:
            log.exception("a click could not be written")
            _settle([click], Unavailable())


async def _commit(group: list[NewClick]) -> None:
    columns = (
        [click.id for click in group],
        [click.link_id for click in group],
        [click.occurred_at for click in group],
        [click.kind for click in group],
        [click.visitor for click in group],
        [click.referrer for click in group],
        _slot,
    )
    try:
        await db.execute(INSERT, *columns)
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
        # The connection was lost, perhaps after the commit: the ids make writing again harmless.
        await db.execute(INSERT, *columns)
    _settle(group, None)
    for kind, many in Counter(click.kind for click in group).items():
        clicks_total.labels(kind).inc(many)


def _settle(group: list[NewClick], problem: Exception | None) -> None:
    for click in group:
        if click.written.done():
            continue
        if problem is None:
            click.written.set_result(None)
        else:
            click.written.set_exception(problem)
