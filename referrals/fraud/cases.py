"""Cases: opened by rules, answered by members, decided by people, and by nobody else. Time only makes them louder."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from referrals.commissions import holds
from referrals.commissions.standing import lock_commissions
from referrals.fraud import clawback, notices, queries, risk
from referrals.fraud.events import CheckDecided, CheckOpened
from referrals.fraud.rules import REASONS, Hit
from referrals.fraud.schemas import Verdict
from referrals.fraud.thresholds import thresholds_of
from storefront.stores.policy import access_own_store

LONGEST = 2_000
LOUDER_EVERY = timedelta(days=7)


async def report(store_id: int, member_id: int, hit: Hit, *, source: str, concerned: Sequence[int]) -> bool:
    """A rule struck: open the member's case, or extend it, and hold what it concerns. Called in a transaction.

    The same thing is seen once; what a person cleared is not held against the member by the same sign again.
    """
    if await _is_known(member_id, store_id, hit, source):
        return False
    sla = timedelta(hours=(await thresholds_of(store_id)).sla_hours)
    now = clock.now()
    opened = await db.fetch_one(
        """INSERT INTO fraud_case (store_id, member_id, rule, state, opened_at, due_at, resolution)
           VALUES ($1, $2, $3, 'open', $4, $5, '')
           ON CONFLICT (store_id, member_id, rule) WHERE state = 'open' DO UPDATE SET state = 'open'
           RETURNING id, xmax = 0 AS is_new""",
        store_id,
        member_id,
        hit.rule,
        now,
        now + sla,
    )
    assert opened is not None
    case_id = opened["id"]
    seen = await db.fetch_val(
        """INSERT INTO fraud_signal (case_id, member_id, rule, source, key, evidence, at)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7) ON CONFLICT DO NOTHING RETURNING id""",
        case_id,
        member_id,
        hit.rule,
        source,
        hit.key,
        msgspec.json.encode(hit.evidence).decode(),
        now,
    )
    if seen is None:
        return False
    # All of them are locked at once, before the first is posted: the books' lock is the last that anybody takes.
    waiting = await risk.waiting_at_risk(member_id, store_id, hit.rule) if opened["is_new"] else []
    await lock_commissions([*concerned, *waiting])
    # Held first: while somebody looks, no clock and no payout can reach it.
    held = await holds.hold(sorted(set(concerned)), REASONS[hit.rule], evidence={"case": case_id})
    await _concern(case_id, concerned)
    if opened["is_new"]:
        await risk.hold_longer([*waiting, *held], hit.rule)
    await note(case_id, "opened" if opened["is_new"] else "extended")
    if opened["is_new"]:
        await notices.opened(case_id)
        await publish(CheckOpened(case_id=case_id, store_id=store_id))
    return True


async def hold_again(commission_id: int) -> bool:
    """A fact brought a commission back that an open case is about (a price corrected upwards): it waits again."""
    async with db.transaction():
        case = await db.fetch_one(
            """SELECT f.id, f.rule FROM fraud_case f
                WHERE f.state = 'open'
                  AND EXISTS (SELECT 1 FROM commission c WHERE c.id = $1 AND c.state IN ('pending', 'approved'))
                  AND (EXISTS (SELECT 1 FROM fraud_hold h WHERE h.case_id = f.id AND h.commission_id = $1)
                       OR EXISTS (SELECT 1 FROM fraud_signal s WHERE s.case_id = f.id AND s.source = $2))
                ORDER BY f.id LIMIT 1 FOR UPDATE OF f""",
            commission_id,
            f"commission:{commission_id}",
        )
        if case is None:
            return False
        held = await holds.hold([commission_id], REASONS[case["rule"]], evidence={"case": case["id"]})
        await _concern(case["id"], held)
    return bool(held)


async def give_verdict(viewer: Viewer, slug: str, case_id: int, wanted: Verdict) -> None:
    """Any of the four words a person may say, on a case or on the objection to it."""
    if wanted.verdict in ("confirm", "clear"):
        await decide(viewer, slug, case_id, confirm=wanted.verdict == "confirm", words=wanted.words)
    else:
        await decide_appeal(viewer, slug, case_id, uphold=wanted.verdict == "uphold", words=wanted.words)


async def decide(viewer: Viewer, slug: str, case_id: int, *, confirm: bool, words: str) -> None:
    """A person's word on an open case: it breaks the rules (all it holds goes back), or all is well."""
    store = await access_own_store(viewer, slug)
    words = _said("words", words)
    async with db.transaction():
        case = await queries.lock_case(store["id"], case_id)
        member_id = _may_decide(viewer, case)
        if case["state"] != "open":
            raise Conflict(_("Somebody has decided this case already."))
        await _close(case, "confirmed" if confirm else "cleared", member_id, words)
        held = await _held_by(case_id, alone=not confirm)
        if confirm:
            await clawback.take_back(held, actor_id=member_id, case_id=case_id)
        else:
            await holds.lift(held, "cleared", actor_id=member_id, evidence={"case": case_id})
            await risk.hold_no_longer(case["member_id"], case["store_id"])
        outcome = "confirmed" if confirm else "cleared"
        await note(case_id, outcome, member_id, words)
        await notices.decided(case_id, by=member_id)
        await publish(CheckDecided(case_id=case_id, store_id=store["id"], outcome=outcome), actor_id=member_id)


