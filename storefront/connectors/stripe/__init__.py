"""Stripe: its signature with a tolerance of five minutes, orders by their payment intent."""

from storefront.connectors.stripe.codes import pull_codes, push_codes
from storefront.connectors.stripe.mapper import facts, topic_of
from storefront.connectors.stripe.pull import complete, pull
from storefront.connectors.stripe.verify import verify

__all__ = ["complete", "facts", "pull", "pull_codes", "push_codes", "topic_of", "verify"]
