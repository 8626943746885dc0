import asyncpg

from app import db


async def balances_of(member_id: int) -> list[asyncpg.Record]:
    """What a member is owed, by currency and bucket, summed from the entries (a credit is owed, so the sign turns)."""
    return await db.fetch(
        """SELECT a.currency, a.kind AS bucket, -sum(e.amount)::bigint AS amount
             FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.owner_kind = 'member' AND a.owner_id = $1
            GROUP BY a.currency, a.kind ORDER BY a.currency, a.kind""",
        member_id,
    )


async def entries_for(ref_type: str, ref_ids: list[int], member_id: int) -> list[asyncpg.Record]:
    """A member's entries that certain things caused, oldest first."""
    return await db.fetch(
        """SELECT t.ref_id, t.kind, t.reason, t.occurred_at, a.kind AS bucket, -e.amount AS amount, e.currency
             FROM ledger_transaction t
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id
            WHERE t.ref_type = $1 AND t.ref_id = ANY($2::bigint[])
              AND a.owner_kind = 'member' AND a.owner_id = $3
            ORDER BY t.id, e.line""",
        ref_type,
        ref_ids,
        member_id,
    )
