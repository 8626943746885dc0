"""Each use of credit stands in the books as its row says, and nothing else does."""

from app import db


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