async def answer(viewer: Viewer, case_id: int, words: str) -> None:
    """The member's own word: an answer while the case is open, an appeal once it went against them."""
    member_id = require_member(viewer)
    words = _said("words", words)
    async with db.transaction():
        case = await queries.lock_own_case(member_id, case_id)
        if case["state"] == "open":
            if await queries.answers_in(case_id) >= queries.MOST_ANSWERS:
                raise Conflict(_("You have said enough for somebody to decide. They will."))
            await note(case_id, "answered", member_id, words)
        elif case["state"] == "confirmed":
            if await appeal_until(case) is None:
                raise Conflict(_("The time for an objection is over."))
            sla = timedelta(hours=(await thresholds_of(case["store_id"])).sla_hours)
            await db.execute(
                """UPDATE fraud_case SET state = 'appealed', appealed_at = $2, due_at = $3, escalated_at = NULL
                    WHERE id = $1""",
                case_id,
                clock.now(),
                clock.now() + sla,
            )
            await note(case_id, "appealed", member_id, words)
        else:
            raise Conflict(_("Nothing is open here any more."))
        await notices.answered(case_id, by=member_id)


async def appeal_until(case: asyncpg.Record) -> datetime | None:
    """Until when the member may object to the decision; None when they may not."""
    if case["state"] != "confirmed":
        return None
    until = case["decided_at"] + timedelta(days=(await thresholds_of(case["store_id"])).appeal_days)
    return until if clock.now() <= until else None


async def decide_appeal(viewer: Viewer, slug: str, case_id: int, *, uphold: bool, words: str) -> None:
    """A second person's word. Upheld: what was taken comes back, worked out from the facts as they are now."""
    store = await access_own_store(viewer, slug)
    words = _said("words", words)
    async with db.transaction():
        case = await queries.lock_case(store["id"], case_id)
        member_id = _may_decide(viewer, case)
        if case["state"] != "appealed":
            raise Conflict(_("Somebody has decided this case already."))
        if case["decided_by_id"] == member_id:
            raise Forbidden(_("Whoever decided the case does not decide the objection to it."))
        if uphold:
            await clawback.give_back(await _held_by(case_id, alone=False), actor_id=member_id, case_id=case_id)
        kind = "upheld" if uphold else "dismissed"
        await db.execute(
            "UPDATE fraud_case SET state = $2, appeal_by_id = $3, resolution = $4 WHERE id = $1",
            case_id,
            kind,
            member_id,
            words,
        )
        await note(case_id, kind, member_id, words)
        await notices.decided(case_id, by=member_id)
        await publish(CheckDecided(case_id=case_id, store_id=store["id"], outcome=kind), actor_id=member_id)


