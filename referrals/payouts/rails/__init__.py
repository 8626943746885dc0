"""The ways money leaves: what a member tells about each, and how it is sent. Add one here and it works everywhere."""

from referrals.payouts.rails import by_hand, store_credit, stripe_connect
from referrals.payouts.rails.shape import Rail

RAILS: dict[str, Rail] = {rail.name: rail for rail in (*by_hand.RAILS, store_credit.RAIL, stripe_connect.RAIL)}

__all__ = ["RAILS", "Rail"]
