"""Many orders settled in one transaction, with a number of queries that does not grow with them.

It does what `service.settle` does, by the same functions, in the order of their ids, so that it comes to what one after
the other would. Two go alone: one before whose turn a budget moved so that it is paid otherwise (BudgetMoved), and one
that was decided on under rules that are no longer found for it. A worker that is told of many orders at once gathers
them (`soon`): what costs is not the arithmetic but going back and forth, the commit, and the chain of the books, which
one transaction holds at a time.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.events import publish_all
from referrals.attribution.facts import Case, decided, gather
from referrals.attribution.rules import Decision
from referrals.attribution.service import ask_for_second_ones, case_of, says_something_new, use_codes
from referrals.attribution.shares import shares_of
from referrals.commissions import friend, service
from referrals.commissions.dues import (
    Due,
    dues_by_terms,
    is_plain,
    moment_of,
    nothing_counts_on,
    plain_dues,
    who_recruited,
)
from referrals.commissions.events import CommissionEarned
from referrals.commissions.facts import buyers_of, lines_in_full_of, rules_for_all
from referrals.commissions.hold_time import hold_end, reschedule_all
from referrals.commissions.limits import budgets_named
from referrals.commissions.postings import Step, bring_all, note_steps
from referrals.commissions.queries import rules_in_force
from referrals.commissions.reckoning import Buyer
from referrals.commissions.recruiting import note_recruiters
from referrals.commissions.standing import NOTHING_POSTED, commissions_of_orders, lines_of_orders
from referrals.commissions.within import Asking, BudgetMoved, key_of, key_of_due, missing, within_limits
from referrals.partners.queries import recruiters_of
from referrals.programs.terms import terms_of


async def settle_all(order_ids: Sequence[int]) -> None:
    """Bring the books to what these orders' facts ask for."""
    ids = sorted(set(order_ids))
    if not ids:
        return
    if len(ids) == 1:
        return await service.settle(ids[0])
    try:
        async with db.transaction(), db.savepoint():
            alone = await _settle_together(ids)
    except BudgetMoved as moved:
        # Nothing of it stands. Up to there together, that one by what the budget is then, and on.
        await settle_all([one for one in ids if one < moved.order_id])
        await service.settle(moved.order_id)
        return await settle_all([one for one in ids if one > moved.order_id])
    for order_id in alone:
        await service.settle(order_id)


async def _settle_together(order_ids: Sequence[int]) -> list[int]:
    """Settle these; those left that have to go alone."""
    orders = await _lock(order_ids)
    rules = await rules_in_force(list(orders))
    cases = [case_of(orders[one], rules[one]) for one in sorted(rules)]
    if cases:
        await gather(cases)
    await ask_for_second_ones(cases)
    await use_codes(cases)
    decisions = await _decide(cases, rules)
    await _bring([case for case in cases if case.id in decisions], decisions, rules)
    return await _decided_before([one for one in orders if one not in rules])


async def _decided_before(order_ids: Sequence[int]) -> list[int]:
    """Of orders that came before there was a programme, those that somebody was credited with all the same."""
    found = "SELECT DISTINCT order_id FROM attribution WHERE order_id = ANY($1::bigint[]) ORDER BY order_id"
    rows = await db.fetch(found, order_ids) if order_ids else []
    return [row["order_id"] for row in rows]


