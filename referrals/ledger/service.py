"""The books: double entry, append-only, each transaction chained to the one before by its hash."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from app import clock, db
from referrals.ledger.schemas import AccountName, Leg

NO_HASH = bytes(32)
# "GVLEDGER" in ASCII: the lock that makes the chain one chain. The last lock anybody takes, held to the commit.
CHAIN_LOCK = 0x47564C4544474552


async def post(
    kind: str, ref_type: str, ref_id: int, ref_seq: int, legs: Sequence[Leg], *, reason: str = ""
) -> int | None:
    """Write one transaction; its id, or None when this very posting is in the books already.

    Debit is positive, credit negative; per currency the legs sum to zero, or the database refuses the commit.
    """
    await db.execute("SELECT pg_advisory_xact_lock($1)", CHAIN_LOCK)
    known = await db.fetch_val(
        "SELECT 1 FROM ledger_transaction WHERE kind = $1 AND ref_type = $2 AND ref_id = $3 AND ref_seq = $4",
        kind,
        ref_type,
        ref_id,
        ref_seq,
    )
    if known:
        return None
    at = clock.now()
    before = await db.fetch_val("SELECT hash FROM ledger_transaction ORDER BY id DESC LIMIT 1") or NO_HASH
    chained = chain_hash(before, kind, ref_type, ref_id, ref_seq, reason, at, legs)
    transaction_id: int = await db.fetch_val(
        """INSERT INTO ledger_transaction (kind, ref_type, ref_id, ref_seq, reason, occurred_at, prev_hash, hash)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""",
        kind,
        ref_type,
        ref_id,
        ref_seq,
        reason,
        at,
        before,
        chained,
    )
    for number, leg in enumerate(legs, 1):
        await db.execute(
            "INSERT INTO ledger_entry (transaction_id, line, account_id, amount, currency) VALUES ($1, $2, $3, $4, $5)",
            transaction_id,
            number,
            await _account(leg.account),
            leg.amount,
            leg.account.currency,
        )
    return transaction_id


def chain_hash(
    before: bytes,
    kind: str,
    ref_type: str,
    ref_id: int,
    ref_seq: int,
    reason: str,
    at: datetime,
    legs: Sequence[Leg],
) -> bytes:
    """SHA-256 of the hash before and the transaction as canonical JSON, accounts by name, so a member can check it."""
    told = {
        "at": at.isoformat(timespec="microseconds"),
        "entries": [
            [leg.account.owner_kind, leg.account.owner_id, leg.account.kind, leg.account.currency, leg.amount]
            for leg in legs
        ],
        "kind": kind,
        "reason": reason,
        "ref": [ref_type, ref_id, ref_seq],
    }
    return hashlib.sha256(before + msgspec.json.encode(told, order="deterministic")).digest()


async def _account(name: AccountName) -> int:
    found: int | None = await db.fetch_val(
        "SELECT id FROM ledger_account WHERE owner_kind = $1 AND owner_id = $2 AND kind = $3 AND currency = $4",
        *msgspec.structs.astuple(name),
    )
    if found is None:
        # Nobody else can open it meanwhile: whoever posts holds the chain's lock.
        found = await db.fetch_val(
            "INSERT INTO ledger_account (owner_kind, owner_id, kind, currency) VALUES ($1, $2, $3, $4) RETURNING id",
            *msgspec.structs.astuple(name),
        )
    return found  # type: ignore[return-value]
