"""What is known of orders, as touches: a fixed number of queries however many orders are asked about at once.

The decision of one order, the audit of all of them and the simulator read the same facts here.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from referrals.attribution import helpers, sources
from referrals.attribution.rules import Decision, Touch, decide
from referrals.programs.policy import Policy
from storefront.orders.fingerprints import mailbox_fingerprint


class Case(msgspec.Struct):
    """An order before it is decided: the rules that bind it and everything that may have led to it."""

    order: asyncpg.Record
    policy: Policy
    model: str
    window: timedelta
    program_id: int
    touches: list[Touch] = []
    is_new_customer: bool = False
    current: asyncpg.Record | None = None
    """The decision in force."""

    @property
    def id(self) -> int:
        return self.order["id"]

    @property
    def ordered_at(self) -> datetime:
        return self.order["placed_at"] or self.order["paid_at"] or self.order["created_at"]


def decided(case: Case) -> Decision:
    return decide(
        case.touches,
        store_id=case.order["store_id"],
        ordered_at=case.ordered_at,
        window=case.window,
        model=case.model,
        policy=case.policy,
        is_new_customer=case.is_new_customer,
    )


async def gather(cases: Sequence[Case]) -> None:
    """Fill in the touches of every case, and the decision in force."""
    hints = {row["order_id"]: row for row in await sources.hints_of(cases)}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    history = await sources.history_of([case for case in cases if _needs_history(case)])
    for case in cases:
        hint = hints[case.id]
        case.current = hint if hint["version"] is not None else None
        case.is_new_customer = case.id in history and history[case.id]["last_at"] is None
    for rows in (
        await sources.claimed_clicks(cases),
        await sources.carried_clicks(cases),
        await sources.told_clicks([case for case in cases if hints[case.id]["was_told_of"]]),
        await sources.signups(cases),
        await sources.codes_on(cases),
        await sources.codes_entered(cases),
        await sources.invites([case for case in cases if hints[case.id]["was_invited"]]),
        await sources.phone_invites([case for case in cases if hints[case.id]["was_called"]]),
        await sources.binds([case for case in cases if case.policy.bind in ("first", "override")]),
        await sources.houses([case for case in cases if case.policy.house_id is not None]),
    ):
        for row in rows:
            found[row["order_id"]].append(dict(row))
    helped = await helpers.helpers_of(cases, found)
    for case in cases:
        rows = _once(found[case.id])
        case.touches = [
            _touch(case, row, history.get(case.id), helped.get((case.id, row.get("link_id"), row["at"])))
            for row in rows
        ]
        case.touches += _overrides(case, hints[case.id])


def _needs_history(case: Case) -> bool:
    return bool(case.policy.new_customer_order or case.policy.bind_idle_days)


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same click may be claimed, carried and told of: what travelled with the order says most."""
    kept: dict[object, dict[str, Any]] = {}
    others = []
    for row in rows:
        if row["via"] == "bind" or row.get("click_id") is None:
            others.append(row)
        elif (known := kept.get(row["click_id"])) is None or _says_more(row, known):
            kept[row["click_id"]] = row
    return [*kept.values(), *others]


def _says_more(row: dict[str, Any], known: dict[str, Any]) -> bool:
    strength = ("claimed", "placement", "s2s_customer", "s2s_order", "carried")
    return strength.index(row["via"]) > strength.index(known["via"])


def _touch(case: Case, row: dict[str, Any], history: asyncpg.Record | None, helper: tuple[int, str] | None) -> Touch:
    buyer_id, mailbox = case.order["buyer_id"], case.order["buyer_mailbox"] or ""
    is_buyer = (
        # Whoever signed in where the click was made sat at that browser, also when the order names somebody else.
        row.get("claimed_by") == row["member_id"]
        or _is_buyer(row["member_id"], row["email"], buyer_id, mailbox)
        or _was_buyer(case, row)
    )
    return Touch(
        via=row["via"],
        member_id=row["member_id"],
        at=row["at"],
        click_id=row["click_id"].hex if row.get("click_id") else None,
        link_id=row.get("link_id"),
        link_store_id=row.get("link_store_id"),
        kind=row.get("kind", "human"),
        channel=row.get("channel", "click"),
        code=row.get("code", ""),
        confidence=row.get("confidence", 100),
        is_buyer=is_buyer,
        link_closed=row.get("link_closed", False),
        is_suspended=row["suspended"],
        is_too_late=row.get("is_too_late", False),
        refusal=row.get("refusal", ""),
        active_at=history["last_at"] if history and row["via"] in ("signup", "bind") else None,
        helper_id=helper[0] if helper else None,
        helper_role=helper[1] if helper else "",
    )


def _overrides(case: Case, hint: asyncpg.Record) -> list[Touch]:
    if hint["override_at"] is None:
        return []
    # Nobody makes themselves the winner of their own purchase by a manager's hand.
    email, buyer_id = hint["override_email"] or "", case.order["buyer_id"]
    winner_id = hint["override_winner_id"] or 0
    is_buyer = bool(winner_id) and _is_buyer(winner_id, email, buyer_id, case.order["buyer_mailbox"] or "")
    return [Touch(via="override", member_id=winner_id, at=hint["override_at"], channel="override", is_buyer=is_buyer)]


def _is_buyer(member_id: int, email: str, buyer_id: int | None, mailbox: str) -> bool:
    return member_id == buyer_id or (bool(mailbox) and mailbox_fingerprint(email) == mailbox)


def _was_buyer(case: Case, row: dict[str, Any]) -> bool:
    """Known as the buyer's own once, it stays so: an address that is changed or erased later proves nothing."""
    click = row["click_id"].hex if row.get("click_id") else None
    return case.current is not None and any(
        one["outcome"] == "self"
        and (one["member_id"], one.get("click_id"), one.get("code", ""))
        == (row["member_id"], click, row.get("code", ""))
        for one in case.current["candidates"]
    )
