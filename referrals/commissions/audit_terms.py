"""The check of what more than a plain rate pays: shares, rules, limits, recruiters, the buyer's side. Worked out from
the facts and the frozen calculation with exact fractions, apart from the code that posts."""

from fractions import Fraction
from typing import Any

import asyncpg

from app import db
from referrals.attribution.shares import WHOLE, shares_of
from referrals.commissions import queries
from referrals.commissions.audit_rewards import check_rewards
from referrals.commissions.dues import NO_BUDGET, RECRUITER, dues_of, who_recruited
from referrals.commissions.facts import LOOSE, UNITS_BACK, buyer_of
from referrals.commissions.reckoning import refusal_of_buyer
from referrals.commissions.standing import given_back
from referrals.partners.queries import recruiters_of
from referrals.programs.terms import terms_of

# Orders looked at in one statement.
BATCH = 1_000

_LINES = f"""
SELECT c.id, c.order_id, c.order_line_id, c.member_id, c.role, c.base, c.rate_bps, c.granted, c.reserved, c.state,
       c.how, c.rule, c.currency, l.gross, l.discount, l.quantity, o.cancelled_at, o.doubt, o.customer_id, o.store_id,
       o.paid_at, o.placed_at, o.created_at, v.terms, v.program_id, v.rate_bps AS plain_bps,
       (SELECT b.member_id FROM customer b WHERE b.id = o.customer_id) AS buyer_id, d.winner_id, d.shares,
       at.shares AS first_shares, at.winner_id AS first_winner_id,
       ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")})::bigint AS back,
       {UNITS_BACK} AS units_back, {LOOSE} AS loose, coalesce(p.amount, 0)::bigint AS standing, p.times,
       (SELECT max(r.rate_bps) FROM rate_override r WHERE r.program_id = v.program_id
           AND r.member_id = at.winner_id) AS agreed_most
  FROM commission c
  JOIN order_line l ON l.id = c.order_line_id
  JOIN orders o ON o.id = c.order_id
  JOIN attribution at ON at.id = c.attribution_id
  JOIN program_version v ON v.id = c.program_version_id
  JOIN LATERAL (SELECT * FROM attribution WHERE order_id = c.order_id ORDER BY version DESC LIMIT 1) d ON true
  LEFT JOIN LATERAL (
       SELECT sum(e.amount) AS amount, count(DISTINCT t.id) AS times
         FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
         JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
        WHERE t.ref_type = 'commission' AND t.ref_id = c.id) p ON true
 WHERE NOT (c.how = '{{}}' AND coalesce(d.shares, '[]') IN ('[]', '{{}}')) AND o.id > $1 AND o.id <= $2
 ORDER BY c.order_id, (c.role = 'recruiter'), c.id
"""


async def check_terms() -> list[str]:
    errors: list[str] = []
    for stretch in await db.id_ranges("orders", BATCH):
        errors += await _check_lines(await db.fetch(_LINES, *stretch))
    errors += await _check_limits() + await _check_missing() + await _check_friends()
    return errors + await check_rewards()


async def _check_lines(rows: list[asyncpg.Record]) -> list[str]:
    errors: list[str] = []
    standing = {(row["order_line_id"], row["member_id"], row["role"]): row["standing"] for row in rows}
    granted = {(row["order_line_id"], row["member_id"], row["role"]): row["granted"] for row in rows}
    for row in rows:
        name = f"commission {row['id']}"
        how = row["how"] or {"rate_bps": row["rate_bps"], "winner_id": row["winner_id"]}
        if complaint := _unlike_its_rules(row, how, granted):
            errors.append(f"{name} {complaint}")
        wanted = await _wanted(row, how, standing)
        was_cut = row["reserved"] is not None and row["granted"] < how.get("asked", 0)
        if row["reserved"] is not None and row["standing"] != row["reserved"]:
            errors.append(f"{name} stands at {row['standing']}, but its limits know of {row['reserved']}")
        # One that a dispute gave back, or whose price was told higher later, may find its limit used up by others.
        has_grown = max(0, row["gross"] - row["discount"]) > row["base"] or (row["times"] or 0) > 1
        may_lack = row["reserved"] is not None and has_grown and row["standing"] < wanted
        if row["standing"] != wanted and not may_lack:
            errors.append(f"{name} stands at {row['standing']} {row['currency']}; the facts ask for {wanted}")
        if was_cut and row["standing"] > row["granted"]:
            errors.append(f"{name} stands at more than it was granted")
    return errors


