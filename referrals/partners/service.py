"""What a store agrees with single partners: a tier, or a rate of their own with an end and with who agreed to it."""

from datetime import datetime, timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from app.text import clean

LONGEST = timedelta(days=3 * 365)


async def set_tier(store_slug: str, handle: str, tier: str, viewer: Viewer) -> None:
    """Put a partner into a tier, or out of any. The caller has seen that the viewer runs the store."""
    by_id = require_member(viewer)
    program_id, member = await _found(store_slug, handle)
    tier = clean(tier, "tier", most=80)
    if tier and member["id"] == by_id:
        raise Invalid("handle", _("Somebody else must put you into a tier."))
    await db.execute(
        """INSERT INTO partner (program_id, member_id, state, tier, created_at) VALUES ($1, $2, 'approved', $3, $4)
           ON CONFLICT (program_id, member_id) DO UPDATE SET tier = excluded.tier""",
        program_id,
        member["id"],
        tier,
        clock.now(),
    )


async def agree_rate(
    store_slug: str, handle: str, rate_bps: int, expires_at: datetime, viewer: Viewer, *, note: str = ""
) -> int:
    """Give one member a rate of their own until a moment; the one before ends. Nobody agrees to their own rate."""
    by_id = require_member(viewer)
    now = clock.now()
    if not 0 <= rate_bps <= 10_000:
        raise Invalid("rate", _("A rate is 0 to 100 %."))
    if not now < expires_at <= now + LONGEST:
        raise Invalid("expires_on", _("It ends on a day to come, within three years."))
    program_id, member = await _found(store_slug, handle)
    if member["id"] == by_id:
        raise Invalid("handle", _("Somebody else must agree to your own rate."))
    async with db.transaction():
        await db.execute("SELECT 1 FROM program WHERE id = $1 FOR UPDATE", program_id)
        await _end(program_id, member["id"], by_id, now)
        agreed: int = await db.fetch_val(
            """INSERT INTO rate_override (program_id, member_id, rate_bps, note, starts_at, expires_at, by_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
            program_id,
            member["id"],
            rate_bps,
            clean(note, "note", most=200),
            now,
            expires_at,
            by_id,
        )
    return agreed


async def lend_rate(
    program_id: int, member_id: int, rate_bps: int, starts_at: datetime, expires_at: datetime, by_id: int, note: str
) -> None:
    """A rate for some weeks on top of what is agreed: while it runs it counts, then the one before does again."""
    await db.execute(
        """INSERT INTO rate_override (program_id, member_id, rate_bps, note, starts_at, expires_at, by_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        program_id,
        member_id,
        rate_bps,
        note,
        starts_at,
        expires_at,
        by_id,
    )


async def take_rate_back(program_id: int, member_id: int, note: str, by_id: int) -> None:
    await db.execute(
        """UPDATE rate_override SET ended_at = $4, ended_by_id = $5
            WHERE program_id = $1 AND member_id = $2 AND note = $3 AND ended_at IS NULL""",
        program_id,
        member_id,
        note,
        clock.now(),
        by_id,
    )


async def end_rate(store_slug: str, override_id: int, viewer: Viewer) -> None:
    """From now on the rules count again; orders before keep what was agreed."""
    by_id = require_member(viewer)
    ended = await db.execute(
        """UPDATE rate_override o SET ended_at = $3, ended_by_id = $4 FROM program p JOIN store s ON s.id = p.store_id
            WHERE o.id = $2 AND p.id = o.program_id AND s.slug = $1 AND o.ended_at IS NULL""",
        store_slug,
        override_id,
        clock.now(),
        by_id,
    )
    if not ended:
        raise NotFound()


async def _end(program_id: int, member_id: int, by_id: int, now: datetime) -> None:
    await db.execute(
        """UPDATE rate_override SET ended_at = $4, ended_by_id = $3
            WHERE program_id = $1 AND member_id = $2 AND ended_at IS NULL""",
        program_id,
        member_id,
        by_id,
        now,
    )


async def _found(store_slug: str, handle: str) -> tuple[int, asyncpg.Record]:
    program_id = await db.fetch_val(
        "SELECT p.id FROM program p JOIN store s ON s.id = p.store_id WHERE s.slug = $1", store_slug
    )
    if program_id is None:
        raise NotFound(_("This store has no programme yet."))
    member = await db.fetch_one(
        "SELECT id FROM member WHERE lower(handle) = lower($1)", handle.strip().removeprefix("@")
    )
    if member is None:
        raise Invalid("handle", _("Nobody here is called that."))
    return program_id, member
