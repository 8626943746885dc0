"""The check of what was earned without an order: it stands at what was granted, or was taken back whole; and a
month's volume adds what its sales ask for."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from app import db
from referrals.commissions.volume import sold_in
from referrals.programs.terms import Terms, terms_of

_REWARDS = """
SELECT c.id, c.source, c.member_id, c.granted, c.reserved, c.state, c.currency, c.how, v.terms, v.rate_bps AS plain_bps,
       v.program_id, v.published_at, c.created_at, coalesce(p.amount, 0)::bigint AS standing
  FROM commission c JOIN program_version v ON v.id = c.program_version_id
  LEFT JOIN LATERAL (
       SELECT sum(e.amount) AS amount FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
         JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
        WHERE t.ref_type = 'commission' AND t.ref_id = c.id) p ON true
 WHERE c.source IS NOT NULL ORDER BY c.id
"""


async def check_rewards() -> list[str]:
    errors = []
    for row in await db.fetch(_REWARDS):
        wanted = await _wanted(row)
        if row["reserved"] is not None and row["standing"] != row["reserved"]:
            errors.append(f"commission {row['id']} stands at {row['standing']}, but its limits know {row['reserved']}")
        if row["standing"] not in wanted and not (row["reserved"] is not None and row["standing"] < max(wanted)):
            said = " or ".join(str(one) for one in wanted)
            errors.append(f"commission {row['id']} ({row['source']}) stands at {row['standing']}; it should be {said}")
    return errors


async def _wanted(row: Any) -> tuple[int, ...]:
    if row["state"] == "rejected":
        return (0,)
    kind, _colon, rest = row["source"].partition(":")
    terms = terms_of(row)
    if kind == "volume":
        _program, _member, month, currency = rest.split(":")
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        sold = await sold_in(row["program_id"], row["member_id"], currency, start)
        return (_addition(terms, row["plain_bps"], sold),)
    if kind == "activation" and row["how"].get("asked") != terms.activation:
        return (0,)
    return (row["granted"],) if row["state"] != "reversed" else (0,)


def _addition(terms: Terms, plain_bps: int, sold: int) -> int:
    """With exact fractions, step by step of what was sold."""
    if terms.volume is None:
        return 0
    steps = [(step.above, step.rate_bps) for step in terms.volume.steps]
    if terms.volume.mode == "retroactive":
        rate = max([plain_bps, *([r for above, r in steps if above <= sold][-1:])])
        return round(Fraction(sold * (rate - plain_bps), 10_000))
    ends = [above for above, _rate in steps[1:]] + [max(sold, steps[-1][0])]
    parts = [
        Fraction(max(0, min(sold, end) - above) * max(0, rate - plain_bps), 10_000)
        for (above, rate), end in zip(steps, ends, strict=True)
    ]
    return round(sum(parts, Fraction(0)))
