"""Sending to an endpoint: one worker at a time, in order, patient with one that is down, unmoved by one bad message.

A message that fails is tried again by its own schedule while the ones behind it go on, as long as the endpoint takes
any. One that takes none rests, and everything waits behind its oldest message.
"""

import asyncio
import random
import time
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db, signed
from app.http import Answer, CannotFetch, Line, fetch, kept_line
from community.notifications.service import notify
from community.webhooks.schemas import TEST, Message
from community.webhooks.service import valid_secrets, wake
from community.webhooks.source import Source

RETRY_AFTER = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]
JITTER = 0.1
MOST_AT_ONCE = 50
# A run ends after this, so that others have their turn and a worker can stop; the next one goes on.
RUN_SECONDS = 10
# When nothing is left, it stays a moment for what comes next, and looks for it so often.
LINGER_SECONDS, LOOK_AGAIN_SECONDS = 1.0, 0.05
BUSY = timedelta(seconds=60)
MOST_ASKED_TO_WAIT = timedelta(hours=24)
EXCERPT = 1000
# It lives and says that this message is not for it. Anything else, twice in a row, and it is taken for down.
REFUSED = {400, 406, 409, 411, 412, 413, 414, 415, 422}
STRIKES = 2


class Try(msgspec.Struct):
    """How one try went; `why` says why there was no answer."""

    status: int
    why: str
    took_ms: int
    answer: str
    wait: timedelta | None = None
    """How long it asked us to; zero when it only said that this is too fast."""

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


async def send_waiting(endpoint_id: int, source: Source) -> None:
    """Send what is due, unless another worker is at it."""
    endpoint = await _take(endpoint_id)
    if endpoint is None:
        return
    try:
        await _send_all(endpoint, source)
    finally:
        await db.execute("UPDATE webhook_endpoint SET busy_until = NULL WHERE id = $1", endpoint_id)
    # Whoever came while we were busy went away: what they came for is looked for once more.
    await _come_back(endpoint_id, source)


async def _take(endpoint_id: int) -> asyncpg.Record | None:
    now = clock.now()
    return await db.fetch_one(
        """UPDATE webhook_endpoint SET busy_until = $3
            WHERE id = $1 AND off_at IS NULL AND (busy_until IS NULL OR busy_until < $2)
              AND (resting_until IS NULL OR resting_until <= $2) RETURNING *""",
        endpoint_id,
        now,
        now + BUSY,
    )


async def _send_all(endpoint: asyncpg.Record, source: Source) -> None:
    secrets = valid_secrets(endpoint)
    if not secrets:
        await _switch_off(endpoint, source, "keys_lost")
        return
    ends, strikes, seen = time.monotonic() + RUN_SECONDS, 0, set[int]()
    sent_at = 0.0
    async with kept_line() as line:
        while (now := time.monotonic()) < ends:
            due = [row for row in await _due(endpoint["id"], sorted(seen)) if row["id"] not in seen]
            if not due:
                if await source.gather(endpoint):
                    continue
                if now - sent_at > LINGER_SECONDS:
                    return
                # Who is answered soon answers soon: the next word of a talk need not wait for the next look around.
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                continue
            said = await _read(endpoint, source, due)
            for delivery, data in zip(due, said, strict=True):
                seen.add(delivery["id"])
                if time.monotonic() > ends or not await _keep(endpoint):
                    return
                strikes = await _send_one(endpoint, source, secrets, line, delivery, data, strikes)
                sent_at = time.monotonic()
                if strikes >= STRIKES:
                    return


