from datetime import date

from app import clock, db
from app.events import publish
from referrals.clicks import days, queries
from referrals.clicks.classify import HUMAN
from referrals.clicks.events import ClickClaimed, MemberReferred
from storefront.orders.fingerprints import mailbox_fingerprint


async def claim(member_id: int, gv: str) -> bool:
    """Bind a person's click to the member who signed in with it; the first one keeps it. Whether it was claimed now."""
    click = await queries.click(gv)
    if click is None or click["kind"] != HUMAN:
        return False
    async with db.transaction():
        claimed = await db.fetch_val(
            """INSERT INTO click_claim (click_id, member_id, claimed_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            click["id"],
            member_id,
            clock.now(),
        )
        if claimed:
            await publish(ClickClaimed(member_id=member_id, click_id=click["id"].hex), actor_id=member_id)
    return bool(claimed)


async def credit_signup(member_id: int, gv: str) -> bool:
    """Keep who brought a new member here. Nobody brings themselves, and only the first one counts."""
    click = await queries.click(gv)
    if click is None or click["kind"] != HUMAN or await is_same_person(member_id, click["owner_id"]):
        return False
    async with db.transaction():
        credited = await db.fetch_val(
            """INSERT INTO signup_referral (member_id, referrer_id, click_id, link_id, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id""",
            member_id,
            click["owner_id"],
            click["id"],
            click["link_id"],
            clock.now(),
        )
        if credited:
            await publish(MemberReferred(member_id=member_id, referrer_id=click["owner_id"]), actor_id=member_id)
    return bool(credited)


async def is_same_person(one_id: int, other_id: int) -> bool:
    """Whether two accounts are one, or belong to one mailbox (`ann+2@` reaches `ann@`)."""
    rows = await db.fetch("SELECT email FROM member WHERE id = ANY($1::bigint[])", [one_id, other_id])
    return len({mailbox_fingerprint(row["email"]) for row in rows}) < 2


async def recount() -> None:
    """Work the counts out from the clicks again, after clicks were brought in from elsewhere.

    Days whose clicks were dropped keep their counts: nothing is left to count them by.
    """
    async with db.transaction():
        since = await days.kept_since() or date.min
        await db.execute("DELETE FROM click_count WHERE day >= $1", since)
        await db.execute(
            """INSERT INTO click_count (link_id, day, kind, slot, clicks)
               SELECT link_id, (occurred_at AT TIME ZONE 'UTC')::date, kind, 0, count(*)
                 FROM click WHERE blocked = '' AND trigger <> 'deferred'
                  AND (occurred_at AT TIME ZONE 'UTC')::date >= $1 GROUP BY 1, 2, 3""",
            since,
        )