async def add_note(viewer: Viewer, slug: str, case_id: int, words: str) -> None:
    """What whoever looks wants to remember. The member does not read it."""
    store = await access_own_store(viewer, slug)
    words = _said("words", words)
    async with db.transaction():
        case = await queries.lock_case(store["id"], case_id)
        await note(case_id, "noted", _may_decide(viewer, case), words)


async def escalate_overdue() -> int:
    """What is late is told to the admins, again every week. Nothing is released, whatever happens."""
    now = clock.now()
    rows = await db.fetch(
        """UPDATE fraud_case SET escalated_at = $1
            WHERE state IN ('open', 'appealed') AND due_at < $1
              AND (escalated_at IS NULL OR escalated_at < $2) RETURNING id""",
        now,
        now - LOUDER_EVERY,
    )
    for row in rows:
        async with db.transaction():
            await note(row["id"], "escalated")
            await notices.overdue(row["id"], now)
    return len(rows)


async def note(case_id: int, kind: str, actor_id: int | None = None, said: str = "") -> None:
    await db.execute(
        "INSERT INTO fraud_entry (case_id, kind, actor_id, said, at) VALUES ($1, $2, $3, $4, $5)",
        case_id,
        kind,
        actor_id,
        said,
        clock.now(),
    )


def may_decide(viewer: Viewer, case: asyncpg.Record) -> bool:
    """Nobody decides a case about themselves, whatever they may do otherwise."""
    return viewer.member_id != case["member_id"]


def _may_decide(viewer: Viewer, case: asyncpg.Record) -> int:
    if not may_decide(viewer, case):
        raise Forbidden(_("This case is about you. Somebody else decides it."))
    return require_member(viewer)


def _said(field: str, words: str) -> str:
    return clean(words, field, least=3, most=LONGEST, lines=True)


async def _is_known(member_id: int, store_id: int, hit: Hit, source: str) -> bool:
    return bool(
        await db.fetch_val(
            """SELECT 1 FROM fraud_signal s JOIN fraud_case c ON c.id = s.case_id
                WHERE s.member_id = $1 AND s.rule = $2
                  AND (s.source = $3 OR (s.key = $4 AND $4 <> '' AND c.store_id = $5
                                         AND c.state IN ('cleared', 'upheld'))) LIMIT 1""",
            member_id,
            hit.rule,
            source,
            hit.key,
            store_id,
        )
    )


async def _concern(case_id: int, commission_ids: Sequence[int]) -> None:
    """The case concerns what is held now, also what another case had held before, and what no hold can reach."""
    await db.execute(
        """INSERT INTO fraud_hold (case_id, commission_id, at)
           SELECT $1, c.id, $3 FROM commission c
            WHERE c.id = ANY($2::bigint[]) AND c.state IN ('held', 'allocated', 'paid')
           ON CONFLICT DO NOTHING""",
        case_id,
        list(commission_ids),
        clock.now(),
    )


async def _held_by(case_id: int, *, alone: bool) -> list[int]:
    """What a case holds; `alone`: and no other open one does."""
    rows = await db.fetch(
        """SELECT h.commission_id AS id FROM fraud_hold h
            WHERE h.case_id = $1 AND (NOT $2 OR NOT EXISTS (
                  SELECT 1 FROM fraud_hold o JOIN fraud_case c ON c.id = o.case_id
                   WHERE o.commission_id = h.commission_id AND c.state = 'open' AND c.id <> $1))
            ORDER BY h.commission_id""",
        case_id,
        alone,
    )
    return [row["id"] for row in rows]


async def _close(case: asyncpg.Record, state: str, by_id: int, words: str) -> None:
    await db.execute(
        "UPDATE fraud_case SET state = $2, decided_by_id = $3, decided_at = $4, resolution = $5 WHERE id = $1",
        case["id"],
        state,
        by_id,
        clock.now(),
        words,
    )