async def _wanted(row: asyncpg.Record, how: dict[str, Any], standing: dict[tuple, int]) -> int:
    if row["cancelled_at"] or row["doubt"] or row["state"] == "rejected" or row["winner_id"] is None:
        return 0
    if await _buyer_is_refused(row):
        return 0
    base, most = max(0, row["gross"] - row["discount"]), row["granted"]
    net = max(0, base - row["back"])
    was_cut = row["reserved"] is not None and most < how.get("asked", 0)
    if row["role"] == RECRUITER:
        if how["winner_id"] != row["winner_id"] and not await _brought_the_winner(row):
            return 0
        theirs = standing.get((row["order_line_id"], row["winner_id"], "sharer"), 0)
        found = round(Fraction(theirs * row["rate_bps"], WHOLE))
        return min(found, most) if was_cut else found
    share = next((s for s in shares_of(row) if (s.member_id, s.role) == (row["member_id"], row["role"])), None)
    if share is None or how["winner_id"] != row["winner_id"]:
        return 0
    now, full = _line(how, base, net, row), _line(how, base, base, None)
    part = _part(now, shares_of(row), row["member_id"], row["role"])
    if was_cut:
        if base == 0:  # The price was corrected down to nothing.
            return 0
        left = Fraction(net, base) if how.get("kind", "percent") == "percent" else Fraction(now, full or 1)
        return min(most, round(most * left), part)
    return part


async def _brought_the_winner(row: asyncpg.Record) -> bool:
    """Decided otherwise since: whoever brought the first winner may have brought this one, too."""
    terms = terms_of(row)
    return await recruiters_of([who_recruited(row, row, terms, row["winner_id"])]) == [row["member_id"]]


def _line(how: dict[str, Any], base: int, net: int, row: asyncpg.Record | None) -> int:
    """What a whole line pays; without its row, with nothing given back."""
    if net <= 0:
        return 0
    if how.get("kind", "percent") == "percent":
        return round(Fraction(net * how.get("rate_bps", 0), WHOLE))
    units = how.get("quantity", 1) if row is None else max(0, row["quantity"] - row["units_back"])
    loose = 0 if row is None else row["loose"]
    flat = round(how.get("amount", 0) * units * Fraction(max(0, base - loose), base))
    return min(flat, round(Fraction(net * how.get("most_bps", WHOLE), WHOLE)))


def _part(whole: int, shares: list, member_id: int, role: str) -> int:
    exact = [Fraction(whole * one.bps, WHOLE) for one in shares]
    parts = [int(one) for one in exact]
    order = sorted(range(len(shares)), key=lambda n: (parts[n] - exact[n], n))
    for n in order[: whole - sum(parts)]:
        parts[n] += 1
    return next(p for p, s in zip(parts, shares, strict=True) if (s.member_id, s.role) == (member_id, role))


async def _buyer_is_refused(row: asyncpg.Record) -> bool:
    terms = terms_of(row)
    if terms.pays_for == "every_order":
        return False
    order = {"id": row["order_id"]} | {name: row[name] for name in ("customer_id", "store_id", "paid_at")}
    at = row["placed_at"] or row["paid_at"] or row["created_at"]
    return bool(refusal_of_buyer(terms, await buyer_of(order), at))


def _unlike_its_rules(row: asyncpg.Record, how: dict[str, Any], granted: dict[tuple, int]) -> str:
    """What is frozen on a commission must follow from its version of the rules."""
    if not row["how"]:
        return "" if row["rate_bps"] == row["plain_bps"] else "has another rate than its rules gave it"
    terms = terms_of(row)
    rule = next((one for one in terms.rules if one.name == row["rule"]), None)
    lowered = {one.rate_bps for one in terms.codes}
    if row["rule"] == "plain":
        fits = how.get("rate_bps", 0) <= max([row["plain_bps"], *lowered])
    elif row["rule"] == "override":
        fits = how.get("rate_bps", 0) <= (row["agreed_most"] or 0)
    elif row["rule"] == RECRUITER:
        fits = terms.recruiting is not None and row["rate_bps"] == terms.recruiting.share_bps
    elif row["rule"] == NO_BUDGET:
        fits = row["granted"] == 0
    else:
        fits = rule is not None and how.get("amount", 0) in (0, rule.amount)
        fits = fits and how.get("rate_bps", 0) <= max([rule.rate_bps if rule else 0, *lowered])
    if not fits or (how.get("kind", "percent") == "percent" and row["rate_bps"] != how.get("rate_bps", 0)):
        return "has another rate than its rules gave it"
    if row["rule"] in (RECRUITER, NO_BUDGET):
        return "" if row["granted"] <= how.get("asked", 0) else "was granted more than it asked for"
    first = {"winner_id": row["first_winner_id"], "shares": row["first_shares"]}
    asked = _part(_line(how, row["base"], row["base"], None), shares_of(first), row["member_id"], row["role"])
    if asked != how.get("asked", 0) or row["granted"] > asked or (row["reserved"] is None and row["granted"] != asked):
        return "has another amount than its rules gave it"
    return ""


