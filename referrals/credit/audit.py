"""Each use and each lot of credit stands in the books as its row says, and the lots follow the facts."""

from datetime import timedelta

from app import clock, db
from referrals.credit.fold import fold
from referrals.credit.lots import lots_in, lots_of, uses_of

# The chore that ends lots comes every hour: until then one that is over may stand as before.
SWEPT_WITHIN = timedelta(hours=3)
MOST = 100


async def check_credit_uses() -> list[str]:
    rows = await db.fetch(
        """SELECT coalesce(u.id, p.ref_id) AS id, p.amount,
                  CASE WHEN u.undone_at IS NULL THEN u.amount ELSE 0 END AS wanted
             FROM credit_use u
             FULL JOIN (SELECT t.ref_id, sum(e.amount) FILTER (WHERE a.owner_kind = 'customer')::bigint AS amount
                          FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                          JOIN ledger_account a ON a.id = e.account_id
                         WHERE t.ref_type = 'credit_use' GROUP BY 1) p ON p.ref_id = u.id
            WHERE p.amount IS DISTINCT FROM CASE WHEN u.undone_at IS NULL THEN u.amount ELSE 0 END
            ORDER BY 1 LIMIT 100"""
    )
    return [f"use of credit {row['id']} stands at {row['amount']} in the books, not {row['wanted']}" for row in rows]


async def check_credit_lots() -> list[str]:
    """What was granted is what its reason was posted for; what is left and what ended is what uses and time ask for."""
    granted = await db.fetch(
        """SELECT coalesce(l.source, 'friend_reward:' || p.ref_id) AS source, l.granted, p.amount
             FROM credit_lot l
             FULL JOIN (SELECT t.ref_id, sum(e.amount)::bigint AS amount
                          FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                          JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'reward_expense'
                         WHERE t.ref_type = 'friend_reward' GROUP BY 1) p ON l.source = 'friend_reward:' || p.ref_id
            WHERE coalesce(l.granted, 0) <> coalesce(p.amount, 0) ORDER BY 1 LIMIT 100"""
    )
    errors = [
        f"lot of credit {row['source']} was granted {row['granted']}; the books have {row['amount']}" for row in granted
    ]
    whose = await db.fetch("SELECT DISTINCT customer_id, currency FROM credit_lot ORDER BY 1, 2")
    for one in whose:
        errors += await check_lots_of(one["customer_id"], one["currency"])
        if len(errors) >= MOST:
            break
    return errors


async def check_lots_of(customer_id: int, currency: str) -> list[str]:
    rows, uses, now = await lots_of(customer_id, currency), await uses_of(customer_id, currency), clock.now()
    spends = await db.fetch(
        """SELECT s.* FROM credit_spend s JOIN credit_lot l ON l.id = s.lot_id
            WHERE l.customer_id = $1 AND l.currency = $2""",
        customer_id,
        currency,
    )
    errors = [
        f"lot of credit {row['id']} ended by {row['expired']}; the books have {row['posted']}"
        for row in rows
        if row["expired"] != row["posted"]
    ]
    stands = (
        {row["id"]: row["remaining"] for row in rows},
        {row["id"]: row["expired"] for row in rows},
        {(row["lot_id"], row["use_id"]): row["amount"] for row in spends},
    )
    asked = [fold(lots_in(rows), uses, at) for at in (now, now - SWEPT_WITHIN)]
    if not any(stands == (one.remaining, one.expired, one.spent) for one in asked):
        errors.append(f"the lots of credit of customer {customer_id} in {currency} do not follow grants and uses")
    in_books = await db.fetch_val(
        """SELECT -coalesce(sum(e.amount), 0)::bigint FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.owner_kind = 'customer' AND a.owner_id = $1 AND a.kind = 'store_credit' AND a.currency = $2""",
        customer_id,
        currency,
    )
    if all(sum(one.remaining.values()) - one.owed != in_books for one in asked):
        errors.append(f"customer {customer_id} has {in_books} {currency} in the books, not what is left of the lots")
    return errors
