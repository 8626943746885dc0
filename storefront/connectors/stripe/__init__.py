"""Stripe: its signature with a tolerance of five minutes, orders by their payment intent."""

from storefront.connectors.stripe.mapper import facts, topic_of
from storefront.connectors.stripe.pull import complete, pull
from storefront.connectors.stripe.verify import verify

__all__ = ["complete", "facts", "pull", "topic_of", "verify"]
