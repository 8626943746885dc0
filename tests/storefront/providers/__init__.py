"""One sale, told the way each provider tells it: bodies of our own, in the shapes their documentation gives."""

from tests.storefront.providers import generic, medusa, saleor, shopify, stripe, woocommerce
from tests.storefront.providers.sale import Message, Refund, Sale, SaleLine

TELLERS = {
    "generic": generic,
    "shopify": shopify,
    "woocommerce": woocommerce,
    "stripe": stripe,
    "medusa": medusa,
    "saleor": saleor,
}

__all__ = ["TELLERS", "Message", "Refund", "Sale", "SaleLine"]
