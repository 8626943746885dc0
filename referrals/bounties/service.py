"""Bounties: a store offers an amount for a piece of work, a member hands in where it can be seen, a person looks."""

from datetime import UTC, datetime, time

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.money import check_currency
from app.text import clean
from referrals.bounties import queries
from referrals.bounties.events import BountyDecided
from referrals.bounties.schemas import NewBounty, NewSubmission, Verdict
from referrals.commissions.rewards import grant
from referrals.programs.editor import as_amount
from referrals.programs.queries import newest, program_of
from storefront.catalog.service import checked_url
from storefront.stores.policy import access_own_store


async def offer(viewer: Viewer, store_slug: str, new: NewBounty) -> int:
    store = await access_own_store(viewer, store_slug)
    program = await program_of(store["id"])
    if program is None:
        raise NotFound(_("This store has no programme yet."))
    currency = check_currency(new.currency.strip().upper())
    amount = as_amount(new.amount, currency, "amount")
    if amount == 0:
        raise Invalid("amount", _("Say what it pays."))
    if not 1 <= new.most_awards <= 10_000:
        raise Invalid("most_awards", _("It is paid 1 to 10,000 times."))
    bounty_id: int = await db.fetch_val(
        """INSERT INTO bounty (program_id, title, brief, amount, currency, most_awards, closes_at, by_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id""",
        program["id"],
        clean(new.title, "title", least=3, most=120),
        clean(new.brief, "brief", least=10, most=4000, lines=True),
        amount,
        currency,
        new.most_awards,
        _end_of(new.closes_on),
        require_member(viewer),
        clock.now(),
    )
    return bounty_id


async def hand_in(viewer: Viewer, bounty_id: int, new: NewSubmission) -> None:
    """Once a member; what was declined may be handed in again, better."""
    member_id = require_member(viewer)
    await limit("bounty", member_id, most=30, per=3600)
    bounty = await queries.bounty(bounty_id)
    if bounty is None:
        raise NotFound()
    if bounty["closes_at"] <= clock.now() or bounty["awarded"] >= bounty["most_awards"]:
        raise Gone(_("This bounty is closed."))
    values = (
        checked_url(new.proof_url, "proof_url"),
        clean(new.note, "note", most=1000, lines=True),
        min(max(new.reach, 0), 2_000_000_000),
    )
    taken = await db.fetch_val(
        """INSERT INTO bounty_submission AS x (bounty_id, member_id, proof_url, note, reach, state, created_at)
           VALUES ($1, $2, $3, $4, $5, 'waiting', $6)
           ON CONFLICT (bounty_id, member_id) DO UPDATE
              SET proof_url = excluded.proof_url, note = excluded.note, reach = excluded.reach, state = 'waiting'
            WHERE x.state = 'declined' RETURNING id""",
        bounty_id,
        member_id,
        *values,
        clock.now(),
    )
    if taken is None:
        # Otherwise one thing could be looked at and another one be there when it is approved.
        raise Conflict(_("What you handed in is being looked at, or was approved."))


async def decide(viewer: Viewer, store_slug: str, submission_id: int, verdict: Verdict) -> None:
    """Approve, which pays, or decline with a reason. Nobody decides on their own work."""
    store = await access_own_store(viewer, store_slug)
    actor_id = require_member(viewer)
    reason = clean(verdict.reason, "reason", most=500, lines=True)
    if verdict.verdict not in ("approved", "declined"):
        raise Invalid("verdict", _("Approve it or decline it."))
    if verdict.verdict == "declined" and not reason:
        raise Invalid("reason", _("Say why, so that they can do better."))
    async with db.transaction():
        row = await db.fetch_one(
            """SELECT x.*, b.amount, b.currency, b.most_awards, b.program_id
                 FROM bounty_submission x JOIN bounty b ON b.id = x.bounty_id JOIN program p ON p.id = b.program_id
                WHERE x.id = $1 AND p.store_id = $2 FOR UPDATE OF b, x""",
            submission_id,
            store["id"],
        )
        if row is None:
            raise NotFound()
        if row["member_id"] == actor_id:
            raise Forbidden(_("Somebody else must look at your own work."))
        if row["state"] == "approved":
            raise Conflict(_("It was approved already."))
        commission_id = None
        if verdict.verdict == "approved":
            # The bounty's row is locked: two approvals at once cannot pay the last award twice.
            awarded = await db.fetch_val(
                "SELECT count(*) FROM bounty_submission WHERE bounty_id = $1 AND state = 'approved'", row["bounty_id"]
            )
            if awarded >= row["most_awards"]:
                raise Conflict(_("All awards of this bounty are given."))
            rules = await newest(row["program_id"])
            assert rules is not None
            commission_id = await grant(
                f"bounty:{submission_id}",
                rules,
                member_id=row["member_id"],
                role="author",
                rule="bounty",
                amount=row["amount"],
                currency=row["currency"],
                reason="bounty",
            )
        await db.execute(
            """UPDATE bounty_submission SET state = $2, reason = $3, decided_by_id = $4, decided_at = $5,
                      commission_id = $6
                WHERE id = $1""",
            submission_id,
            verdict.verdict,
            reason,
            actor_id,
            clock.now(),
            commission_id,
        )
        await publish(BountyDecided(submission_id=submission_id, member_id=row["member_id"]), actor_id=actor_id)


def _end_of(day: str) -> datetime:
    try:
        end = datetime.combine(datetime.fromisoformat(day.strip()).date(), time(23, 59, 59), UTC)
    except ValueError as error:
        raise Invalid("closes_on", _("“%(value)s” is not a day; write 2026-11-30.", value=day[:30])) from error
    if end <= clock.now():
        raise Invalid("closes_on", _("A day to come, please."))
    return end
