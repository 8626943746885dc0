"""Store credit and its codes: given by a payout, used at the store."""

from app import clock, db
from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from app.limits import limit
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from storefront.stores.policy import access_own_store


async def use(viewer: Viewer, slug: str, code: str, order_ref: str) -> int:
    """The store took this code as payment, once and in full; its amount."""
    store = await access_own_store(viewer, slug)
    await limit("store-credit", viewer.member_id, most=60, per=60)
    async with db.transaction():
        row = await db.fetch_one(
            """UPDATE store_credit SET used_at = $3, used_on = $4
                WHERE store_id = $1 AND code = $2 AND used_at IS NULL RETURNING *""",
            store["id"],
            code.strip().lower(),
            clock.now(),
            order_ref[:100],
        )
        if row is None:
            raise Invalid("code", _("There is no unused credit with this code."))
        legs = [
            Leg(AccountName("member", row["member_id"], "store_credit", row["currency"]), row["amount"]),
            Leg(AccountName("store", store["id"], "credit_redeemed", row["currency"]), -row["amount"]),
        ]
        await post("redeem", "store_credit", row["id"], 1, legs, reason="credit_used")
        amount: int = row["amount"]
    return amount