async def _check_limits() -> list[str]:
    """A limit's `used` is what its commissions have reserved, and never more than it allows."""
    rows = await db.fetch(
        """SELECT l.id, l.kind, l.name, l.used, l.most, coalesce(sum(c.reserved), 0)::bigint AS reserved
             FROM commission_limit l
             LEFT JOIN commission_limit_use u ON u.limit_id = l.id LEFT JOIN commission c ON c.id = u.commission_id
            GROUP BY l.id HAVING l.used <> coalesce(sum(c.reserved), 0) OR l.used > l.most ORDER BY l.id"""
    )
    return [
        f"limit {row['kind']} {row['name']}: {row['used']} of {row['most']} used, {row['reserved']} reserved"
        for row in rows
    ]


async def _check_missing() -> list[str]:
    """Lines under terms that should have earned and have no commission; only lines without any are looked at."""
    errors: list[str] = []
    for stretch in await db.id_ranges("orders", BATCH):
        errors += await _missing_in(stretch)
    return errors


async def _missing_in(stretch: tuple[int, int]) -> list[str]:
    rows = await db.fetch(
        """SELECT DISTINCT l.order_id
             FROM order_line l
             JOIN LATERAL (SELECT * FROM attribution WHERE order_id = l.order_id
                            ORDER BY version DESC LIMIT 1) d ON true
             JOIN program_version v ON v.id = d.program_version_id
            WHERE l.order_id > $1 AND l.order_id <= $2 AND d.winner_id IS NOT NULL AND l.gross > l.discount
              AND (v.terms <> '{}' OR EXISTS (SELECT 1 FROM rate_override r WHERE r.program_id = v.program_id))
              AND NOT EXISTS (SELECT 1 FROM commission c WHERE c.order_line_id = l.id AND c.member_id = d.winner_id)
            ORDER BY l.order_id""",
        *stretch,
    )
    errors = []
    for row in rows:
        order = await queries.order_with_buyer(row["order_id"])
        decision = await db.fetch_one(
            "SELECT * FROM attribution WHERE order_id = $1 ORDER BY version DESC LIMIT 1", row["order_id"]
        )
        assert order is not None and decision is not None
        commissions = await queries.commissions_on(order["id"])
        known = {(one["order_line_id"], one["member_id"], one["role"]) for one in commissions}
        for due in await dues_of(order, decision, await queries.lines_of(order), commissions):
            if due.target and (due.line_id, due.member_id, due.role) not in known:
                errors.append(f"order {order['id']}, line {due.line_id}: nobody was credited for it")
    return errors


async def _check_friends() -> list[str]:
    """What the buyers' credit stands at, from each order's facts."""
    rows = await db.fetch(
        f"""SELECT f.id, f.how, f.currency, o.cancelled_at, o.doubt, d.winner_id, lines.base, lines.net,
                   coalesce(p.amount, 0)::bigint AS standing
              FROM friend_reward f
              JOIN orders o ON o.id = f.order_id
              JOIN LATERAL (SELECT * FROM attribution WHERE order_id = o.id ORDER BY version DESC LIMIT 1) d ON true
              JOIN LATERAL (
                   SELECT sum(greatest(l.gross - l.discount, 0))::bigint AS base,
                          sum(greatest(greatest(l.gross - l.discount, 0)
                              - ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")}),
                              0))::bigint AS net
                     FROM order_line l WHERE l.order_id = o.id) lines ON true
              LEFT JOIN LATERAL (
                   SELECT sum(e.amount) AS amount FROM ledger_transaction t
                     JOIN ledger_entry e ON e.transaction_id = t.id
                     JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'reward_expense'
                    WHERE t.ref_type = 'friend_reward' AND t.ref_id = f.id) p ON true
             ORDER BY f.id"""
    )
    errors = []
    for row in rows:
        how, net = row["how"], 0 if row["cancelled_at"] or row["doubt"] or row["winner_id"] is None else row["net"]
        if how["kind"] == "percent":
            wanted = round(Fraction(net * how.get("rate_bps", 0), WHOLE))
        else:
            wanted = min(net, round(Fraction(how.get("amount", 0) * net, row["base"] or 1)))
        if wanted != row["standing"]:
            errors.append(f"friend's reward {row['id']} stands at {row['standing']}; the facts ask for {wanted}")
    return errors
