"""Credit at the store instead of money: there at once, and worth more where the store adds a bonus."""

from referrals.payouts.rails.shape import Rail

# Nothing is sent anywhere: settling it writes the credit and its code (see settlement.py).
RAIL = Rail("store_credit", (), "")
