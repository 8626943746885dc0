"""Read the whole ledger again and say what does not hold."""

from app import db
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import NO_HASH, chain_hash

BATCH = 2000
MOST_ERRORS = 1000


async def check_entries() -> tuple[int, list[str]]:
    """How many entries there are, and each transaction that does not sum to zero or follow from the one before."""
    errors: list[str] = []
    entries, last_id, before = 0, 0, NO_HASH
    while True:
        rows = await db.fetch(
            """SELECT t.*, legs.legs FROM (SELECT * FROM ledger_transaction WHERE id > $1 ORDER BY id LIMIT $2) t
                 LEFT JOIN LATERAL (
                      SELECT array_agg((a.owner_kind, a.owner_id, a.kind, a.currency, e.amount, e.currency)
                                       ORDER BY e.line) AS legs
                        FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
                       WHERE e.transaction_id = t.id) legs ON true
                ORDER BY t.id""",
            last_id,
            BATCH,
        )
        for row in rows:
            legs = row["legs"] or []
            entries += len(legs)
            errors += _check(row, legs, before)
            last_id, before = row["id"], row["hash"]
        if len(rows) < BATCH or len(errors) >= MOST_ERRORS:
            return entries, errors[:MOST_ERRORS]


def _check(row, legs, before: bytes) -> list[str]:  # type: ignore[no-untyped-def]
    name = f"transaction {row['id']}"
    errors = []
    sums: dict[str, int] = {}
    for leg in legs:
        sums[leg[5]] = sums.get(leg[5], 0) + leg[4]
        if leg[5] != leg[3]:
            errors.append(f"{name}: an entry in {leg[5]} on an account in {leg[3]}")
    if not legs:
        errors.append(f"{name} has no entries")
    errors += [f"{name} sums to {total} {currency}, not to zero" for currency, total in sums.items() if total]
    if row["prev_hash"] != before:
        errors.append(f"{name} does not follow the one before it: something was removed, added or changed")
    told = [Leg(AccountName(*leg[:4]), leg[4]) for leg in legs]
    expected = chain_hash(
        row["prev_hash"],
        row["kind"],
        row["ref_type"],
        row["ref_id"],
        row["ref_seq"],
        row["reason"],
        row["occurred_at"],
        told,
    )
    if row["hash"] != expected:
        errors.append(f"{name} was changed after it was written: its hash does not fit")
    return errors


async def check_balances() -> list[str]:
    """Nobody can be owed less than nothing, and every entry belongs to a transaction and an account."""
    rows = await db.fetch(
        """SELECT a.owner_kind, a.owner_id, a.kind, a.currency, -sum(e.amount) AS owed
             FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.owner_kind = 'member' AND a.kind <> 'receivable'
            GROUP BY a.id HAVING sum(e.amount) > 0"""
    )
    return [f"{row['owner_kind']} {row['owner_id']} {row['kind']} is {row['owed']} {row['currency']}" for row in rows]
