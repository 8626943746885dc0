"""The books: double entry, append-only, each transaction chained to the one before by its hash."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from referrals.ledger.schemas import AccountName, Leg, Posting

NO_HASH = bytes(32)
# "GVLEDGER" in ASCII: the lock that makes the chain one chain. The last lock anybody takes, held to the commit.
CHAIN_LOCK = 0x47564C4544474552


async def post(
    kind: str, ref_type: str, ref_id: int, ref_seq: int, legs: Sequence[Leg], *, reason: str = ""
) -> int | None:
    """Write one transaction; its id, or None when this very posting is in the books already.

    Debit is positive, credit negative; per currency the legs sum to zero, or the database refuses the commit.
    """
    return (await post_all([Posting(kind, ref_type, ref_id, ref_seq, tuple(legs), reason)]))[0]


async def post_all(postings: Sequence[Posting]) -> list[int | None]:
    """Write transactions in this order; the id of each, or None for one that is in the books already.

    Whoever posts holds the chain until the commit, so everything of one database transaction goes in here together,
    at its end: three statements, however many there are.
    """
    if not postings:
        return []
    # A statement of its own: what is read after it sees whatever was committed before the lock was ours.
    await db.execute("SELECT pg_advisory_xact_lock($1)", CHAIN_LOCK)
    names = list({leg.account: None for posting in postings for leg in posting.legs})
    standing = await _look(postings, names)
    known = {(row[0], row[1], row[2], row[3]) for row in standing["known"]}
    accounts = dict(zip(names, standing["accounts"], strict=True))
    if None in standing["accounts"]:
        accounts |= await _open([name for name, account_id in accounts.items() if account_id is None])
    fresh = list({posting.key: posting for posting in postings if posting.key not in known}.values())
    ids = dict(zip([posting.key for posting in fresh], standing["ids"], strict=False))
    await _write(fresh, ids, accounts, standing["last_hash"] or NO_HASH)
    written: list[int | None] = []
    for posting in postings:
        # The same posting twice in one list is one posting, too.
        written.append(ids.pop(posting.key, None))
    return written


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
    entries = [
        (leg.account.owner_kind, leg.account.owner_id, leg.account.kind, leg.account.currency, leg.amount)
        for leg in legs
    ]
    return hashlib.sha256(before + canonical(kind, ref_type, ref_id, ref_seq, reason, at, entries)).digest()


def canonical(
    kind: str,
    ref_type: str,
    ref_id: int,
    ref_seq: int,
    reason: str,
    at: datetime,
    entries: Sequence[Sequence[object]],
) -> bytes:
    """A transaction as the bytes that are hashed: JSON without spaces, keys in the order of the alphabet, UTF-8."""
    told = {
        "at": at.isoformat(timespec="microseconds"),
        "entries": entries,
        "kind": kind,
        "reason": reason,
        "ref": (ref_type, ref_id, ref_seq),
    }
    return msgspec.json.encode(told)


async def _look(postings: Sequence[Posting], names: Sequence[AccountName]) -> asyncpg.Record:
    """What stands under the lock: the last hash, which postings are known, the accounts' ids, new ids to give."""
    row = await db.fetch_one(
        """SELECT (SELECT hash FROM ledger_transaction ORDER BY id DESC LIMIT 1) AS last_hash,
                  ARRAY(SELECT (t.kind, t.ref_type, t.ref_id, t.ref_seq)
                          FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) AS p (kind, type, id, seq)
                          JOIN ledger_transaction t ON (t.kind, t.ref_type, t.ref_id, t.ref_seq)
                                                     = (p.kind, p.type, p.id, p.seq)) AS known,
                  ARRAY(SELECT a.id
                          FROM unnest($5::text[], $6::bigint[], $7::text[], $8::text[])
                               WITH ORDINALITY AS n (owner_kind, owner_id, kind, currency, place)
                          LEFT JOIN ledger_account a ON (a.owner_kind, a.owner_id, a.kind, a.currency)
                                                      = (n.owner_kind, n.owner_id, n.kind, n.currency)
                         ORDER BY n.place) AS accounts,
                  ARRAY(SELECT nextval('ledger_transaction_id_seq') FROM generate_series(1, $9)) AS ids""",
        [posting.kind for posting in postings],
        [posting.ref_type for posting in postings],
        [posting.ref_id for posting in postings],
        [posting.ref_seq for posting in postings],
        *_columns(names),
        len(postings),
    )
    assert row is not None
    return row


async def _open(names: Sequence[AccountName]) -> dict[AccountName, int]:
    """New accounts. Nobody else can open them meanwhile: whoever posts holds the chain's lock."""
    rows = await db.fetch(
        """INSERT INTO ledger_account (owner_kind, owner_id, kind, currency)
           SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
           RETURNING id, owner_kind, owner_id, kind, currency""",
        *_columns(names),
    )
    return {AccountName(row["owner_kind"], row["owner_id"], row["kind"], row["currency"]): row["id"] for row in rows}


async def _write(
    postings: Sequence[Posting],
    ids: dict[tuple[str, str, int, int], int],
    accounts: dict[AccountName, int],
    before: bytes,
) -> None:
    at = clock.now()
    rows, entries = [], []
    for posting in postings:
        transaction_id = ids[posting.key]
        chained = chain_hash(before, *posting.key, posting.reason, at, posting.legs)
        rows.append((transaction_id, *posting.key, posting.reason, at, before, chained))
        before = chained
        for line, leg in enumerate(posting.legs, 1):
            entries.append((transaction_id, line, accounts[leg.account], leg.amount, leg.account.currency))
    if not rows:
        return
    # The entries' foreign key is looked at when the whole statement is done, so both tables fit into one.
    await db.execute(
        """WITH written AS (
               INSERT INTO ledger_transaction
                      (id, kind, ref_type, ref_id, ref_seq, reason, occurred_at, prev_hash, hash)
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::text[],
                                    $7::timestamptz[], $8::bytea[], $9::bytea[]))
           INSERT INTO ledger_entry (transaction_id, line, account_id, amount, currency)
           SELECT * FROM unnest($10::bigint[], $11::int[], $12::bigint[], $13::bigint[], $14::text[])""",
        *(list(column) for column in zip(*rows, strict=True)),
        *(list(column) for column in zip(*entries, strict=True)),
    )


def _columns(names: Sequence[AccountName]) -> tuple[list[str], list[int], list[str], list[str]]:
    return (
        [name.owner_kind for name in names],
        [name.owner_id for name in names],
        [name.kind for name in names],
        [name.currency for name in names],
    )
