"""Payouts that go out together: previewed, gathered, frozen under a hash, approved by two others, sent."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import Event, publish
from app.i18n import gettext as _
from app.money import check_amount, check_currency, plain_decimal
from community.members.confirming import confirm_person
from referrals.payouts.claims import cancel_locked, claim
from referrals.payouts.events import BatchFrozen
from referrals.payouts.quotes import Quote, payees, quote, sums_of
from referrals.payouts.rates import rates_from
from referrals.payouts.settlement import note
from referrals.payouts.taxes import thresholds
from referrals.payouts.terms import terms_of
from storefront.stores.policy import access_own_store

APPROVERS = 2


class BatchRequested(Event):
    batch_id: int


class BatchSubmitted(Event):
    """Sending it goes on from where it is."""

    batch_id: int


class NotYours(Exception):
    """A claim that is undone: this member cannot be paid in this batch after all."""


async def preview(store: asyncpg.Record, currency: str, cutoff: datetime, minimum: int) -> list[Quote]:
    """Who would be paid how much, and who not and why. Changes nothing."""
    sums = await sums_of(store_id=store["id"], currency=currency, until=cutoff)
    known = await payees([total.member_id for total in sums], currency)
    terms, rows = await terms_of(store["id"], currency), await thresholds()
    rates = await rates_from(store["id"], currency)
    quotes = []
    for total in sums:
        payee = known[total.member_id]
        one = quote(total, payee, terms.for_batch(minimum), rows, rates, payee.rail)
        if not one.trouble and not payee.automatic:
            one = msgspec.structs.replace(one, trouble="by_hand_only")
        quotes.append(one)
    return quotes


async def waiting_requests(store_id: int, currency: str, cutoff: datetime) -> list[asyncpg.Record]:
    """What members asked for themselves and no batch has taken yet."""
    return await db.fetch(
        """SELECT p.*, m.handle FROM payout p JOIN member m ON m.id = p.member_id
            WHERE p.store_id = $1 AND p.currency = $2 AND p.state = 'claimed' AND p.batch_id IS NULL
              AND p.created_at <= $3 ORDER BY p.id""",
        store_id,
        currency,
        cutoff,
    )


async def request_batch(viewer: Viewer, slug: str, currency: str, cutoff: datetime, minimum: int) -> int:
    """Gather a batch. It is put together by a job, and frozen when that is done."""
    store = await access_own_store(viewer, slug)
    check_currency(currency)
    check_amount(minimum, "minimum")
    if cutoff > clock.now():
        raise Invalid("cutoff", _("The cut-off lies in the past."))
    return await open_batch(store["id"], currency, cutoff, minimum, requested_by=require_member(viewer))


async def open_batch(store_id: int, currency: str, cutoff: datetime, minimum: int, *, requested_by: int | None) -> int:
    async with db.transaction():
        # One at a time: two admins who press at once would ask each other to approve halves.
        await db.execute("SELECT 1 FROM store WHERE id = $1 FOR NO KEY UPDATE", store_id)
        if await db.fetch_val(
            "SELECT 1 FROM payout_batch WHERE store_id = $1 AND currency = $2 AND state IN ('gathering', 'frozen')",
            store_id,
            currency,
        ):
            raise Conflict(_("There is already a batch in this currency that waits for approval."))
        batch_id: int = await db.fetch_val(
            """INSERT INTO payout_batch (store_id, currency, cutoff_at, minimum, state, requested_by, failures,
                                         created_at)
               VALUES ($1, $2, $3, $4, 'gathering', $5, 0, $6) RETURNING id""",
            store_id,
            currency,
            cutoff,
            minimum,
            requested_by,
            clock.now(),
        )
        await note("asked", batch_id=batch_id, actor_id=requested_by)
        await publish(BatchRequested(batch_id=batch_id), actor_id=requested_by)
    return batch_id


async def gather(batch_id: int) -> None:
    """Claim for each member in a transaction of their own, then freeze. Goes on where an earlier run stopped."""
    batch = await _batch(batch_id)
    if batch["state"] != "gathering":
        return
    await db.execute(
        """UPDATE payout SET batch_id = $1 WHERE store_id = $2 AND currency = $3 AND state = 'claimed'
              AND batch_id IS NULL AND created_at <= $4
              AND EXISTS (SELECT 1 FROM payout_batch WHERE id = $1 AND state = 'gathering')""",
        batch_id,
        batch["store_id"],
        batch["currency"],
        batch["cutoff_at"],
    )
    await _ask_again(batch)
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", batch["store_id"])
    for one in await preview(store, batch["currency"], batch["cutoff_at"], batch["minimum"]):  # type: ignore[arg-type]
        if not one.trouble:
            await _claim_into(batch, one)
    await _freeze(batch_id)


async def _ask_again(batch: asyncpg.Record) -> None:
    """What members asked for may lie above a limit that came since: then it is sent only to whom somebody has seen."""
    terms = await terms_of(batch["store_id"], batch["currency"])
    own = terms.for_payee(terms.by_id) if terms.by_id else terms
    await db.execute(
        """UPDATE payout p SET asks_identity = true
             FROM (SELECT id, CASE WHEN member_id = $2 THEN $4::bigint ELSE $3::bigint END AS most FROM payout
                    WHERE batch_id = $1 AND state = 'claimed') limits
            WHERE p.id = limits.id AND limits.most > 0 AND NOT p.asks_identity AND p.rail <> 'store_credit'
              AND (SELECT sum(y.amount) FROM payout y
                    WHERE y.member_id = p.member_id AND y.store_id = p.store_id AND y.currency = p.currency
                      AND y.id <= p.id AND y.rail <> 'store_credit'
                      AND y.state IN ('claimed', 'approved', 'submitted', 'settled')
                      AND y.created_at >= date_trunc('year', p.created_at, 'UTC')) > limits.most""",
        batch["id"],
        terms.by_id,
        terms.identity_from,
        own.identity_from,
    )


async def _claim_into(batch: asyncpg.Record, one: Quote) -> None:
    try:
        async with db.transaction():
            # Shared: many claims at once, but none once the batch is frozen or cancelled.
            state = await db.fetch_val("SELECT state FROM payout_batch WHERE id = $1 FOR SHARE", batch["id"])
            if state != "gathering":
                return
            made = await claim(
                one.sum.member_id,
                batch["store_id"],
                batch["currency"],
                one.rail,
                asked_by="store" if batch["requested_by"] else "schedule",
                batch_id=batch["id"],
                until=batch["cutoff_at"],
                minimum=batch["minimum"],
            )
            if made is None:
                return
            if made[1].trouble:
                raise NotYours(made[1].trouble)
    except NotYours:
        # A refund or a changed account came in between: what was claimed is undone, the next batch looks again.
        return


async def _freeze(batch_id: int) -> None:
    async with db.transaction():
        batch = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 FOR UPDATE", batch_id)
        assert batch is not None
        if batch["state"] != "gathering":
            return
        many = await db.fetch_val("SELECT count(*) FROM payout WHERE batch_id = $1", batch_id)
        await db.execute(
            "UPDATE payout_batch SET state = $2, frozen_hash = $3, frozen_at = $4, closed_at = $5 WHERE id = $1",
            batch_id,
            "frozen" if many else "cancelled",
            await content_hash(batch_id),
            clock.now(),
            None if many else clock.now(),
        )
        await note("frozen" if many else "cancelled", batch_id=batch_id)
        if many:
            await publish(BatchFrozen(batch_id=batch_id, store_id=batch["store_id"]))


async def content_hash(batch_id: int) -> bytes:
    """SHA-256 over everything two people approve: who gets what, where, and for which commissions."""
    batch = await _batch(batch_id)
    rows = await db.fetch(
        """SELECT p.id, p.member_id, p.rail, coalesce(m.fingerprint, '') AS account, p.amount, p.fee, p.withheld,
                  p.bonus, p.sends,
                  ARRAY(SELECT (i.commission_id, i.amount) FROM payout_item i WHERE i.payout_id = p.id
                         ORDER BY i.commission_id) AS items
             FROM payout p LEFT JOIN payout_method m ON m.id = p.method_id
            WHERE p.batch_id = $1 ORDER BY p.id""",
        batch_id,
    )
    told: dict[str, Any] = {
        "batch": batch_id,
        "currency": batch["currency"],
        "cutoff": batch["cutoff_at"].isoformat(),
        "payouts": [[*row[:-1], [list(item) for item in row["items"]]] for row in rows],
        "store": batch["store_id"],
    }
    rows = await db.fetch(
        """SELECT p.id, r.id, r.base, r.quote, r.rate, p.pays, p.pays_currency FROM payout p
             JOIN fx_rate r ON r.id = p.rate_id WHERE p.batch_id = $1 ORDER BY p.id""",
        batch_id,
    )
    if rows:
        told["rates"] = [[plain_decimal(one) if isinstance(one, Decimal) else one for one in row] for row in rows]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).digest()


async def approve(viewer: Viewer, slug: str, batch_id: int, *, seen: str, password: str) -> None:
    """One of two: neither who asked for it nor whom it pays, and of exactly what stands there."""
    batch = await access_batch(viewer, slug, batch_id)
    member_id = require_member(viewer)
    if why := await may_not_approve(member_id, batch):
        raise Forbidden(why)
    await confirm_person(viewer, password)
    async with db.transaction():
        batch = cast(
            asyncpg.Record, await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 FOR UPDATE", batch_id)
        )
        if batch["state"] != "frozen":
            raise Conflict(_("This batch does not wait for approval."))
        now_there = await content_hash(batch_id)
        if batch["frozen_hash"] != now_there or seen != now_there.hex():
            raise Conflict(_("This is not the batch you looked at. Look again."))
        try:
            async with db.savepoint():
                await db.execute(
                    "INSERT INTO payout_batch_approval (batch_id, member_id, frozen_hash, at) VALUES ($1, $2, $3, $4)",
                    batch_id,
                    member_id,
                    now_there,
                    clock.now(),
                )
        except asyncpg.UniqueViolationError as twice:
            raise Conflict(_("You have approved it already; a second person has to.")) from twice
        await note("approved", batch_id=batch_id, actor_id=member_id)
        many = await db.fetch_val("SELECT count(*) FROM payout_batch_approval WHERE batch_id = $1", batch_id)
        if many >= APPROVERS:
            await db.execute("UPDATE payout_batch SET state = 'approved' WHERE id = $1", batch_id)


async def may_not_approve(member_id: int, batch: asyncpg.Record) -> str:
    """Why this person may not be one of the two; empty when they may."""
    if batch["requested_by"] == member_id:
        return _("Who asked for a batch may not approve it: two others have to.")
    if await db.fetch_val("SELECT 1 FROM payout WHERE batch_id = $1 AND member_id = $2", batch["id"], member_id):
        return _("You are paid by this batch, so others have to approve it.")
    return ""


async def submit(viewer: Viewer, slug: str, batch_id: int) -> None:
    """Send it off. From here on each payout goes its own way, and the batch only counts."""
    await access_batch(viewer, slug, batch_id)
    member_id = require_member(viewer)
    async with db.transaction():
        batch = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 FOR UPDATE", batch_id)
        assert batch is not None
        if batch["state"] != "approved":
            raise Conflict(_("A batch is sent once, after two people have approved it."))
        approvals = await db.fetch(
            "SELECT DISTINCT member_id FROM payout_batch_approval WHERE batch_id = $1 AND frozen_hash = $2",
            batch_id,
            await content_hash(batch_id),
        )
        if len(approvals) < APPROVERS:
            raise Conflict(_("Something in this batch is not what was approved. Cancel it and gather it again."))
        now = clock.now()
        await db.execute("UPDATE payout_batch SET state = 'submitted', submitted_at = $2 WHERE id = $1", batch_id, now)
        await db.execute(
            "UPDATE payout SET state = 'approved', state_at = $2 WHERE batch_id = $1 AND state = 'claimed'",
            batch_id,
            now,
        )
        # All of it may have been called back since it was frozen: then nothing is left to wait for.
        await db.execute(
            """UPDATE payout_batch SET state = 'done', closed_at = $2
                WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM payout WHERE batch_id = $1 AND state = 'approved')""",
            batch_id,
            now,
        )
        await note("submitted", batch_id=batch_id, actor_id=member_id)
        await publish(BatchSubmitted(batch_id=batch_id), actor_id=member_id)


async def cancel(viewer: Viewer, slug: str, batch_id: int) -> None:
    """Nothing of it is sent; everybody's money is available again."""
    await access_batch(viewer, slug, batch_id)
    member_id = require_member(viewer)
    async with db.transaction():
        batch = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 FOR UPDATE", batch_id)
        assert batch is not None
        if batch["state"] not in ("gathering", "frozen", "approved"):
            raise Conflict(_("It has been sent; single payouts can still be marked as failed."))
        await db.execute(
            "UPDATE payout_batch SET state = 'cancelled', closed_at = $2 WHERE id = $1", batch_id, clock.now()
        )
        await note("cancelled", batch_id=batch_id, actor_id=member_id)
        for row in await db.fetch(
            "SELECT id FROM payout WHERE batch_id = $1 AND state = 'claimed' ORDER BY id FOR UPDATE", batch_id
        ):
            await cancel_locked(row["id"], actor_id=member_id)


async def resume(viewer: Viewer, slug: str, batch_id: int) -> None:
    """Somebody looked at why sending stopped, and lets it go on."""
    await access_batch(viewer, slug, batch_id)
    async with db.transaction():
        went_on = await db.execute(
            """UPDATE payout_batch SET paused_for = '', failures = 0
                WHERE id = $1 AND state = 'submitted' AND paused_for <> ''""",
            batch_id,
        )
        if not went_on:
            raise Conflict(_("This batch is not paused."))
        await note("resumed", batch_id=batch_id, actor_id=require_member(viewer))
        await publish(BatchSubmitted(batch_id=batch_id), actor_id=viewer.member_id)


async def access_batch(viewer: Viewer, slug: str, batch_id: int) -> asyncpg.Record:
    """A batch of a store, for those who run it."""
    store = await access_own_store(viewer, slug)
    batch = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 AND store_id = $2", batch_id, store["id"])
    if batch is None:
        raise NotFound()
    return batch


async def _batch(batch_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1", batch_id)
    assert row is not None
    return row
