"""Many orders settled in one transaction, with a number of queries that does not grow with them.

It does what `service.settle` does, for orders under plain rules; the others it hands over, one by one. A worker that
is told of many orders at once gathers them here: what costs is not the arithmetic but going back and forth, the commit,
and the chain of the books, which one transaction holds at a time.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.events import publish_all
from referrals.attribution.facts import Case, decided, gather
from referrals.attribution.rules import CODES, Decision
from referrals.attribution.service import case_of, says_something_new
from referrals.attribution.shares import shares_of
from referrals.commissions import service
from referrals.commissions.dues import Due, plain_dues
from referrals.commissions.events import CommissionEarned
from referrals.commissions.hold_time import hold_end, reschedule
from referrals.commissions.postings import Step, bring_all, note_steps
from referrals.commissions.standing import NOTHING_POSTED, commissions_of_orders, lines_of_orders
from referrals.programs.terms import Terms, terms_of

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100

_waiting: list[tuple[int, asyncio.Future[None]]] = []
_working: list[asyncio.Task[None]] = []


async def settle_soon(order_id: int) -> None:
    """Settle an order together with those asked for at the same time; done when it is committed."""
    done = asyncio.get_running_loop().create_future()
    _waiting.append((order_id, done))
    if not _working:
        # Whoever comes while one transaction runs goes into the next: nobody waits for company.
        _working.append(asyncio.create_task(_work_off()))
    await done


async def settle_all(order_ids: Sequence[int]) -> None:
    """Bring the books to what these orders' facts ask for."""
    ids = sorted(set(order_ids))
    if len(ids) == 1:
        return await service.settle(ids[0])
    async with db.transaction():
        special = await _settle_plain(ids)
    for order_id in special:
        await service.settle(order_id)


async def _work_off() -> None:
    try:
        while _waiting:
            batch, _waiting[:] = _waiting[:MOST_AT_ONCE], _waiting[MOST_AT_ONCE:]
            await _settle_batch(batch)
    finally:
        # In the same breath in which the list was seen empty: whoever comes next starts anew.
        _working.clear()


async def _settle_batch(batch: Sequence[tuple[int, asyncio.Future[None]]]) -> None:
    try:
        await settle_all([order_id for order_id, _done in batch])
    except Exception as error:
        # One order that fails must not hold up the others.
        if len(batch) > 1:
            log.warning("settling %s orders together failed, so each by itself: %s", len(batch), error)
        await _one_by_one(batch)
    except BaseException:
        # The worker is stopping: whoever waits tries again later, as nothing was committed.
        for _order_id, done in batch:
            done.cancel()
        raise
    for _order_id, done in batch:
        if not done.done():
            done.set_result(None)


async def _one_by_one(batch: Sequence[tuple[int, asyncio.Future[None]]]) -> None:
    for order_id, done in batch:
        try:
            await service.settle(order_id)
        except Exception as error:
            if not done.done():
                done.set_exception(error)


async def _settle_plain(order_ids: Sequence[int]) -> list[int]:
    """Settle those that plain rules are enough for; the others."""
    orders = await _lock(order_ids)
    rules = await _rules_of(list(orders))
    plain = set(rules) - await _that_ask_for_more(list(rules))
    plain = {one for one in plain if terms_of(rules[one]) == Terms()}
    cases = [case_of(orders[one], rules[one]) for one in sorted(plain)]
    if cases:
        await gather(cases)
    # A code is used up by its use, so its order goes alone.
    cases = [case for case in cases if not any(touch.cls in CODES for touch in case.touches)]
    decisions = await _decide(cases, rules)
    agreed = await _with_own_rate(cases, decisions)
    cases = [case for case in cases if case.id in decisions and case.id not in agreed]
    await _bring(cases, decisions, rules)
    undecided = {case.id for case in cases} | {one for one in plain if one not in decisions}
    return sorted((set(orders) - undecided) | agreed)


