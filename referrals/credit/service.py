"""A buyer's credit at a store, had for buying on a friend's word: the store's server reads and spends it."""

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict, Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.money import Money, check_amount, check_currency, format_money
from app.text import clean
from referrals.credit import lots, queries
from referrals.credit.schemas import CreditLotView, CustomerCredit, NewUse
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from storefront.stores.policy import access_own_store


async def read(viewer: Viewer, slug: str, customer: str) -> CustomerCredit:
    """What one of the store's customers may spend there."""
    store = await access_own_store(viewer, slug)
    row = await queries.customer_of(store["id"], customer)
    found = await queries.lots_of(row["id"], clock.now())
    return CustomerCredit(
        row["external_id"],
        [Money(one["amount"], one["currency"]) for one in await queries.available(row["id"], clock.now())],
        [CreditLotView(Money(one["remaining"], one["currency"]), one["active_at"], one["expires_at"]) for one in found],
    )


async def spend(viewer: Viewer, slug: str, new: NewUse) -> tuple[asyncpg.Record, bool]:
    """Take credit as payment; the row, and whether it is new. The same id again is the same use, never a second one."""
    store = await access_own_store(viewer, slug)
    await limit("credit-use", store["id"], most=600, per=60)
    if check_amount(new.amount.amount) == 0:
        raise Invalid("amount", _("Nothing is no amount."))
    check_currency(new.amount.currency)
    external_id = clean(new.id, "id", least=1, most=200)
    order_ref = clean(new.order, "order", most=200)
    async with db.transaction():
        # The customer's row is the lock of their credit: of two that race for the last of it, one gets it.
        customer = await queries.customer_of(store["id"], new.customer, lock=True)
        facts = (customer["id"], new.amount.amount, new.amount.currency, order_ref)
        if known := await queries.use_of(store["id"], external_id):
            return _same(known, facts), False
        available = await lots.refold(customer["id"], new.amount.currency)
        available -= await queries.under_review(customer["id"], new.amount.currency)
        if available < new.amount.amount:
            left = format_money(Money(max(0, available), new.amount.currency))
            raise Conflict(_("There is only %(left)s of credit.", left=left))
        use_id = await db.fetch_val(
            """INSERT INTO credit_use (store_id, external_id, customer_id, amount, currency, order_external_id, used_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id""",
            store["id"],
            external_id,
            *facts,
            clock.now(),
        )
        if use_id is None:  # The same id at the same moment, for another customer.
            raise Conflict(_("This id was told before, with other facts."))
        await post("redeem", "credit_use", use_id, 1, _legs(store["id"], *facts[:3]), reason="credit_used")
        await lots.refold(customer["id"], new.amount.currency)
    made = await queries.use_of(store["id"], external_id)
    assert made is not None
    return made, True


async def give_back(viewer: Viewer, slug: str, external_id: str) -> None:
    """The payment did not happen after all: the customer has the credit again. Twice changes nothing."""
    store = await access_own_store(viewer, slug)
    async with db.transaction():
        known = await queries.use_of(store["id"], external_id)
        if known is None:
            raise NotFound()
        await lots.lock_customers([known["customer_id"]])
        row = await db.fetch_one(
            "UPDATE credit_use SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL RETURNING *",
            known["id"],
            clock.now(),
        )
        if row is not None:
            legs = _legs(store["id"], row["customer_id"], -row["amount"], row["currency"])
            await post("restore", "credit_use", row["id"], 2, legs, reason="credit_given_back")
            # To the lots it came from: what has ended meanwhile ends now.
            await lots.refold(row["customer_id"], row["currency"])


def _same(known: asyncpg.Record, facts: tuple[int, int, str, str]) -> asyncpg.Record:
    if (known["customer_id"], known["amount"], known["currency"], known["order_external_id"]) != facts:
        raise Conflict(_("This id was told before, with other facts."))
    return known


def _legs(store_id: int, customer_id: int, amount: int, currency: str) -> list[Leg]:
    return [
        Leg(AccountName("customer", customer_id, "store_credit", currency), amount),
        Leg(AccountName("store", store_id, "credit_redeemed", currency), -amount),
    ]