async def _send_one(
    endpoint: asyncpg.Record,
    source: Source,
    secrets: list[str],
    line: Line,
    delivery: asyncpg.Record,
    data: Any,
    strikes: int,
) -> int:
    """Try one delivery and note how it went; how many in a row the endpoint has failed by now."""
    if data is None:
        await _note(delivery, Try(0, "nothing_left", 0, ""), "failed", None)
        return strikes
    tried = await _try(endpoint["url"], secrets, line, delivery, data)
    if tried.is_taken:
        await _note(delivery, tried, "delivered", None)
        if endpoint["resting_until"]:
            await _wake_up(endpoint["id"])
        return 0
    if tried.status == 410:
        await _note(delivery, tried, "waiting", clock.now())
        await _switch_off(endpoint, source, "gone")
        return STRIKES
    if delivery["tries"] >= len(RETRY_AFTER):
        await _give_up(endpoint, source, delivery, tried)
        return STRIKES
    next_at = clock.now() + _pause(delivery["tries"], tried.wait)
    await _note(delivery, tried, "waiting", next_at)
    if tried.status in REFUSED:
        return strikes
    # One that failed before says nothing new about the endpoint; silence says it all.
    strikes = STRIKES if not tried.status or tried.wait is not None else strikes + (delivery["tries"] == 0)
    if strikes >= STRIKES:
        await db.execute("UPDATE webhook_endpoint SET resting_until = $2 WHERE id = $1", endpoint["id"], next_at)
    return strikes