async def _lock(order_ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """The paid ones of these orders with their buyers, locked in the order everybody locks them."""
    rows = await db.fetch(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id
            WHERE o.id = ANY($1::bigint[]) ORDER BY o.id FOR UPDATE OF o""",
        order_ids,
    )
    return {row["id"]: row for row in rows if row["paid_at"] is not None}


async def _decide(cases: Sequence[Case], rules: dict[int, asyncpg.Record]) -> dict[int, Any]:
    """The decision in force on each order, those that say something new written down; nothing for the others."""
    inforce: dict[int, Any] = {case.id: case.current for case in cases if case.current is not None}
    fresh = [(case, found) for case in cases if says_something_new(found := decided(case), case.current)]
    if not fresh:
        return inforce
    rows = await db.fetch(
        """INSERT INTO attribution (order_id, version, program_version_id, winner_id, link_id, click_id, rule,
                                    candidates, shares, decided_at)
           SELECT t.order_id, t.version, t.rules_id, t.winner_id, t.link_id, t.click_id, t.rule, t.candidates::jsonb,
                  t.shares::jsonb, $10
             FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[],
                         $8::text[], $9::text[])
                  AS t (order_id, version, rules_id, winner_id, link_id, click_id, rule, candidates, shares)
           RETURNING *""",
        *_columns([_decision_row(case, found, rules[case.id]["id"]) for case, found in fresh], 9),
        clock.now(),
    )
    return inforce | {row["order_id"]: row for row in rows}


def _decision_row(case: Case, found: Decision, rules_id: int) -> tuple[Any, ...]:
    winner = found.winner
    return (
        case.id,
        (case.current["version"] if case.current else 0) + 1,
        rules_id,
        winner.member_id if winner else None,
        winner.link_id if winner else None,
        winner.click_id if winner else None,
        found.rule,
        msgspec.json.encode(found.candidates).decode(),
        msgspec.json.encode(found.shares).decode(),
    )


async def _bring(cases: Sequence[Case], decisions: dict[int, Any], rules: dict[int, asyncpg.Record]) -> None:
    """Open what is missing, and post what differs."""
    ids = [case.id for case in cases]
    await friend.lock_buyers([(case.order, rules[case.id]) for case in cases])
    await note_recruiters([(decisions[case.id]["winner_id"], rules[case.id]) for case in cases])
    lines: dict[int, list[asyncpg.Record]] = defaultdict(list)
    commissions: dict[int, list[Any]] = defaultdict(list)
    for line in await lines_of_orders(ids):
        lines[line["order_id"]].append(line)
    # An order that was never decided on has none.
    for one in await commissions_of_orders([case.id for case in cases if case.current is not None]):
        commissions[one["order_id"]].append(one)
    asking = await _asking_of(cases, decisions, lines, commissions, rules)
    dues = {one.order_id: one.dues for one in asking}
    opened = await _open_missing(cases, decisions, rules, dues, commissions)
    for one in opened:
        commissions[one["order_id"]].append(one)
    within = await within_limits(asking, {one["id"] for one in opened})
    await _tell_earned(opened)
    await reschedule_all([(case.order, commissions[case.id], rules[case.id]) for case in cases])
    wanted = []
    for case in cases:
        targets = {key_of_due(due): due.target for due in dues[case.id]}
        by_id = {line["id"]: line for line in lines[case.id]}
        for one in commissions[case.id]:
            target = within[one["id"]] if one["id"] in within else targets.get(key_of(one))
            reason = service.reason_for(case.order, one, target, by_id[one["order_line_id"]])
            wanted.append((one, target or 0, reason))
    await bring_all(wanted)
    await friend.bring_all([(case.order, decisions[case.id], rules[case.id], lines[case.id]) for case in cases])


async def _asking_of(
    cases: Sequence[Case],
    decisions: dict[int, Any],
    lines: dict[int, list[asyncpg.Record]],
    commissions: dict[int, list[Any]],
    rules: dict[int, asyncpg.Record],
) -> list[Asking]:
    """What each order's shares should earn, by the same functions as for one order, as the budgets are now."""
    won = [case for case in cases if shares_of(decisions[case.id])]
    asked = [
        (decisions[case.id]["program_version_id"], decisions[case.id]["winner_id"], moment_of(case.order))
        for case in won
    ]
    sellers = {case.id: row for case, row in zip(won, await rules_for_all(asked), strict=True)} if won else {}
    plain = {
        case.id
        for case in won
        if is_plain(terms_of(sellers[case.id]), sellers[case.id]["agreed_bps"], commissions[case.id])
    }
    others = [case.id for case in won if case.id not in plain]
    full = await lines_in_full_of(others) if others else {}
    buyers = await buyers_of([case.order for case in won if terms_of(sellers[case.id]).pays_for != "every_order"])
    recruiters = await _recruiters_of(won, decisions, sellers)
    budgets = await budgets_named([(row["program_id"], terms_of(row)) for row in sellers.values()])
    named = dict(zip(sellers, budgets, strict=True))
    asking = []
    for case in cases:
        one = Asking(case.order, rules[case.id]["program_id"], terms_of(rules[case.id]), commissions[case.id])
        if case.id in plain:
            counts = {"nothing_counts": nothing_counts_on(case.order)}
            shares, rate = shares_of(decisions[case.id]), sellers[case.id]["rate_bps"]
            one.dues = plain_dues(lines[case.id], commissions[case.id], shares, rate, **counts)
        elif case.id in sellers:
            one.budgets = named[case.id]
            one.reckon = partial(
                dues_by_terms,
                case.order,
                decisions[case.id]["winner_id"],
                shares_of(decisions[case.id]),
                lines[case.id],
                [*commissions[case.id]],  # as they are now: those that are about to be opened freeze nothing
                full.get(case.id, {}),
                sellers[case.id],
                terms_of(sellers[case.id]),
                buyers.get(case.id, Buyer()),
                recruiters.get(case.id),
            )
            one.dues = one.reckon(one.budgets.spent)
        asking.append(one)
    return asking


async def _recruiters_of(
    cases: Sequence[Case], decisions: dict[int, Any], sellers: dict[int, asyncpg.Record]
) -> dict[int, int | None]:
    asked = {
        case.id: who_recruited(case.order, sellers[case.id], terms, decisions[case.id]["winner_id"])
        for case in cases
        if (terms := terms_of(sellers[case.id])).recruiting is not None
    }
    return dict(zip(asked, await recruiters_of(list(asked.values())), strict=True))


async def _open_missing(
    cases: Sequence[Case],
    decisions: dict[int, Any],
    rules: dict[int, asyncpg.Record],
    dues: dict[int, list[Due]],
    commissions: dict[int, list[Any]],
) -> list[dict[str, Any]]:
    """A commission for each line and share that earns and has none yet, as `standing` would show it."""
    fresh = [(case, due) for case in cases for due in missing(dues[case.id], commissions[case.id])]
    if not fresh:
        return []
    now = clock.now()
    rows = await db.fetch(
        """INSERT INTO commission (order_id, order_line_id, member_id, role, attribution_id, program_version_id,
                                   base, rate_bps, granted, rule, how, currency, state, hold_until, created_at)
           SELECT t.order_id, t.line_id, t.member_id, t.role, t.attribution_id, t.rules_id, t.base, t.rate_bps,
                  t.granted, t.rule, t.how::jsonb, t.currency, 'pending', t.hold_until, $14
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::int[], $9::bigint[], $10::text[], $11::text[], $12::text[],
                         $13::timestamptz[])
                  AS t (order_id, line_id, member_id, role, attribution_id, rules_id, base, rate_bps, granted, rule,
                        how, currency, hold_until)
           RETURNING *""",
        *_columns([_commission_row(case, due, decisions[case.id], rules[case.id]) for case, due in fresh], 13),
        now,
    )
    await note_steps([Step(row["id"], "", "pending", "order_paid") for row in rows])
    stores = {case.id: case.order["store_id"] for case in cases}
    return [{**row, "store_id": stores[row["order_id"]], **NOTHING_POSTED} for row in rows]


async def _tell_earned(opened: Sequence[dict[str, Any]]) -> None:
    await publish_all(
        [
            CommissionEarned(commission_id=one["id"], member_id=one["member_id"], order_id=one["order_id"])
            for one in opened
            if one["granted"]
        ]
    )


def _commission_row(case: Case, due: Due, decision: Any, rules: asyncpg.Record) -> tuple[Any, ...]:
    return (
        case.id,
        due.line_id,
        due.member_id,
        due.role,
        decision["id"],
        decision["program_version_id"],
        due.base,
        due.rate_bps,
        due.granted,
        due.rule,
        msgspec.json.encode(due.how or {}).decode(),
        case.order["currency"],
        hold_end(case.order, rules, due.how.wait if due.how else None),
    )


def _columns(rows: Sequence[tuple[Any, ...]], many: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(many)]
