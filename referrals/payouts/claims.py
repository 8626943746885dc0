"""Taking what is available into one payout, exactly once, however many ask at the same moment.

The order of locks: batch, payout, orders, the member's debt, the books.
"""

from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from referrals.commissions.payable import Allocated, allocate, return_to_available
from referrals.payouts.quotes import Payee, Quote, Sum, payees, quote, quote_for, ready_ids
from referrals.payouts.rates import rates_from
from referrals.payouts.settlement import note, settle
from referrals.payouts.taxes import thresholds
from referrals.payouts.terms import terms_of
from referrals.payouts.words import trouble_words


class Figures(msgspec.Struct, frozen=True):
    """What a member was shown and said yes to; `pays` where it arrives in another currency."""

    amount: int
    sends: int
    pays: int = 0


class FiguresChanged(Conflict):
    """The sum has changed since it was shown. Look at it again."""

    type = "figures-changed"
    title = "The sum has changed"


async def ask_for_payout(viewer: Viewer, store: asyncpg.Record, currency: str, rail: str, shown: Figures) -> int:
    """Take everything available at a store now, at exactly the figures that were shown; the payout's id."""
    member_id = require_member(viewer)
    await limit("payout-ask", member_id, most=20, per=3600)
    before = await quote_for(member_id, store["id"], currency, rail)
    if before.trouble:
        raise Invalid("rail", trouble_words(before))
    async with db.transaction():
        made = await claim(member_id, store["id"], currency, rail, asked_by="member")
        if made is None:
            raise Conflict(_("Nothing is available to pay out: it is on its way already, or was taken back."))
        payout_id, final = made
        # What arrives need not be said where nothing is exchanged.
        arrives = (final.pays,) if final.rate else (0, final.sends)
        if (final.sum.amount, final.sends) != (shown.amount, shown.sends) or shown.pays not in arrives:
            raise FiguresChanged(_("The sum has changed since it was shown. Look at it again."))
        if final.trouble:
            raise Invalid("rail", trouble_words(final))
        if rail == "store_credit":
            if final.bonus and final.terms.by_id == member_id:
                raise Invalid("rail", _("You set this bonus yourself. Somebody else has to, before you take it."))
            # It leaves nobody's account, so it waits for no batch.
            await settle(payout_id)
    return payout_id


async def claim(
    member_id: int,
    store_id: int,
    currency: str,
    rail: str,
    *,
    asked_by: str,
    batch_id: int | None = None,
    until: datetime | None = None,
    minimum: int | None = None,
) -> tuple[int, Quote] | None:
    """Claim what is ready, inside the caller's transaction, and write the payout; None when nothing was left.

    The figures come from what was really taken, never from what was computed before; the caller looks at the quote
    that is returned, and undoes everything by raising. `minimum`: the batch's own, in place of the store's.
    """
    ids = await ready_ids(member_id, store_id, currency, until or clock.now())
    payout_id: int = await db.fetch_val("SELECT nextval('payout_id_seq')")
    taken = [one for one in await allocate(ids, payout_id) if one.amount]
    if not taken:
        return None
    # Read after the claim: it holds this member's debt, so a twin at another store cannot count the same year.
    payee = (await payees([member_id], currency))[member_id]
    total = Sum(member_id, store_id, currency, sum(one.amount for one in taken), 0)
    terms = await terms_of(store_id, currency)
    terms = terms if minimum is None else terms.for_batch(minimum)
    final = quote(total, payee, terms, await thresholds(), await rates_from(store_id, currency), rail)
    # By no rate, or to nothing: the caller undoes it.
    if final.sends > 0 and final.pays > 0:
        await _write(payout_id, final, payee, taken, asked_by, batch_id)
    return payout_id, final


async def _write(
    payout_id: int, final: Quote, payee: Payee, taken: list[Allocated], asked_by: str, batch_id: int | None
) -> None:
    now = clock.now()
    method = payee.methods.get(final.rail)
    await db.execute(
        """INSERT INTO payout (id, store_id, member_id, batch_id, currency, amount, netted, fee, withheld, bonus,
                               sends, rail, method_id, asked_by, state, created_at, state_at, rate_id, pays,
                               pays_currency, asks_identity)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'claimed', $15, $15, $16, $17, $18,
                   $19)""",
        payout_id,
        final.sum.store_id,
        final.sum.member_id,
        batch_id,
        final.sum.currency,
        final.sum.amount,
        sum(one.netted for one in taken),
        final.fee,
        final.withheld,
        final.bonus,
        final.sends,
        final.rail,
        method["id"] if method else None,
        asked_by,
        now,
        final.rate.id if final.rate else None,
        final.pays if final.rate else None,
        final.paid_in if final.rate else "",
        final.asks_identity,
    )
    await db.execute(
        """INSERT INTO payout_item (payout_id, commission_id, amount, active)
           SELECT $1, i.id, i.amount, true FROM unnest($2::bigint[], $3::bigint[]) AS i (id, amount)""",
        payout_id,
        [one.commission_id for one in taken],
        [one.amount for one in taken],
    )
    await note("asked", payout_id=payout_id, actor_id=payee.member_id if asked_by == "member" else None)


async def take_back(viewer: Viewer, payout_id: int) -> None:
    """A member changes their mind while their payout waits for a batch."""
    member_id = require_member(viewer)
    async with db.transaction():
        row = await db.fetch_one(
            "SELECT id, state, batch_id FROM payout WHERE id = $1 AND member_id = $2 FOR UPDATE", payout_id, member_id
        )
        if row is None:
            raise NotFound()
        if row["state"] != "claimed" or row["batch_id"] is not None:
            raise Conflict(_("This payout is on its way already."))
        await cancel_locked(payout_id, actor_id=member_id)


async def cancel_locked(payout_id: int, *, actor_id: int | None) -> None:
    """Give the money of a claimed payout back, in the transaction that holds its row."""
    items = await db.fetch(
        "UPDATE payout_item SET active = false WHERE payout_id = $1 AND active RETURNING commission_id, amount",
        payout_id,
    )
    await db.execute("UPDATE payout SET state = 'cancelled', state_at = $2 WHERE id = $1", payout_id, clock.now())
    await note("cancelled", payout_id=payout_id, actor_id=actor_id)
    if not await return_to_available(payout_id, dict(map(tuple, items)), "payout_cancelled"):
        raise RuntimeError(f"payout {payout_id} holds commissions that are not in it")
