"""Medusa: the subscriber of docs/SHOPS.md sends its orders as they are, signed as Standard Webhooks."""

from storefront.connectors.medusa.codes import pull_codes, push_codes
from storefront.connectors.medusa.mapper import facts, topic_of
from storefront.connectors.medusa.pull import pull
from storefront.connectors.signing import standard_webhook as verify

__all__ = ["facts", "pull", "pull_codes", "push_codes", "topic_of", "verify"]
