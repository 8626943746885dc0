"""The generic provider: Standard Webhooks, with messages in a shape of our own that any shop can write."""

from storefront.connectors.generic.mapper import facts, topic_of
from storefront.connectors.generic.pull import pull
from storefront.connectors.signing import standard_webhook as verify

__all__ = ["facts", "pull", "topic_of", "verify"]
