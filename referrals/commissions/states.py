"""The states of a commission and the bucket of the ledger in which its money lies meanwhile."""

# tentative -> pending <-> held -> approved -> allocated -> paid; rejected and reversed are ends. Nothing leaves
# `reversed` by time or by hand: only a new fact about the order (a price corrected upwards) opens it again.
BUCKET = {
    "tentative": "pending",
    "pending": "pending",
    "held": "held",
    "approved": "available",
    "allocated": "in_payout",
    "paid": "receivable",
    "rejected": "pending",
    "reversed": "pending",
}
BUCKETS = ("pending", "held", "available", "in_payout", "paid", "receivable")
