"""What each share of each order line should earn as the facts stand now. Reads only; `service.settle` posts."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from app.money import share_of
from referrals.attribution.shares import SHARER, WHOLE, Share, shares_of
from referrals.commissions.facts import buyer_of, item_of, lines_in_full, rules_for, seller_in
from referrals.commissions.limits import spent_budgets
from referrals.commissions.reckoning import (
    PLAIN,
    Buyer,
    How,
    Reckoned,
    amount_of,
    half_even,
    reckon,
    refusal_of_buyer,
    standing_amount,
)
from referrals.partners.queries import Recruited, recruiters_of
from referrals.programs.terms import Terms, terms_of

RECRUITER = "recruiter"
NO_BUDGET = "budget_spent"


class Due(msgspec.Struct, frozen=True):
    """`granted` is what the line earns with nothing given back, `target` what it earns now; minor units, before limits.

    `left` over `whole` is the part of it that is left, for a grant that a limit has cut.
    """

    line_id: int
    member_id: int
    role: str
    base: int
    rate_bps: int
    granted: int
    target: int
    rule: str = ""
    how: How | None = None
    left: int = 1
    whole: int = 1

    def cut_to(self, granted: int) -> int:
        """What stands of a smaller grant: its part of what is left, never more than the grant."""
        return min(granted, half_even(granted * self.left, self.whole)) if self.whole else 0


async def dues_of(
    order: asyncpg.Record,
    decision: asyncpg.Record,
    lines: list[asyncpg.Record],
    commissions: list[asyncpg.Record],
) -> list[Due]:
    """One for each line and share that can earn. What a commission was first granted by stays its own for ever."""
    shares = shares_of(decision)
    if not shares:
        return []
    winner_id = decision["winner_id"]
    rules = await rules_for(decision["program_version_id"], winner_id, moment_of(order))
    terms = terms_of(rules)
    if is_plain(terms, rules["agreed_bps"], commissions):
        return plain_dues(lines, commissions, shares, rules["rate_bps"], nothing_counts=nothing_counts_on(order))
    full = await lines_in_full(order["id"])
    buyer = Buyer() if terms.pays_for == "every_order" else await buyer_of(order)
    spent = await spent_budgets(rules["program_id"], terms)
    asked = [] if terms.recruiting is None else [who_recruited(order, rules, terms, winner_id)]
    (recruiter,) = await recruiters_of(asked) or [None]
    return dues_by_terms(order, winner_id, shares, lines, commissions, full, rules, terms, buyer, recruiter, spent)


def moment_of(order: asyncpg.Record) -> datetime:
    """When an order was bought: what was agreed then counts."""
    at: datetime = order["placed_at"] or order["paid_at"] or order["created_at"]
    return at


def nothing_counts_on(order: asyncpg.Record) -> bool:
    return bool(order["cancelled_at"] or order["doubt"])


def is_plain(terms: Terms, agreed_bps: int | None, commissions: Sequence[asyncpg.Record]) -> bool:
    """Whether one rate is all there is to reckon with."""
    return terms == Terms() and agreed_bps is None and not any(c["how"] for c in commissions)


def dues_by_terms(
    order: asyncpg.Record,
    winner_id: int,
    shares: list[Share],
    lines: list[asyncpg.Record],
    commissions: list[asyncpg.Record],
    full: dict[int, asyncpg.Record],
    rules: asyncpg.Record,
    terms: Terms,
    buyer: Buyer,
    recruiter: int | None,
    spent: frozenset[str],
) -> list[Due]:
    """What the shares earn by terms, and whoever recruited the winner. Pure: every fact is given, so one order and a
    hundred come to the same."""
    at = moment_of(order)
    may_not = nothing_counts_on(order) or bool(refusal_of_buyer(terms, buyer, at))
    reckoned = _reckon_all(order, full, rules, terms, buyer, at, _frozen(commissions, winner_id), spent)
    dues = []
    for line in lines:
        row, found = full[line["id"]], reckoned[line["id"]]
        net = 0 if may_not else max(0, line["base"] - line["refunded"])
        units = row["quantity"] - row["units_back"]
        now = standing_amount(found.how, line["base"], net, units, row["loose"])
        parts = zip(shares, _in_parts(found.amount, shares), _in_parts(now, shares), strict=True)
        left, whole = (net, line["base"]) if found.how.kind == "percent" else (now, found.amount)
        for share, part, rest in parts:
            how = msgspec.structs.replace(found.how, winner_id=winner_id, asked=part)
            rule = found.refused if found.refused == NO_BUDGET else found.rule
            dues.append(
                Due(
                    line["id"],
                    share.member_id,
                    share.role,
                    line["base"],
                    how.rate_bps if how.kind == "percent" else 0,
                    part,
                    rest,
                    rule,
                    how,
                    left,
                    whole,
                )
            )
    return dues + _for_the_recruiter(recruiter, terms, winner_id, dues, commissions)


def _reckon_all(
    order: asyncpg.Record,
    full: dict[int, asyncpg.Record],
    rules: asyncpg.Record,
    terms: Terms,
    buyer: Buyer,
    at: datetime,
    frozen: dict[int, tuple[str, How]],
    spent: frozenset[str],
) -> dict[int, Reckoned]:
    """Each line by the calculation it was first granted by, or, for the first time, by the rules."""
    found = {}
    for line_id, row in full.items():
        if line_id in frozen:
            rule, how = frozen[line_id]
            amount, refused = amount_of(how, item_of(row).base), rule if rule == NO_BUDGET else ""
            found[line_id] = Reckoned(item_of(row), amount, rule, how, refused)
        else:
            found[line_id] = reckon(
                item_of(row),
                terms,
                rules["rate_bps"],
                seller=seller_in(rules),
                buyer=buyer,
                codes=order["codes"] or [],
                at=at,
                currency=order["currency"],
                spent=spent,
            )
    return found


def _frozen(commissions: Sequence[asyncpg.Record], winner_id: int) -> dict[int, tuple[str, How]]:
    """By line, the rule and calculation that its commissions have, as far as they were granted to the same winner."""
    found = {}
    for one in commissions:
        how = msgspec.convert(one["how"], How) if one["how"] else How(rate_bps=one["rate_bps"], winner_id=winner_id)
        if how.winner_id == winner_id and one["role"] != RECRUITER:
            found[one["order_line_id"]] = (one["rule"] or PLAIN, how)
    return found


def who_recruited(order: asyncpg.Record, rules: asyncpg.Record, terms: Terms, winner_id: int) -> Recruited:
    """What is to be asked about an order's winner."""
    months = terms.recruiting.months if terms.recruiting else 0
    return rules["program_id"], winner_id, months, order["created_at"], order["buyer_id"]


