from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from referrals.attribution.facts import Case, decided, gather
from referrals.attribution.overrides import outgrew
from referrals.attribution.rules import CODES, Candidate, Decision, Touch
from referrals.attribution.shares import Share
from referrals.codes.service import CarriedCode, note_uses
from referrals.programs.policy import policy_of
from referrals.programs.queries import version_at


async def attribute(order: asyncpg.Record) -> asyncpg.Record | None:
    """The decision in force on an order, made anew when the facts ask for another one. The caller holds its lock.

    The rules are those in force when we first heard of the order; they stay with it.
    """
    rules = await version_at(order["store_id"], order["created_at"])
    if rules is None:
        return await db.fetch_one(
            "SELECT * FROM attribution WHERE order_id = $1 ORDER BY version DESC LIMIT 1", order["id"]
        )
    case = case_of(order, rules)
    await gather([case])
    await ask_for_second_ones([case])
    await use_codes([case])
    decision = decided(case)
    if not says_something_new(decision, case.current):
        return case.current
    return await _write(order["id"], (case.current["version"] if case.current else 0) + 1, rules["id"], decision)


def case_of(order: asyncpg.Record, rules: asyncpg.Record) -> Case:
    """An order under the rules of a version."""
    return Case(
        order=order,
        policy=policy_of(rules),
        model=rules["model"],
        window=timedelta(days=rules["window_days"]),
        program_id=rules["program_id"],
    )


async def ask_for_second_ones(cases: Sequence[Case]) -> None:
    """What one person decided on an order that has grown since does not count until a second one agrees."""
    overruled = [case for case in cases if any(touch.via == "override" for touch in case.touches)]
    waiting = await outgrew({case.id: case.policy.second_approver_from for case in overruled})
    for case in overruled:
        if case.id in waiting:
            case.touches = [touch for touch in case.touches if touch.via != "override"]


def says_something_new(decision: Decision, current: asyncpg.Record | None) -> bool:
    if current is None:
        return bool(decision.candidates) or decision.rule != "nobody"
    return what_differs(decision, current) != ""


def what_differs(decision: Decision, kept: asyncpg.Record) -> str:
    """What a decision says otherwise than the one kept, in a few words, or nothing."""
    winner = decision.winner
    if (winner.member_id if winner else None) != kept["winner_id"] or decision.rule != kept["rule"]:
        return "another winner"
    if decision.shares != msgspec.convert(kept["shares"] or [], list[Share]):
        return "other shares"
    before = [one for one in msgspec.convert(kept["candidates"], list[Candidate]) if _matters(one)]
    return "" if before == [one for one in decision.candidates if _matters(one)] else "other candidates"


def _matters(candidate: Candidate) -> bool:
    """A code that could not count then may be gone by now, with the member whose it was."""
    return not candidate.code or candidate.outcome not in ("after_order", "code_not_valid")


async def use_codes(cases: Sequence[Case]) -> None:
    """Note the codes of orders, each once; one beyond its limit does not count. As many queries for many as for one."""
    carried = [
        CarriedCode(int(touch.code), case.order, is_cold=_is_cold(case) and not touch.is_buyer)
        for case in cases
        for touch in case.touches
        if _may_count(touch)
    ]
    counts = await note_uses(carried)
    for case in cases:
        case.touches = [touch for touch in case.touches if touch.cls not in CODES] + [
            msgspec.structs.replace(touch, refusal="code_used_up")
            if _may_count(touch) and not counts[case.id, int(touch.code)]
            else touch
            for touch in case.touches
            if touch.cls in CODES
        ]


def _may_count(touch: Touch) -> bool:
    return touch.cls in CODES and not touch.refusal and not touch.is_too_late


def _is_cold(case: Case) -> bool:
    """Nothing else is known of this buyer: no click, no sign-up, no friend's word. Only then can a code have leaked."""
    return all(touch.cls in CODES for touch in case.touches)


async def _write(order_id: int, version: int, rules_id: int, decision: Decision) -> asyncpg.Record | None:
    winner = decision.winner
    columns: dict[str, Any] = {
        "order_id": order_id,
        "version": version,
        "program_version_id": rules_id,
        "winner_id": winner.member_id if winner else None,
        "link_id": winner.link_id if winner else None,
        "click_id": winner.click_id if winner else None,
        "rule": decision.rule,
        "candidates": msgspec.json.encode(decision.candidates).decode(),
        "shares": msgspec.json.encode(decision.shares).decode(),
        "decided_at": clock.now(),
    }
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return await db.fetch_one(
        f"INSERT INTO attribution ({', '.join(columns)}) VALUES ({places}) RETURNING *", *columns.values()
    )
