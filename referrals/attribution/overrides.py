"""A person decides who is credited: with a reason, with a second person above the programme's threshold, openly."""

from collections.abc import Mapping
from typing import Annotated

import asyncpg
import msgspec
from msgspec import Meta

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish, publish_all
from app.i18n import gettext as _
from app.limits import limit
from app.paging import Page, cut, decode
from app.text import clean
from referrals.attribution.events import CreditOverruled, OverrideProposed
from referrals.programs.policy import PLAIN, policy_of
from referrals.programs.queries import version_at
from storefront.orders.fingerprints import mailbox_fingerprint
from storefront.stores.policy import access_own_store

NOBODY = "nobody"


class NewOverride(msgspec.Struct, forbid_unknown_fields=True):
    """`order`: the store's order id. `winner`: a handle, or "nobody"."""

    order: Annotated[str, Meta(min_length=1, max_length=200)]
    winner: Annotated[str, Meta(min_length=1, max_length=60)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class OverrideForm(NewOverride, forbid_unknown_fields=False):
    """The same from a page."""


async def propose(viewer: Viewer, slug: str, new: NewOverride) -> asyncpg.Record:
    """Say who is to be credited. In force at once below the threshold; else it waits for a second person."""
    store = await access_own_store(viewer, slug)
    actor_id = require_member(viewer)
    await limit("override", actor_id, most=100, per=3600)
    reason = clean(new.reason, "reason", least=5, most=500)
    winner = await _winner_called(new.winner)
    async with db.transaction():
        order = await _locked_order(store["id"], new.order)
        _check_interest(actor_id, winner, order)
        stake = await _stake_of(order["id"])
        rules = await version_at(store["id"], order["created_at"])
        threshold = (policy_of(rules) if rules else PLAIN).second_approver_from
        needs_second = threshold is not None and stake >= threshold
        made = await db.fetch_one(
            """INSERT INTO attribution_override (order_id, winner_id, reason, state, stake, currency, needs_second,
                                                 proposed_by, proposed_at, decided_by, decided_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING *""",
            order["id"],
            winner["id"] if winner else None,
            reason,
            "proposed" if needs_second else "in_force",
            stake,
            order["currency"],
            needs_second,
            actor_id,
            clock.now(),
            None if needs_second else actor_id,
            None if needs_second else clock.now(),
        )
        if made is None:
            raise Conflict(_("Somebody has decided on this order already. Withdraw that first."))
        event = (
            OverrideProposed(override_id=made["id"], store_id=store["id"])
            if needs_second
            else CreditOverruled(override_id=made["id"], order_id=order["id"])
        )
        await publish(event, actor_id=actor_id)
    return made


async def agree(viewer: Viewer, slug: str, override_id: int) -> None:
    """A second person agrees: from now on it counts."""
    await _decide(viewer, slug, override_id, "in_force")


async def refuse(viewer: Viewer, slug: str, override_id: int) -> None:
    await _decide(viewer, slug, override_id, "refused")


async def withdraw(viewer: Viewer, slug: str, override_id: int) -> None:
    """It counts no longer: the facts decide again."""
    override = await _access(viewer, slug, override_id)
    actor_id = require_member(viewer)
    if actor_id != override["proposed_by"] and await _is_candidate(actor_id, override["order_id"]):
        raise Forbidden(_("You may win by it, so somebody else has to withdraw this."))
    async with db.transaction():
        gone = await db.execute(
            """UPDATE attribution_override SET state = 'withdrawn', withdrawn_by = $2, withdrawn_at = $3
                WHERE id = $1 AND state IN ('proposed', 'in_force')""",
            override_id,
            actor_id,
            clock.now(),
        )
        if gone:
            await publish(CreditOverruled(override_id=override_id, order_id=override["order_id"]), actor_id=actor_id)


async def _decide(viewer: Viewer, slug: str, override_id: int, state: str) -> None:
    override = await _access(viewer, slug, override_id)
    actor_id = require_member(viewer)
    if state == "in_force":
        if actor_id == override["proposed_by"]:
            raise Forbidden(_("Somebody else has to agree to what you proposed."))
        _check_interest(actor_id, {"id": override["winner_id"], "email": ""}, override)
    async with db.transaction():
        moved = await db.execute(
            """UPDATE attribution_override SET state = $2, decided_by = $3, decided_at = $4
                WHERE id = $1 AND state = 'proposed'""",
            override_id,
            state,
            actor_id,
            clock.now(),
        )
        if not moved:
            raise Conflict(_("This was decided already."))
        if state == "in_force":
            await publish(CreditOverruled(override_id=override_id, order_id=override["order_id"]), actor_id=actor_id)


async def reason_for(order_id: int) -> str:
    """What was said when a person decided on an order, while that is in force."""
    reason: str | None = await db.fetch_val(
        "SELECT reason FROM attribution_override WHERE order_id = $1 AND state = 'in_force'", order_id
    )
    return reason or ""


_SHOWN = """SELECT v.*, o.external_id AS order_ref, o.number, w.handle AS winner, p.handle AS proposer,
                   d.handle AS decider, x.handle AS withdrawer, (v.state = 'proposed') AS waits
              FROM attribution_override v JOIN orders o ON o.id = v.order_id
              JOIN member p ON p.id = v.proposed_by
              LEFT JOIN member w ON w.id = v.winner_id LEFT JOIN member d ON d.id = v.decided_by
              LEFT JOIN member x ON x.id = v.withdrawn_by"""


async def override_of(override_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"{_SHOWN} WHERE v.id = $1", override_id)
    assert row is not None
    return row


async def overrides_of(store_id: int, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """What people decided on the orders of a store, newest first; what waits for a second one on top."""
    after = decode(cursor, (bool, int)) or (None, None)
    rows = await db.fetch(
        f"""{_SHOWN}
            WHERE o.store_id = $1 AND ($2::bool IS NULL OR ((v.state = 'proposed'), v.id) < ($2, $3::bigint))
            ORDER BY (v.state = 'proposed') DESC, v.id DESC LIMIT $4""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["waits"], row["id"]))


async def _winner_called(given: str) -> asyncpg.Record | None:
    if given.strip().lower() == NOBODY:
        return None
    winner = await db.fetch_one(
        """SELECT m.id, m.email, EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.lifted_at IS NULL
                                            AND (s.until IS NULL OR s.until > $2)) AS suspended
             FROM member m WHERE lower(m.handle) = lower($1)""",
        given.strip().removeprefix("@").replace("\0", ""),
        clock.now(),
    )
    if winner is None:
        raise Invalid("winner", _("Nobody here is called so."))
    if winner["suspended"]:
        raise Invalid("winner", _("This account is suspended."))
    return winner


async def _locked_order(store_id: int, ref: str) -> asyncpg.Record:
    order = await db.fetch_one(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox FROM orders o
             LEFT JOIN customer c ON c.id = o.customer_id
            WHERE o.store_id = $1 AND o.external_id = $2 FOR UPDATE OF o""",
        store_id,
        ref.replace("\0", ""),
    )
    if order is None:
        raise NotFound(_("There is no such order."))
    return order


def _check_interest(actor_id: int, winner: object, order: asyncpg.Record) -> None:
    """Nobody decides in their own favour, and nobody earns from their own purchase."""
    if winner is None:
        return
    winner_id, email = winner["id"], winner["email"]  # type: ignore[index]
    if winner_id == actor_id:
        raise Forbidden(_("You cannot credit yourself."))
    mailbox = order.get("buyer_mailbox") or ""
    if winner_id is not None and (
        winner_id == order.get("buyer_id") or (mailbox and email and mailbox_fingerprint(email) == mailbox)
    ):
        raise Invalid("winner", _("One's own purchase earns nothing."))


async def outgrew(thresholds: Mapping[int, int | None]) -> set[int]:
    """A decision of one person waits for a second one after all when more came to be at stake than one may decide on.

    Of orders with their programmes' thresholds, those of which it is so by now. The caller holds the orders' locks.
    """
    asked = {order_id: most for order_id, most in thresholds.items() if most is not None}
    if not asked:
        return set()
    waiting = await db.fetch(
        """WITH stakes AS (
                SELECT t.order_id, t.threshold, coalesce(sum(greatest(l.gross - l.discount, 0)), 0)::bigint AS stake
                  FROM unnest($1::bigint[], $2::bigint[]) AS t (order_id, threshold)
                  LEFT JOIN order_line l ON l.order_id = t.order_id GROUP BY t.order_id, t.threshold)
           UPDATE attribution_override v
              SET state = 'proposed', needs_second = true, stake = s.stake, decided_by = NULL, decided_at = NULL
             FROM orders o JOIN stakes s ON s.order_id = o.id AND s.stake >= s.threshold
            WHERE v.order_id = o.id AND v.state = 'in_force' AND v.decided_by = v.proposed_by
        RETURNING v.id, v.order_id, o.store_id""",
        list(asked),
        list(asked.values()),
    )
    await publish_all(
        [
            OverrideProposed(override_id=row["id"], store_id=row["store_id"])
            for row in sorted(waiting, key=lambda row: row["id"])
        ]
    )
    return {row["order_id"] for row in waiting}


async def _is_candidate(member_id: int, order_id: int) -> bool:
    """Whether the facts speak for this member, so that they might be credited without the decision."""
    return bool(
        await db.fetch_val(
            """SELECT 1 FROM (SELECT candidates FROM attribution WHERE order_id = $1 ORDER BY version DESC LIMIT 1) a
                WHERE a.candidates @> jsonb_build_array(jsonb_build_object('member_id', $2::bigint))""",
            order_id,
            member_id,
        )
    )


async def _stake_of(order_id: int) -> int:
    """What is at stake at most: all that was paid for the lines after discounts, of which the rate is a part."""
    stake: int = await db.fetch_val(
        "SELECT coalesce(sum(greatest(gross - discount, 0)), 0)::bigint FROM order_line WHERE order_id = $1", order_id
    )
    return stake


async def _access(viewer: Viewer, slug: str, override_id: int) -> asyncpg.Record:
    store = await access_own_store(viewer, slug)
    override = await db.fetch_one(
        """SELECT v.*, o.external_id AS order_ref FROM attribution_override v JOIN orders o ON o.id = v.order_id
            WHERE v.id = $1 AND o.store_id = $2""",
        override_id,
        store["id"],
    )
    if override is None:
        raise NotFound()
    return override
