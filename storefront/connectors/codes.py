"""Our codes in the shop's own till, so that they take something off there."""

from collections.abc import Sequence

import asyncpg

from app.errors import Invalid
from app.i18n import gettext as _
from storefront.connectors import medusa, saleor, shopify, stripe, woocommerce
from storefront.connectors.ask import access_of
from storefront.connectors.schemas import Offer

TILLS = {"shopify": shopify, "woocommerce": woocommerce, "stripe": stripe, "medusa": medusa, "saleor": saleor}
PUSHES = {name: till.push_codes for name, till in TILLS.items()}
PULLS = {name: till.pull_codes for name, till in TILLS.items()}


async def pull_codes(store: asyncpg.Record, offer: Offer) -> list[str]:
    """The codes that the shop's till takes now. Not inside a transaction; raises ask.Refused."""
    pull = PULLS.get(store["provider"])
    if pull is None:
        raise Invalid("provider", _("The codes of shops of this kind cannot be read."))
    return await pull(await access_of(store), offer)


async def push_codes(store: asyncpg.Record, codes: Sequence[str], offer: Offer) -> dict[str, str]:
    """Each code with what stood in its way, empty when the shop takes it. Repeating it changes nothing.

    Not inside a transaction: the shop is asked. Raises ask.Refused when it does not answer.
    """
    push = PUSHES.get(store["provider"])
    if push is None:
        raise Invalid("provider", _("Codes cannot be written into shops of this kind; enter them there by hand."))
    return await push(await access_of(store), offer, codes)