def _for_the_recruiter(
    found: int | None, terms: Terms, winner_id: int, dues: list[Due], commissions: Sequence[asyncpg.Record]
) -> list[Due]:
    """A share of what the winner earns on each line, for whoever brought them; it comes out of no one's part."""
    known = {
        c["order_line_id"]: (c["member_id"], c["rate_bps"])
        for c in commissions
        if c["role"] == RECRUITER and c["how"].get("winner_id") == winner_id
    }
    bonuses = []
    for due in dues:
        recruiter, bps = known.get(due.line_id, (found, terms.recruiting.share_bps if terms.recruiting else 0))
        if recruiter is None or due.member_id != winner_id or due.role != SHARER or bps == 0:
            continue
        granted, target = share_of(due.granted, bps), share_of(due.target, bps)
        budget, wait = (due.how.budget, due.how.wait) if due.how else ("", None)
        how = How(rate_bps=bps, winner_id=winner_id, asked=granted, budget=budget, wait=wait)
        bonuses.append(
            Due(due.line_id, recruiter, RECRUITER, due.base, bps, granted, target, RECRUITER, how, due.left, due.whole)
        )
    return bonuses


def plain_dues(
    lines: list[asyncpg.Record],
    commissions: list[asyncpg.Record],
    shares: list[Share],
    plain_bps: int,
    *,
    nothing_counts: bool,
) -> list[Due]:
    frozen = {c["order_line_id"]: c["rate_bps"] for c in commissions}
    dues = []
    for line in lines:
        rate = frozen.get(line["id"], plain_bps)
        net = 0 if nothing_counts else max(0, line["base"] - line["refunded"])
        parts = zip(shares, divide(line["base"], rate, shares), divide(net, rate, shares), strict=True)
        for share, part, rest in parts:
            dues.append(Due(line["id"], share.member_id, share.role, line["base"], rate, part, rest))
    return dues


def divide(amount: int, rate_bps: int, shares: list[Share]) -> list[int]:
    """The commission on an amount in the parts of the shares, so that they sum to it exactly."""
    return _in_parts(share_of(amount, rate_bps), shares)


def _in_parts(whole: int, shares: list[Share]) -> list[int]:
    """By largest remainder; the earlier share gets the odd unit when remainders are equal."""
    parts = [whole * share.bps // WHOLE for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda n: (-(whole * shares[n].bps % WHOLE), n))
    for n in by_remainder[: whole - sum(parts)]:
        parts[n] += 1
    return parts
