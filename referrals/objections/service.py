"""A member contests who was credited with an order: said once, looked at by somebody who gains nothing, answered."""

from datetime import timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from referrals.attribution.overrides import NewOverride, propose
from referrals.objections import notices
from referrals.objections.queries import objection_at, objection_by_id, people_in
from referrals.objections.schemas import Verdict
from storefront.stores.policy import access_own_store

# As long as a buyer's complaint usually may be made; what is older was paid out long ago.
MAY_OBJECT = timedelta(days=60)
ANSWERED_WITHIN = timedelta(days=7)
MOST_A_DAY = 10


def may_object(decision: asyncpg.Record, member_id: int, last: asyncpg.Record | None) -> bool:
    """`decision`: the newest one on the order, of which the member was a candidate. `last`: what they said before."""
    has_part = decision["winner_id"] == member_id or any(one["member_id"] == member_id for one in decision["shares"])
    was_said = last is not None and (last["state"] == "open" or last["version"] >= decision["version"])
    return not has_part and not was_said and clock.now() < decision["decided_at"] + MAY_OBJECT


async def object_to(viewer: Viewer, decision: asyncpg.Record, words: str) -> asyncpg.Record:
    """The caller has found the decision through the viewer."""
    member_id = require_member(viewer)
    said = clean(words, "words", most=1000, lines=True)
    if len(said) < 10:
        raise Invalid("words", _("Say in a sentence why it should be yours."))
    await limit("objection", member_id, most=MOST_A_DAY, per=86_400)
    if not may_object(decision, member_id, None):
        raise Conflict(_("There is nothing to object to, or it is too long ago."))
    now = clock.now()
    async with db.transaction():
        made = await db.fetch_val(
            """INSERT INTO credit_objection (order_id, version, member_id, said, state, waits, due_at, created_at)
               VALUES ($1, $2, $3, $4, 'open', $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id""",
            decision["order_id"],
            decision["version"],
            member_id,
            said,
            f"{decision['order_id']}:{member_id}",
            now + ANSWERED_WITHIN,
            now,
        )
        if made is None:
            raise Conflict(_("You have objected to this already."))
        await notices.raised(made)
    return await objection_by_id(made)


async def decide(viewer: Viewer, slug: str, objection_id: int, verdict: Verdict) -> asyncpg.Record:
    """Upheld, it is a decision of a person like any other: with a second one above the programme's threshold."""
    store = await access_own_store(viewer, slug)
    actor_id = require_member(viewer)
    answer = clean(verdict.words, "words", most=500, lines=True)
    if len(answer) < 5:
        raise Invalid("words", _("Say why; the member reads it."))
    async with db.transaction():
        row = await objection_at(store["id"], objection_id, lock=True)
        check_interest(actor_id, row)
        if row["state"] != "open":
            raise Conflict(_("This was decided already."))
        override_id = None
        if verdict.verdict == "uphold":
            wanted = NewOverride(order=row["order_ref"], winner=row["handle"], reason=answer)
            override_id = (await propose(viewer, slug, wanted))["id"]
        await db.execute(
            """UPDATE credit_objection SET state = $2, waits = NULL, decided_by_id = $3, decided_at = $4, answer = $5,
                      override_id = $6 WHERE id = $1""",
            objection_id,
            "upheld" if override_id else "dismissed",
            actor_id,
            clock.now(),
            answer,
            override_id,
        )
        await notices.decided(objection_id)
    return await objection_by_id(objection_id)


def check_interest(actor_id: int, row: asyncpg.Record) -> None:
    """Whoever wins or loses by it has no say."""
    if is_concerned(actor_id, row):
        raise Forbidden(_("You may win or lose by it, so somebody else has to decide."))


def is_concerned(actor_id: int | None, row: asyncpg.Record) -> bool:
    return actor_id in people_in(row)


async def escalate() -> int:
    """Tell the admins once of what nobody answered in time; how many."""
    rows = await db.fetch(
        "SELECT id FROM credit_objection WHERE state = 'open' AND due_at < $1 AND escalated_at IS NULL LIMIT 200",
        clock.now(),
    )
    for row in rows:
        async with db.transaction():
            won = await db.execute(
                "UPDATE credit_objection SET escalated_at = $2 WHERE id = $1 AND escalated_at IS NULL",
                row["id"],
                clock.now(),
            )
            if won:
                await notices.late(row["id"])
    return len(rows)
