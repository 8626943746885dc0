"""Which click an app's first start came from: carried by the app store, or recognised by the browser it came by.

No clipboard is read, and no fingerprint is kept: the app names its browser once, and only the click's own hash of the
day is compared.
"""

import re
from datetime import timedelta
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg

from app import clock, db
from app.ids import new_click_id
from app.limits import limit
from referrals.attribution.schemas import DeferredLink, Device
from referrals.clicks.classify import HUMAN
from referrals.clicks.queries import DEFERRED, click, is_click
from referrals.clicks.visitors import hash_of
from referrals.clicks.writer import COLUMNS

# Whoever installs an app takes minutes; after an hour it is anybody of that household or office.
RECOGNISED_WITHIN = timedelta(hours=1)
CARRIED, ALONE, ONE_OF_SEVERAL = 100, 80, 40
COPIED = ", ".join(name for name in COLUMNS if name not in ("id", "trigger"))
_HEX = re.compile(r"[0-9a-fA-F-]{32,36}")
NOTHING = DeferredLink(False, "", "", 0)


async def recognise(device: Device, address: str) -> DeferredLink:
    """The click of a first start, with how sure that is; the same click is handed out once."""
    await limit("deferred", address, most=30, per=3600)
    given = parse_qs(device.install_referrer[:2000]).get("gv", [""])[0]
    if given and _HEX.fullmatch(given):
        found = await click(given)
        if found is None or found["kind"] != HUMAN:
            return NOTHING
        return await _hand_out(found["id"], CARRIED, "install_referrer")
    return await _recognise_browser(device.browser, address)


async def _recognise_browser(browser: str, address: str) -> DeferredLink:
    if not browser or not address:
        return NOTHING
    now = clock.now()
    visitor = hash_of(now, address, browser.encode())
    rows = await db.fetch(
        """SELECT id, link_id, occurred_at FROM click
            WHERE visitor_day_hash = $1 AND visitor_day_hash <> '' AND kind = 'human' AND blocked = ''
              AND trigger <> 'deferred'
              AND occurred_at > $2 AND occurred_at <= $3 AND id >= $4
              AND NOT EXISTS (SELECT 1 FROM deferred_match d WHERE d.original_id = click.id)
            ORDER BY occurred_at DESC LIMIT 10""",
        visitor,
        now - RECOGNISED_WITHIN,
        now,
        # An id begins with its millisecond: the key finds the last hour, not the whole day.
        UUID(int=int((now - RECOGNISED_WITHIN).timestamp() * 1000) << 80),
    )
    if not rows:
        return NOTHING
    sure = ALONE if len({row["link_id"] for row in rows}) == 1 else ONE_OF_SEVERAL
    try:
        guess = await _guess(rows[0], sure)
    except asyncpg.UniqueViolationError:
        return NOTHING  # Another app, started in the same moment, was told of this click.
    return await _told(guess, sure)


async def _hand_out(click_id: UUID, confidence: int, how: str) -> DeferredLink:
    await db.execute(
        """INSERT INTO deferred_match (click_id, original_id, confidence, how, matched_at)
           VALUES ($1, $1, $2, $3, $4) ON CONFLICT DO NOTHING""",
        click_id,
        confidence,
        how,
        clock.now(),
    )
    return await _told(click_id, confidence)


async def _guess(original: asyncpg.Record, confidence: int) -> UUID:
    """A click like this one, under an id that nobody has yet. It is no visit and is not counted as one."""
    id = new_click_id(original["occurred_at"])
    async with db.transaction():
        await db.execute(
            """INSERT INTO deferred_match (click_id, original_id, confidence, how, matched_at)
               VALUES ($1, $2, $3, 'browser', $4)""",
            id,
            original["id"],
            confidence,
            clock.now(),
        )
        await db.execute(
            f"""INSERT INTO click ({COPIED}, id, trigger)
                SELECT {COPIED}, $1, '{DEFERRED}' FROM click c WHERE {is_click("c", "$2::uuid")}""",
            id,
            original["id"],
        )
    return id


async def _told(click_id: UUID, confidence: int) -> DeferredLink:
    row = await db.fetch_one(
        f"""SELECT ck.id, l.destination FROM click ck JOIN link l ON l.id = ck.link_id
             WHERE {is_click("ck", "$1::uuid")}""",
        click_id,
    )
    assert row is not None
    return DeferredLink(True, row["id"].hex, row["destination"], confidence)
