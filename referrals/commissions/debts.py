"""What members owe back, by store and currency: commissions that were taken back after they had been paid out."""

import asyncpg

from app import db

# "GVDEBT": two transactions that pay off, or add to, one member's debt stand in line.
_LOCK = 0x4756_4445_4254

OWED = """
SELECT coalesce(sum(e.amount), 0)::bigint
  FROM ledger_account a
  JOIN ledger_entry e ON e.account_id = a.id
  JOIN ledger_transaction t ON t.id = e.transaction_id AND t.ref_type = 'commission'
  JOIN commission c ON c.id = t.ref_id
  JOIN program_version v ON v.id = c.program_version_id
  JOIN program p ON p.id = v.program_id AND p.store_id = $3
 WHERE a.owner_kind = 'member' AND a.owner_id = $1 AND a.kind = 'receivable' AND a.currency = $2
"""


class Debts:
    """The debts one transaction touches, read once under a lock and followed while it writes."""

    def __init__(self) -> None:
        self._owed: dict[tuple[int, str, int], int] = {}

    async def pay(self, commission: asyncpg.Record, amount: int) -> int:
        """How much of an amount goes to what the member owes this store."""
        key = await self._read(commission)
        paid = min(amount, max(0, self._owed[key]))
        self._owed[key] -= paid
        return paid

    async def add(self, commission: asyncpg.Record, amount: int) -> None:
        if amount:
            self._owed[await self._read(commission)] += amount

    async def _read(self, commission: asyncpg.Record) -> tuple[int, str, int]:
        key = (commission["member_id"], commission["currency"], commission["store_id"])
        if key not in self._owed:
            await db.execute("SELECT pg_advisory_xact_lock($1::bigint # $2::bigint)", _LOCK, commission["member_id"])
            self._owed[key] = await db.fetch_val(OWED, *key)
        return key
