"""Are the books right? What can be worked out anew is worked out anew, and somebody hears when it differs."""

import logging
import time

from prometheus_client import Gauge

from app import clock, db
from app.auth import Viewer, require_admin
from app.events import publish
from referrals.attribution.audit import check_attributions
from referrals.books.events import BooksDrifted, CheckAsked
from referrals.books.projections import check_cases, check_counts
from referrals.campaigns.escrow import check_escrow
from referrals.commissions.audit import check_commissions
from referrals.credit.audit import check_credit_lots, check_credit_uses
from referrals.ledger.audit import check_balances, check_entries
from referrals.payouts.audit import check_payouts

log = logging.getLogger(__name__)
MOST_KEPT = 200
LONGEST_SECONDS = 900
"""For one statement of a check."""
CHECKS = (
    check_balances,
    check_commissions,
    check_attributions,
    check_payouts,
    check_cases,
    check_counts,
    check_credit_uses,
    check_credit_lots,
    check_escrow,
)

errors_found = Gauge("grapevine_ledger_errors", "What the last check of the books found wrong, in this process")
last_checked = Gauge("grapevine_ledger_checked_timestamp_seconds", "When this process last checked the books")


async def verify() -> tuple[int, list[str]]:
    """How many entries there are, and everything that does not hold: entries and chain, balances, commissions against
    the orders' facts, their trails and buckets, decisions made once more, payouts, cases, clicks counted, credit, fees
    in escrow."""
    # What looks at all commissions goes in batches; the sums over whole tables get the time they need.
    with db.patiently(LONGEST_SECONDS):
        entries, errors = await check_entries()
        for check in CHECKS:
            errors += await check()
    return entries, errors


async def check_books(asked_by: int | None = None) -> list[str]:
    """Verify, keep the outcome, and tell the admins when something drifted; what is wrong."""
    started = time.perf_counter()
    entries, errors = await verify()
    errors_found.set(len(errors))
    last_checked.set(clock.now().timestamp())
    for error in errors[:MOST_KEPT]:
        log.error("the books drifted: %s", error)
    async with db.transaction():
        check_id = await db.fetch_val(
            """INSERT INTO books_check (entries, errors, took_ms, asked_by, at)
               VALUES ($1, $2::jsonb, $3, $4, $5) RETURNING id""",
            entries,
            errors[:MOST_KEPT],
            round((time.perf_counter() - started) * 1000),
            asked_by,
            clock.now(),
        )
        if errors:
            await publish(BooksDrifted(check_id=check_id, errors=len(errors), first=errors[0][:300]))
    return errors


async def ask_for_check(viewer: Viewer) -> None:
    """The worker checks: a large ledger takes longer than a page may."""
    member_id = require_admin(viewer)
    async with db.transaction():
        await publish(CheckAsked(member_id=member_id), actor_id=member_id)
