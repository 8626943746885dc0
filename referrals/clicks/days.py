"""The partitions of clicks: one for each day (UTC), made ahead, and dropped when nobody needs them any more."""

from datetime import date, datetime, timedelta

import msgspec

from app import clock, db

AHEAD = 7
# Waiting for a partition's lock must not make clicks queue up behind it; the next hour tries again.
LOCK_TIMEOUT = "2s"
SHORTEST_KEPT = 60


class Dropped(msgspec.Struct):
    before: date
    dropped: int
    kept: int


async def make_ahead() -> int:
    """A partition for today, the next days, and those whose clicks lie in the default one; how many were made."""
    today = clock.now().date()
    wanted = [today + timedelta(days=ahead) for ahead in range(AHEAD + 1)]
    there = {row["day"] for row in await _partitions()}
    made = 0
    for day in sorted({*wanted, *await _days_by_default(today)} - there):
        async with db.transaction():
            await db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            made += await db.fetch_val("SELECT make_click_day($1)", day)
    return made


async def drop_before(day: date) -> Dropped:
    """Drop the clicks of the days before this one. What an order, a claim, a sign-up or a decision names is kept."""
    latest = clock.now().date() - timedelta(days=SHORTEST_KEPT)
    if day > latest:
        raise ValueError(f"Clicks of the last {SHORTEST_KEPT} days are not dropped; the latest day is {latest}.")
    dropped = kept = 0
    for partition in await _partitions():
        if partition["day"] < day:
            one = await _drop(partition["name"])
            dropped, kept = dropped + one[0], kept + one[1]
    await db.execute(
        "INSERT INTO click_retention (before, dropped, kept, at) VALUES ($1, $2, $3, $4)",
        day,
        dropped,
        kept,
        clock.now(),
    )
    return Dropped(day, dropped, kept)


async def kept_since() -> date | None:
    """The first day whose clicks are all there; None when nothing was ever dropped."""
    return await db.fetch_val("SELECT max(before) FROM click_retention")


async def _drop(name: str) -> tuple[int, int]:
    """Detach a day, carry over what is needed into the default partition, and drop the rest with its table."""
    async with db.transaction():
        await db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await db.execute(f"ALTER TABLE click DETACH PARTITION {name}")
        whole = await db.fetch_val(f"SELECT count(*) FROM {name}")
        kept = await db.execute(
            f"""INSERT INTO click SELECT c.* FROM {name} c
                 WHERE EXISTS (SELECT 1 FROM orders o WHERE o.gv = c.id)
                    OR EXISTS (SELECT 1 FROM click_claim k WHERE k.click_id = c.id)
                    OR EXISTS (SELECT 1 FROM signup_referral s WHERE s.click_id = c.id)
                    OR EXISTS (SELECT 1 FROM conversion t WHERE t.click_id = c.id)
                    OR EXISTS (SELECT 1 FROM attribution a WHERE a.click_id = c.id)"""
        )
        # How long somebody stayed is of no use any more, also where the click itself is.
        await db.execute(f"DELETE FROM click_dwell d USING {name} c WHERE d.click_id = c.id")
        await db.execute(f"DROP TABLE {name}")
    return whole - kept, kept


async def _days_by_default(today: date) -> set[date]:
    rows = await db.fetch("SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date AS day FROM click_default")
    since = await kept_since() or date.min
    return {row["day"] for row in rows if since <= row["day"] <= today + timedelta(days=AHEAD)}


async def _partitions() -> list[dict]:
    rows = await db.fetch(
        r"""SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'click'::regclass AND c.relname ~ '^click_\d{4}_\d\d_\d\d$' ORDER BY c.relname"""
    )
    return [{"name": row["name"], "day": datetime.strptime(row["name"][6:], "%Y_%m_%d").date()} for row in rows]