async def _due(endpoint_id: int, seen: list[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT * FROM webhook_delivery
            WHERE endpoint_id = $1 AND state = 'waiting' AND next_at <= $2 AND id <> ALL($3::bigint[])
            ORDER BY id LIMIT $4""",
        endpoint_id,
        clock.now(),
        seen,
        MOST_AT_ONCE,
    )


async def _read(endpoint: asyncpg.Record, source: Source, due: list[asyncpg.Record]) -> list[Any]:
    """What each of these says just now."""
    real = [delivery for delivery in due if delivery["type"] != TEST]
    found = dict(zip([row["id"] for row in real], await source.read(endpoint, real) if real else [], strict=True))
    greeting = {"words": "It works. Nothing happened; somebody pressed a button."}
    return [greeting if delivery["type"] == TEST else found[delivery["id"]] for delivery in due]


async def _try(url: str, secrets: list[str], line: Line, delivery: asyncpg.Record, data: Any) -> Try:
    body = msgspec.json.encode(Message(delivery["type"], delivery["occurred_at"], data))
    began = time.monotonic()
    try:
        headers = signed.headers_of(secrets, delivery["message_id"], body)
        answer = await fetch("POST", url, content=body, headers=headers, most_bytes=EXCERPT, cut=True, line=line)
    except CannotFetch as nothing:
        return Try(0, nothing.why, _ms_since(began), "")
    excerpt = answer.body[:EXCERPT].decode("utf-8", "replace").replace("\0", "")
    return Try(answer.status, "", _ms_since(began), excerpt, _asked_to_wait(answer))


async def _keep(endpoint: asyncpg.Record) -> bool:
    """Go on, unless it was switched off, moved, given another secret or removed meanwhile. A run is over long before
    `busy_until`."""
    return await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM webhook_endpoint WHERE id = $1 AND off_at IS NULL AND url = $2 AND secret = $3)",
        endpoint["id"],
        endpoint["url"],
        endpoint["secret"],
    )


async def _note(delivery: asyncpg.Record, tried: Try, state: str, next_at: datetime | None) -> None:
    # Removed meanwhile: then there is nothing to note.
    await db.execute(
        """WITH noted AS (
               UPDATE webhook_delivery SET state = $2, tries = tries + 1, next_at = $3, done_at = $4 WHERE id = $1
               RETURNING id)
           INSERT INTO webhook_attempt (delivery_id, at, status, why, took_ms, answer)
           SELECT id, $5, $6, $7, $8, $9 FROM noted""",
        delivery["id"],
        state,
        next_at,
        None if state == "waiting" else clock.now(),
        clock.now(),
        tried.status,
        tried.why,
        tried.took_ms,
        tried.answer,
    )


async def _give_up(endpoint: asyncpg.Record, source: Source, delivery: asyncpg.Record, tried: Try) -> None:
    """The last try. Was anything taken since the first, it is this message; was nothing, it is the endpoint."""
    await _note(delivery, tried, "failed", None)
    lives = await db.fetch_val(
        """SELECT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.endpoint_id = $1 AND d.state = 'delivered'
                             AND d.done_at > (SELECT min(at) FROM webhook_attempt WHERE delivery_id = $2))""",
        endpoint["id"],
        delivery["id"],
    )
    if not lives:
        await _switch_off(endpoint, source, "unreachable")
    else:
        await _ring(endpoint, source, "webhook_failed", f"webhook:{delivery['id']}:failed")


async def _switch_off(endpoint: asyncpg.Record, source: Source, reason: str) -> None:
    off = await db.execute(
        """UPDATE webhook_endpoint SET off_at = $2, off_reason = $3, resting_until = NULL
            WHERE id = $1 AND off_at IS NULL""",
        endpoint["id"],
        clock.now(),
        reason,
    )
    if off:
        at = clock.now().isoformat(timespec="seconds")
        await _ring(endpoint, source, "webhook_off", f"webhook:{endpoint['id']}:off:{at}", reason=reason)


async def switch_off_those_of(source: Source, owner_id: int, maker_id: int) -> None:
    """Who gave these addresses runs the place no longer: nothing goes there until somebody who does says so again."""
    rows = await db.fetch(
        """SELECT * FROM webhook_endpoint
            WHERE owner_kind = $1 AND owner_id = $2 AND made_by_id = $3 AND off_at IS NULL ORDER BY id""",
        source.owner_kind,
        owner_id,
        maker_id,
    )
    for endpoint in rows:
        await _switch_off(endpoint, source, "maker_left")


async def _ring(endpoint: asyncpg.Record, source: Source, kind: str, bell: str, **data: str) -> None:
    """Tell the owner."""
    told = await source.owner(endpoint["owner_id"])
    if told:
        member_id, url = told
        await notify(member_id, kind, source=bell, url=url, data={"url": endpoint["url"], **data})


async def _wake_up(endpoint_id: int) -> None:
    """It takes messages again: those that waited for it need not wait longer."""
    async with db.transaction():
        rested = await db.execute(
            "UPDATE webhook_endpoint SET resting_until = NULL WHERE id = $1 AND resting_until IS NOT NULL", endpoint_id
        )
        if rested:
            await db.execute(
                """UPDATE webhook_delivery SET next_at = $2
                    WHERE endpoint_id = $1 AND state = 'waiting' AND next_at > $2""",
                endpoint_id,
                clock.now(),
            )


async def _come_back(endpoint_id: int, source: Source) -> None:
    """Queue the next run: now when something is due, else when the next try is."""
    endpoint = await db.fetch_one(
        """SELECT e.*, (SELECT min(d.next_at) FROM webhook_delivery d
                         WHERE d.endpoint_id = e.id AND d.state = 'waiting') AS next_at
             FROM webhook_endpoint e WHERE e.id = $1 AND e.off_at IS NULL""",
        endpoint_id,
    )
    if endpoint is None:
        return
    if not endpoint["resting_until"] and await source.gather(endpoint):
        at = clock.now()
    elif endpoint["next_at"] is None:
        return
    else:
        at = max(endpoint["next_at"], endpoint["resting_until"] or endpoint["next_at"])
    async with db.transaction():
        await wake(source.send, endpoint_id, at=at)


def _pause(tries: int, asked: timedelta | None) -> timedelta:
    pause = RETRY_AFTER[tries] * random.uniform(1 - JITTER, 1 + JITTER)
    return max(pause, min(asked, MOST_ASKED_TO_WAIT)) if asked else pause


def _asked_to_wait(answer: Answer) -> timedelta | None:
    given = answer.headers.get("retry-after", "")
    if answer.status not in (429, 503) or not given.isdecimal() or len(given) > 9:
        return timedelta(0) if answer.status == 429 else None
    return timedelta(seconds=int(given))


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
