"""Saleor: it sends what a query of ours asks for (docs/SHOPS.md), signed by the key it publishes or by a secret."""

from storefront.connectors.saleor.codes import pull_codes, push_codes
from storefront.connectors.saleor.mapper import facts, topic_of
from storefront.connectors.saleor.pull import pull
from storefront.connectors.saleor.verify import verify, verify_by_published_key

__all__ = ["facts", "pull", "pull_codes", "push_codes", "topic_of", "verify", "verify_by_published_key"]
