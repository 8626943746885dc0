"""Tiers and rates agreed with single partners, as changes that a store may want two people for."""

from datetime import datetime

import asyncpg

from app import db
from app.auth import Viewer
from app.i18n import gettext as _
from app.money import percent
from referrals.agreement.kinds import Change, Kind, takes_two
from referrals.partners import service


class RateChange(Change, frozen=True):
    handle: str
    rate_bps: int
    expires_at: datetime
    note: str = ""


class TierChange(Change, frozen=True):
    handle: str
    tier: str


class RateEnd(Change, frozen=True):
    override_id: int


async def _agree(viewer: Viewer, store: asyncpg.Record, change: RateChange) -> None:
    await service.agree_rate(store["slug"], change.handle, change.rate_bps, change.expires_at, viewer, note=change.note)


async def _say_rate(_store: asyncpg.Record, change: RateChange) -> list[str]:
    rate, day = percent(change.rate_bps), f"{change.expires_at:%Y-%m-%d}"
    return [_("@%(handle)s: %(rate)s until %(day)s", handle=change.handle.removeprefix("@"), rate=rate, day=day)]


async def _set_tier(viewer: Viewer, store: asyncpg.Record, change: TierChange) -> None:
    await service.set_tier(store["slug"], change.handle, change.tier, viewer)


async def _say_tier(_store: asyncpg.Record, change: TierChange) -> list[str]:
    handle = change.handle.removeprefix("@")
    if not change.tier:
        return [_("@%(handle)s: out of any tier", handle=handle)]
    return [_("@%(handle)s: into the tier “%(tier)s”", handle=handle, tier=change.tier)]


async def _end(viewer: Viewer, store: asyncpg.Record, change: RateEnd) -> None:
    await service.end_rate(store["slug"], change.override_id, viewer)


async def _say_end(_store: asyncpg.Record, change: RateEnd) -> list[str]:
    row = await db.fetch_one(
        "SELECT m.handle, o.rate_bps FROM rate_override o JOIN member m ON m.id = o.member_id WHERE o.id = $1",
        change.override_id,
    )
    assert row is not None
    return [_("@%(handle)s: no longer %(rate)s", handle=row["handle"], rate=percent(row["rate_bps"]))]


async def _member_of(change: RateChange | TierChange) -> int | None:
    return await db.fetch_val(
        "SELECT id FROM member WHERE lower(handle) = lower($1)", change.handle.strip().removeprefix("@")
    )


takes_two("rate", Kind(RateChange, _agree, _say_rate, _member_of))
takes_two("tier", Kind(TierChange, _set_tier, _say_tier, _member_of))
takes_two("rate_end", Kind(RateEnd, _end, _say_end))