async def _lock(order_ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """The paid ones of these orders with their buyers, locked in the order everybody locks them."""
    rows = await db.fetch(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id
            WHERE o.id = ANY($1::bigint[]) ORDER BY o.id FOR UPDATE OF o""",
        order_ids,
    )
    return {row["id"]: row for row in rows if row["paid_at"] is not None}


async def _rules_of(order_ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """The rules that were in force when each order was first heard of."""
    rows = await db.fetch(
        """SELECT o.id AS order_id, v.*
             FROM orders o JOIN program p ON p.store_id = o.store_id
             JOIN LATERAL (SELECT * FROM program_version
                            WHERE program_id = p.id AND published_at <= o.created_at
                            ORDER BY version DESC LIMIT 1) v ON true
            WHERE o.id = ANY($1::bigint[])""",
        order_ids,
    )
    return {row["order_id"]: row for row in rows}


async def _that_ask_for_more(order_ids: Sequence[int]) -> set[int]:
    """Orders with codes, with a commission that was reckoned by more than a rate, or with a friend's credit."""
    rows = await db.fetch(
        """SELECT o.id FROM orders o
            WHERE o.id = ANY($1::bigint[])
              AND (o.codes <> '[]'
                   OR EXISTS (SELECT 1 FROM commission c WHERE c.order_id = o.id
                                 AND (c.how NOT IN ('{}', 'null') OR c.reserved IS NOT NULL))
                   OR EXISTS (SELECT 1 FROM friend_reward f WHERE f.order_id = o.id))""",
        order_ids,
    )
    return {row["id"] for row in rows}


async def _with_own_rate(cases: Sequence[Case], decisions: dict[int, Any]) -> set[int]:
    """Orders won by a member with whom a rate was agreed, now or ever."""
    mine = {case.id: (case.program_id, decisions[case.id]["winner_id"]) for case in cases if case.id in decisions}
    rows = await db.fetch(
        "SELECT DISTINCT program_id, member_id FROM rate_override WHERE member_id = ANY($1::bigint[])",
        [winner for _program, winner in mine.values() if winner],
    )
    agreed = {(row["program_id"], row["member_id"]) for row in rows}
    return {order_id for order_id, pair in mine.items() if pair in agreed}


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
    lines: dict[int, list[asyncpg.Record]] = defaultdict(list)
    commissions: dict[int, list[Any]] = defaultdict(list)
    for line in await lines_of_orders(ids):
        lines[line["order_id"]].append(line)
    # An order that was never decided on has none.
    for one in await commissions_of_orders([case.id for case in cases if case.current is not None]):
        commissions[one["order_id"]].append(one)
    dues = {case.id: _dues_of(case, decisions[case.id], rules, lines[case.id], commissions[case.id]) for case in cases}
    for one in await _open_missing(cases, decisions, rules, dues, commissions):
        commissions[one["order_id"]].append(one)
    wanted = []
    for case in cases:
        await reschedule(case.order, commissions[case.id], rules[case.id])
        targets = {(due.line_id, due.member_id, due.role): due.target for due in dues[case.id]}
        by_id = {line["id"]: line for line in lines[case.id]}
        for one in commissions[case.id]:
            target = targets.get(service.key_of(one))
            reason = service.reason_for(case.order, one, target, by_id[one["order_line_id"]])
            wanted.append((one, target or 0, reason))
    await bring_all(wanted)


def _dues_of(
    case: Case,
    decision: Any,
    rules: dict[int, asyncpg.Record],
    lines: list[asyncpg.Record],
    commissions: list[asyncpg.Record],
) -> list[Due]:
    shares = shares_of(decision)
    if not shares:
        return []
    nothing_counts = bool(case.order["cancelled_at"] or case.order["doubt"])
    return plain_dues(lines, commissions, shares, rules[case.id]["rate_bps"], nothing_counts=nothing_counts)


async def _open_missing(
    cases: Sequence[Case],
    decisions: dict[int, Any],
    rules: dict[int, asyncpg.Record],
    dues: dict[int, list[Due]],
    commissions: dict[int, list[Any]],
) -> list[dict[str, Any]]:
    """A commission for each line and share that earns and has none yet, as `standing` would show it."""
    fresh = []
    for case in cases:
        known = {service.key_of(one) for one in commissions[case.id]}
        for due in dues[case.id]:
            if due.granted and (due.line_id, due.member_id, due.role) not in known:
                fresh.append((case, due))
    if not fresh:
        return []
    now = clock.now()
    rows = await db.fetch(
        """INSERT INTO commission (order_id, order_line_id, member_id, role, attribution_id, program_version_id,
                                   base, rate_bps, granted, rule, how, currency, state, hold_until, created_at)
           SELECT t.order_id, t.line_id, t.member_id, t.role, t.attribution_id, t.rules_id, t.base, t.rate_bps,
                  t.granted, t.rule, '{}', t.currency, 'pending', t.hold_until, $13
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::int[], $9::bigint[], $10::text[], $11::text[], $12::timestamptz[])
                  AS t (order_id, line_id, member_id, role, attribution_id, rules_id, base, rate_bps, granted, rule,
                        currency, hold_until)
           RETURNING *""",
        *_columns([_commission_row(case, due, decisions[case.id], rules[case.id]) for case, due in fresh], 12),
        now,
    )
    await note_steps([Step(row["id"], "", "pending", "order_paid") for row in rows])
    await publish_all(
        [
            CommissionEarned(commission_id=row["id"], member_id=row["member_id"], order_id=row["order_id"])
            for row in rows
        ]
    )
    stores = {case.id: case.order["store_id"] for case in cases}
    return [{**row, "store_id": stores[row["order_id"]], **NOTHING_POSTED} for row in rows]


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
        case.order["currency"],
        hold_end(case.order, rules),
    )


def _columns(rows: Sequence[tuple[Any, ...]], many: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(many)]
