"""WooCommerce: HMAC over the body with the webhook's secret, topics in a header, the orders of its REST API v3."""

from storefront.connectors.woocommerce.codes import pull_codes, push_codes
from storefront.connectors.woocommerce.mapper import facts, topic_of
from storefront.connectors.woocommerce.pull import pull
from storefront.connectors.woocommerce.verify import verify

__all__ = ["facts", "pull", "pull_codes", "push_codes", "topic_of", "verify"]
