"""Messages that were refused at a store's door: counted by day and kind, for its owner to see that something is wrong.

A flood costs PostgreSQL nothing: it is counted in Valkey, and once a minute what came together is added to the day's
row. Should Valkey go away in between, the refusals of that minute are not counted. Of what such a message says nothing
is kept.
"""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from app import clock, db, valkey
from community.notifications.service import notify
from storefront.connectors.stripe.verify import TOLERANCE_SECONDS

log = logging.getLogger(__name__)
SIGNATURE, CONFLICT, OVERSIZE = "signature", "conflict", "oversize"
UNCHECKED = "unchecked"
SHOWN = timedelta(days=7)
MOST_WAITING = 2_000
_KEY = "gv:refused"
_SIGNED_BY = (
    "webhook-signature",
    "x-shopify-hmac-sha256",
    "shopify-hmac-sha256",
    "x-wc-webhook-signature",
    "stripe-signature",
    "saleor-signature",
)

# Counted under a day, a store and a kind; further kinds of a made-up flood find the room taken.
_COUNT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
"""
_TAKE = """
local all = {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
redis.call('DEL', KEYS[1], KEYS[2])
return all
"""


class Last(msgspec.Struct):
    """The last of its kind: when, and a word on why."""

    at: datetime
    reason: str


async def count(store_slug: str, kind: str, reason: str) -> None:
    """Of a store that is known to be there."""
    now = clock.now()
    field = f"{now:%Y-%m-%d} {kind} {store_slug}"
    last = msgspec.json.encode(Last(now, "".join(sign for sign in reason if sign.isprintable())[:100]))
    try:
        await valkey.client().eval(_COUNT, 2, _KEY, f"{_KEY}:last", field, last, str(MOST_WAITING))  # type: ignore[misc]
    except valkey.Down as error:
        log.warning("a refused message for %s was not counted: %s", store_slug, error)


async def count_oversize(store_slug: str, length: str) -> None:
    """Before anything of it was read, so the store may be made up."""
    if await db.fetch_val("SELECT 1 FROM store WHERE slug = $1", store_slug.replace("\0", "")):
        await count(store_slug, OVERSIZE, length if length.isdigit() and len(length) < 16 else "")


def why_unsigned(headers: Mapping[str, str]) -> str:
    """What is wrong with a signature, as far as it can be said without helping to forge one."""
    given = [headers[name] for name in _SIGNED_BY if headers.get(name)]
    if not given:
        return "unsigned"
    told = headers.get("webhook-timestamp") or _stripe_time(headers.get("stripe-signature", ""))
    if not (told.isascii() and told.isdigit() and len(told) < 12):
        return "wrong"
    return "stale" if abs(clock.now().timestamp() - int(told)) > TOLERANCE_SECONDS else "wrong"


def _stripe_time(signature: str) -> str:
    return next((part[2:] for part in signature.split(",") if part.startswith("t=")), "")


async def gather() -> int:
    """Add what was counted to each day's row, and ring the owner's bell at the first of a day and kind."""
    try:
        counts, lasts = await valkey.client().eval(_TAKE, 2, _KEY, f"{_KEY}:last")  # type: ignore[misc]
    except valkey.Down:
        return 0
    last_of = dict(zip(lasts[::2], lasts[1::2], strict=True))
    found = sorted((field.decode(), int(many), last_of[field]) for field, many in zip(*[iter(counts)] * 2, strict=True))
    for field, many, last in found:
        day, kind, store_slug = field.split(" ", 2)
        await _add(store_slug, date.fromisoformat(day), kind, many, msgspec.json.decode(last, type=Last))
    return len(found)


async def _add(store_slug: str, day: date, kind: str, many: int, last: Last) -> None:
    async with db.transaction():
        row = await db.fetch_one(
            """INSERT INTO inbox_refusal (store_id, day, kind, many, reason, first_at, last_at)
               SELECT id, $2, $3, $4, $5, $6, $6 FROM store WHERE slug = $1
               ON CONFLICT (store_id, day, kind) DO UPDATE
                  SET many = inbox_refusal.many + excluded.many, reason = excluded.reason, last_at = excluded.last_at
               RETURNING store_id, xmax = 0 AS is_first""",
            store_slug,
            day,
            kind,
            many,
            last.reason,
            last.at,
        )
        owner_id = await db.fetch_val("SELECT owner_id FROM store WHERE slug = $1", store_slug)
        if row and row["is_first"] and owner_id:
            await notify(
                owner_id,
                "store_refused",
                source=f"store:{row['store_id']}:refused:{day}:{kind}",
                url=f"/admin/programs/{store_slug}/orders#refused",
                data={"store": store_slug, "kind": kind},
            )


async def refused_at(store_id: int) -> list[asyncpg.Record]:
    """What was refused within a week, by kind: how many, since when, and why the last one was."""
    return await db.fetch(
        """SELECT kind, sum(many)::bigint AS many, min(first_at) AS first_at, max(last_at) AS last_at,
                  (array_agg(reason ORDER BY last_at DESC))[1] AS reason
             FROM inbox_refusal WHERE store_id = $1 AND day > $2 GROUP BY kind ORDER BY max(last_at) DESC, kind""",
        store_id,
        (clock.now() - SHOWN).date(),
    )


async def forget_old() -> None:
    await db.execute("DELETE FROM inbox_refusal WHERE day < $1", (clock.now() - timedelta(days=90)).date())
