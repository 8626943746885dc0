"""What members owe back, by store and currency: commissions that were taken back after they had been paid out."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from app import db

# "GVDEBT": two transactions that pay off, or add to, one member's debt stand in line.
_LOCK = 0x4756_4445_4254

_OWED = """
SELECT k.member_id, k.currency, k.store_id,
       (SELECT coalesce(sum(e.amount), 0)::bigint
          FROM ledger_account a
          JOIN ledger_entry e ON e.account_id = a.id
          JOIN ledger_transaction t ON t.id = e.transaction_id AND t.ref_type = 'commission'
          JOIN commission c ON c.id = t.ref_id
          JOIN program_version v ON v.id = c.program_version_id
          JOIN program p ON p.id = v.program_id AND p.store_id = k.store_id
         WHERE a.owner_kind = 'member' AND a.owner_id = k.member_id AND a.kind = 'receivable'
           AND a.currency = k.currency) AS owed
  FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS k (member_id, currency, store_id)
"""

Key = tuple[int, str, int]


async def lock_members(member_ids: Iterable[int]) -> None:
    """By their ids: two transactions that concern the same members stand in line, and never across each other."""
    ids = sorted(set(member_ids))
    if ids:
        await db.execute("SELECT pg_advisory_xact_lock($1::bigint # m) FROM unnest($2::bigint[]) m", _LOCK, ids)


class Debts:
    """The debts one transaction touches, read once under their locks and followed while it writes."""

    def __init__(self, owed: dict[Key, int]) -> None:
        self._owed = owed

    @classmethod
    async def of(cls, commissions: Iterable[Mapping[str, Any]]) -> Self:
        """Those of the members of these commissions, each at the store of the commission: all that may be asked for."""
        keys = sorted({_key(one) for one in commissions})
        if not keys:
            return cls({})
        await lock_members(member_id for member_id, *_ in keys)
        # A statement of its own, after the lock: it sees what whoever had it before has written.
        rows = await db.fetch(_OWED, *map(list, zip(*keys, strict=True)))
        return cls({_key(row): row["owed"] for row in rows})

    def pay(self, commission: Mapping[str, Any], amount: int) -> int:
        """How much of an amount goes to what the member owes this store."""
        paid = min(amount, max(0, self._owed[_key(commission)]))
        self._owed[_key(commission)] -= paid
        return paid

    def add(self, commission: Mapping[str, Any], amount: int) -> None:
        if amount:
            self._owed[_key(commission)] += amount


def _key(row: Mapping[str, Any]) -> Key:
    return (row["member_id"], row["currency"], row["store_id"])
