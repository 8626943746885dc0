"""One commission on a page of its own: where it came from, how much, by which rules, each step and entry."""

import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.i18n import gettext as _
from app.money import Money, percent
from referrals.commissions.causes import Cause, causes_of
from referrals.commissions.hold_time import wait_in
from referrals.commissions.queries import commissions_of
from referrals.commissions.reasons import reason_words
from referrals.commissions.volume import VOLUME, sold_in_month
from referrals.earn.schemas import CommissionWhy, FactView, StepView
from referrals.earn.why import commission_view, entry_view
from referrals.ledger.queries import entries_for

LARGEST_ID = 2**63 - 1


async def access_commission(viewer: Viewer, given: str) -> asyncpg.Record:
    """A commission of this member's own, or NotFound."""
    member_id = require_member(viewer, "read")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0
    found = await commissions_of(member_id, commission_id=min(number, LARGEST_ID), limit=1)
    if not found.items:
        raise NotFound(_("There is no such commission among yours."))
    return found.items[0]


async def explain_commission(viewer: Viewer, given: str) -> CommissionWhy:
    row = await access_commission(viewer, given)
    cause = (await causes_of([row["id"]])).get(row["id"])
    view = commission_view(row, cause)
    wait = wait_in(row["how"])
    risk, hold = row["risk_hold_until"], row["hold_until"]
    return CommissionWhy(
        id=view.id,
        store=row["store_name"],
        store_slug=row["store_slug"],
        cause=view.cause,
        title=view.title,
        words=view.words,
        order=view.order,
        order_why_url=view.why_url if view.order else "",
        url=cause.url if cause else "",
        link=cause.link if cause else row["code"] or "",
        amount=view.amount,
        granted=view.granted,
        state=view.state,
        created_at=row["created_at"].isoformat(),
        hold_until=(max(hold, risk) if risk else hold).isoformat(),
        rule=view.rule,
        rules_version=row["rules_version"],
        hold_days=wait.days if wait else row["hold_days"],
        hold=view.hold,
        facts=await _facts(row, cause),
        steps=await _steps(row["id"]),
        entries=[entry_view(entry) for entry in await entries_for("commission", [row["id"]], viewer.member_id or 0)],
    )


async def _facts(row: asyncpg.Record, cause: Cause | None) -> list[FactView]:
    """What the amount was worked out from."""
    facts, currency = [], row["currency"]
    asked = (row["how"] or {}).get("asked", row["base"])
    if cause and cause.kind == VOLUME:
        sold, plain_bps = await sold_in_month(row["source"], row["version_id"])
        facts.append(FactView("sold", _("Your sales of the month, after refunds"), Money(sold, currency)))
        facts.append(FactView("plain_rate", _("Plain rate, paid with each order"), words=percent(plain_bps)))
    elif cause and row["granted"] < asked:
        facts.append(FactView("asked", _("The rules pay"), Money(asked, currency)))
        facts.append(FactView("granted", _("A limit of the programme left"), Money(row["granted"], currency)))
    return facts


async def _steps(commission_id: int) -> list[StepView]:
    rows = await db.fetch(
        "SELECT at, from_state, to_state, reason FROM commission_event WHERE commission_id = $1 ORDER BY seq LIMIT 200",
        commission_id,
    )
    return [
        StepView(row["at"].isoformat(), row["from_state"], row["to_state"], row["reason"], reason_words(row["reason"]))
        for row in rows
    ]
