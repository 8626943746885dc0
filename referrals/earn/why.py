"""The explanation of one order, for one of its candidates. It never says who bought."""

from collections.abc import Sequence

import asyncpg
import msgspec

from app.auth import Viewer, require_member
from app.money import Money
from referrals.attribution.overrides import reason_for
from referrals.attribution.rules import Candidate
from referrals.attribution.shares import shares_of
from referrals.codes.queries import codes_by_id
from referrals.commissions.causes import Cause
from referrals.commissions.hold_time import wait_in
from referrals.commissions.queries import commissions_of
from referrals.earn.queries import access_decision, handles_of
from referrals.earn.schemas import CandidateView, CommissionView, EntryView, RuleView, ShareView, Why
from referrals.earn.words import name_of, outcome_words, rule_words, through, why_of
from referrals.ledger.queries import entries_for
from referrals.live_cards.queries import titles_of
from referrals.objections.queries import last_of, view_of
from referrals.objections.service import may_object
from referrals.programs.terms import Release
from referrals.programs.words import rule_name, waiting

MOST_LINES = 100


async def explain(viewer: Viewer, ref: str, store: str = "") -> Why:
    """Of the order that a store calls `ref`; without the store when only one order of the member's can be meant."""
    member_id = require_member(viewer, "read")
    decision = await access_decision(viewer, ref, store)
    last = await last_of(decision["order_id"], member_id)
    mine = (await commissions_of(member_id, order_id=decision["order_id"], limit=MOST_LINES)).items
    entries = await entries_for("commission", [row["id"] for row in mine], member_id)
    currency = decision["currency"]
    ordered_at = decision["placed_at"] or decision["paid_at"] or decision["created_at"]
    return Why(
        order=decision["order_ref"],
        store=decision["store_name"],
        store_slug=decision["store_slug"],
        ordered_at=ordered_at.isoformat(),
        you_won=decision["winner_id"] == member_id,
        winner=decision["winner"],
        rule=RuleView(
            decision["rule"],
            rule_words(decision["rule"]),
            decision["model"],
            decision["rate_bps"],
            decision["window_days"],
            decision["hold_days"],
            decision["rules_version"],
        ),
        candidates=await _candidates(decision, member_id),
        commissions=[commission_view(row) for row in mine],
        entries=[entry_view(entry) for entry in entries],
        amount=Money(sum(row["amount"] for row in mine), currency),
        shares=await _shares(decision, member_id),
        note=await reason_for(decision["order_id"]) if decision["rule"].startswith("override") else "",
        may_object=may_object(decision, member_id, last),
        objection=view_of(last) if last else None,
        in_doubt=bool(decision["doubt"]),
    )


async def _shares(decision: asyncpg.Record, member_id: int) -> list[ShareView]:
    shares = shares_of(decision)
    handles = await handles_of([share.member_id for share in shares])
    return [
        ShareView(handles.get(share.member_id), share.member_id == member_id, share.role, share.bps) for share in shares
    ]


def entry_view(entry: asyncpg.Record) -> EntryView:
    return EntryView(
        entry["occurred_at"].isoformat(),
        entry["kind"],
        entry["reason"],
        entry["bucket"],
        Money(entry["amount"], entry["currency"]),
    )


def commission_view(row: asyncpg.Record, cause: Cause | None = None) -> CommissionView:
    return CommissionView(
        id=str(row["id"]),
        order=row["order_ref"],
        product=row["product_slug"] or "",
        title=name_of(row, cause),
        amount=Money(row["amount"], row["currency"]),
        granted=Money(row["granted"], row["currency"]),
        state=row["state"],
        hold_until=row["hold_until"].isoformat(),
        role=row["role"],
        why_url=why_of(row),
        rule=rule_name(row["rule_name"]) if row["rule_name"] else "",
        rate_bps=row["rate_bps"],
        cause=cause.kind if cause else "order",
        words=through(row, cause),
        hold=hold_words(row),
    )


def hold_words(row: asyncpg.Record) -> str:
    """How long it waits, as was frozen on it."""
    release = msgspec.convert(row["release"], Release) if row["release"] else None
    return waiting(row["hold_days"], release, wait_in(row["how"]))


def without_order(rows: Sequence[asyncpg.Record]) -> list[int]:
    return [row["id"] for row in rows if not row["order_ref"]]


async def _candidates(decision: asyncpg.Record, member_id: int) -> list[CandidateView]:
    candidates = msgspec.convert(decision["candidates"], list[Candidate])
    handles = await handles_of([one.member_id for one in candidates])
    codes = await codes_by_id([int(one.code) for one in candidates if one.code and one.member_id == member_id])
    held_up = await titles_of([one.link_id for one in candidates if one.member_id == member_id])
    views = []
    for one in candidates:
        is_you = one.member_id == member_id
        # "Their own purchase" would tell the others who bought.
        is_telling = one.outcome == "self" and not is_you
        outcome = "not_eligible" if is_telling else one.outcome
        views.append(
            CandidateView(
                member=None if is_telling else handles.get(one.member_id),
                is_you=is_you,
                via=one.via,
                at=one.at.isoformat(),
                won=outcome == "won",
                reason=outcome,
                words=outcome_words(outcome),
                confidence=one.confidence,
                code=codes[int(one.code)]["text"] if one.code and is_you else "",
                live=held_up[one.link_id]["title"] if is_you and one.link_id in held_up else "",
            )
        )
    return views
