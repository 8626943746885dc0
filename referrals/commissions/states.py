"""The states of a commission and the bucket of the ledger in which its money lies meanwhile."""

# tentative -> pending <-> held -> approved -> allocated -> paid; rejected and reversed are ends. Nothing leaves
# `reversed` by time or by hand: only a new fact about the order (a price corrected upwards, a dispute won) opens it
# again, or a bank that sends back what had been paid of it. In the same way a `paid` commission that earns more is
# `approved` once more, with the difference.
BUCKET = {
    "tentative": "pending",
    "pending": "pending",
    "held": "held",
    "approved": "available",
    # What earns more while a payout is on its way waits beside it; what is on its way is never touched.
    "allocated": "available",
    "paid": "available",
    "rejected": "pending",
    "reversed": "pending",
}
# Where money of a commission may lie. `receivable` is what the member owes, or what went to pay for it; `in_payout`
# is what ever went into a payout and did not come back, so it stays there when a paid commission changes again.
MAY_LIE_IN = {
    "tentative": ("pending",),
    "pending": ("pending", "receivable", "in_payout"),
    "held": ("held", "receivable", "in_payout"),
    "approved": ("available", "receivable", "in_payout"),
    "allocated": ("available", "receivable", "in_payout"),
    "paid": ("receivable", "in_payout"),
    "rejected": ("receivable", "in_payout"),
    "reversed": ("receivable", "in_payout"),
}
STEPS = {
    "": ("tentative", "pending"),
    "tentative": ("pending", "held", "reversed", "rejected"),
    "pending": ("held", "approved", "reversed", "rejected"),
    "held": ("pending", "rejected"),
    "approved": ("allocated", "held", "reversed", "rejected"),
    # What breaks the rules is taken back though it is on its way or has arrived: it becomes a debt.
    "allocated": ("paid", "approved", "rejected"),
    "paid": ("approved", "rejected"),
    # An objection that was right, and nothing else (trails.py).
    "rejected": ("pending", "allocated", "paid"),
    "reversed": ("pending", "approved"),
}
BUCKETS = ("pending", "held", "available", "in_payout", "paid", "receivable")
