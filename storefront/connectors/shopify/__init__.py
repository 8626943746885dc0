"""Shopify: HMAC over the body with the app's secret, topics in a header, the orders of its Admin REST format."""

from storefront.connectors.shopify.codes import pull_codes, push_codes
from storefront.connectors.shopify.mapper import facts, topic_of
from storefront.connectors.shopify.pull import pull
from storefront.connectors.shopify.verify import verify

__all__ = ["facts", "pull", "pull_codes", "push_codes", "topic_of", "verify"]
