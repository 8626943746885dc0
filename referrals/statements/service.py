"""Statements: opening, every entry with its reason, closing; and the proof to check them by without us."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from app.errors import NotFound
from app.i18n import gettext as _
from app.money import EXPONENTS, Money, format_money, in_major_units, plain_decimal
from app.paging import decode, encode
from app.sheets import sheet_line
from referrals.attribution.addresses import why_address
from referrals.commissions.causes import Cause, causes_of
from referrals.commissions.reasons import reason_words
from referrals.ledger.service import canonical
from referrals.statements import queries
from referrals.statements.schemas import Link, Month, Move, Proof, Statement, StatementEntry

ALGORITHM = "sha256(prev_hash bytes + told as UTF-8) = hash"
BATCH = 500
BUCKETS = ("pending", "held", "available", "in_payout", "receivable", "store_credit")
SHEET_HEAD = ("at", "reason", "words", "store", "order", "title", "amount", "balance", "currency", *BUCKETS, "hash")


async def months_of(member_id: int) -> list[Month]:
    return [
        Month(row["month"], row["currency"], row["entries"], Money(row["closing"], row["currency"]))
        for row in await queries.months_of(member_id)
    ]


async def statement_of(
    member_id: int, handle: str, month: str, currency: str, *, after: str | None = None, limit: int = 100
) -> Statement:
    """A month of a member's accounts in one currency; empty months too, for whoever asks."""
    start, end = _bounds(month, currency)
    opening = await queries.buckets_at(member_id, currency, start)
    closing = await queries.buckets_at(member_id, currency, end)
    totals = await queries.totals_of(member_id, currency, start, end)
    since = (decode(after, (int,)) or (0,))[0]
    rows = await queries.transactions_of(member_id, currency, start, end, since, limit + 1)
    before = await queries.balance_up_to(member_id, currency, start, since)
    causes = await _causes_of(rows)
    entries, balance = [], before
    for row in rows[:limit]:
        balance += row["amount"]
        entries.append(_entry(row, causes, currency, balance))
    return Statement(
        member=handle,
        month=month,
        currency=currency,
        opening=_buckets(opening, currency),
        closing=_buckets(closing, currency),
        opening_total=Money(sum(opening.values()), currency),
        closing_total=Money(sum(closing.values()), currency),
        earned=Money(totals["earned"], currency),
        taken_back=Money(totals["taken_back"], currency),
        paid_out=Money(totals["paid_out"], currency),
        balance_before=Money(before, currency),
        entries=entries,
        next=encode(rows[limit - 1]["id"]) if len(rows) > limit else None,
        stamp=(totals["stamp"] or b"").hex(),
    )


async def sheet_of(member_id: int, month: str, currency: str) -> AsyncIterator[str]:
    """The same as CSV, from the opening to the closing; no cell of it is a formula to any spreadsheet."""
    start, end = _bounds(month, currency)
    opening = await queries.buckets_at(member_id, currency, start)
    balance = sum(opening.values())
    yield "\ufeff" + sheet_line(SHEET_HEAD)
    yield sheet_line(_total_row(start, "opening", _("Opening balance"), balance, currency, opening))
    since = 0
    while rows := await queries.transactions_of(member_id, currency, start, end, since, BATCH):
        since = rows[-1]["id"]
        causes = await _causes_of(rows)
        for row in rows:
            balance += row["amount"]
            yield sheet_line(_row(row, causes, currency, balance))
    closing = await queries.buckets_at(member_id, currency, end)
    yield sheet_line(_total_row(end, "closing", _("Closing balance"), sum(closing.values()), currency, closing))


async def proof_of(member_id: int, handle: str, month: str, currency: str) -> Proof:
    """The member's transactions of a month as they were hashed, to be checked by anybody with SHA-256."""
    start, end = _bounds(month, currency)
    links, since = [], 0
    while rows := await queries.transactions_of(member_id, currency, start, end, since, BATCH):
        since = rows[-1]["id"]
        legs = await queries.accounts_in([row["id"] for row in rows])
        for row in rows:
            told = canonical(
                row["kind"],
                row["ref_type"],
                row["ref_id"],
                row["ref_seq"],
                row["reason"],
                row["occurred_at"],
                legs[row["id"]],
            )
            links.append(Link(str(row["id"]), row["prev_hash"].hex(), told.decode(), row["hash"].hex()))
    return Proof(
        member=handle,
        month=month,
        currency=currency,
        algorithm=ALGORITHM,
        accounts=[["member", str(member_id), bucket, currency] for bucket in BUCKETS],
        opening=await queries.buckets_at(member_id, currency, start),
        closing=await queries.buckets_at(member_id, currency, end),
        links=links,
    )


def check_proof(proof: Proof) -> list[str]:
    """What does not hold in a proof, worked out from nothing but the file itself."""
    errors = []
    sums = dict(proof.opening)
    mine = proof.accounts[0][1] if proof.accounts else ""
    for link in proof.links:
        name = f"transaction {link.transaction}"
        if hashlib.sha256(bytes.fromhex(link.prev_hash) + link.told.encode()).hexdigest() != link.hash:
            errors.append(f"{name} was changed: its hash does not fit")
            continue
        told: dict[str, Any] = msgspec.json.decode(link.told)
        for owner_kind, owner_id, bucket, currency, amount in told["entries"]:
            if (owner_kind, str(owner_id), currency) == ("member", mine, proof.currency):
                sums[bucket] = sums.get(bucket, 0) - amount
    for bucket in sorted({*sums, *proof.closing}):
        if sums.get(bucket, 0) != proof.closing.get(bucket, 0):
            errors.append(f"{bucket} comes to {sums.get(bucket, 0)}, but {proof.closing.get(bucket, 0)} is stated")
    return errors


async def currency_for(member_id: int, month: str, asked: str | None) -> str:
    """The currency asked for, or the member's usual one."""
    bounds = queries.bounds(month)
    if asked or bounds is None:
        return asked or ""
    return await queries.usual_currency(member_id, bounds[1]) or ""


def file_of(month: str, name: str) -> tuple[str, str]:
    """Currency and ending of a file's name ("USD.csv"), when there can be such a statement."""
    currency, _dot, ending = name.partition(".")
    if ending not in ("csv", "json"):
        raise NotFound(_("There is no such statement."))
    _bounds(month, currency)
    return currency, ending


def _bounds(month: str, currency: str) -> tuple[datetime, datetime]:
    bounds = queries.bounds(month)
    if bounds is None or currency not in EXPONENTS:
        raise NotFound(_("There is no such statement."))
    return bounds


async def _causes_of(rows: Sequence[asyncpg.Record]) -> dict[int, Cause]:
    return await causes_of([row["commission_id"] for row in rows if row["commission_id"] and not row["order_ref"]])


def _title(row: asyncpg.Record, causes: Mapping[int, Cause]) -> str:
    cause = causes.get(row["commission_id"])
    return cause.title if cause else row["title"]


def _why(row: asyncpg.Record) -> str:
    if row["order_ref"]:
        return why_address(row["order_ref"], row["store_slug"])
    return f"/earn/commissions/{row['commission_id']}" if row["commission_id"] else ""


def _entry(row: asyncpg.Record, causes: Mapping[int, Cause], currency: str, balance: int) -> StatementEntry:
    return StatementEntry(
        at=row["occurred_at"].isoformat(),
        kind=row["kind"],
        reason=row["reason"],
        words=_words(row, currency),
        order=row["order_ref"],
        store=row["store_name"],
        title=_title(row, causes),
        amount=Money(row["amount"], currency),
        moves=[Move(bucket, Money(amount, currency)) for bucket, amount in row["moves"]],
        balance=Money(balance, currency),
        hash=row["hash"].hex(),
        why_url=_why(row),
        arrives=Money(row["pays"], row["pays_currency"]) if row["fx_rate"] else None,
        rate=plain_decimal(row["fx_rate"]) if row["fx_rate"] else "",
    )


def _words(row: asyncpg.Record, currency: str) -> str:
    """What happened; with both amounts and the rate where a payout was turned into another currency."""
    words = reason_words(row["reason"])
    if not row["fx_rate"]:
        return words
    return _(
        "%(words)s: %(sends)s as %(pays)s (1 %(base)s = %(rate)s %(quote)s)",
        words=words,
        sends=format_money(Money(row["sends"], currency)),
        pays=format_money(Money(row["pays"], row["pays_currency"])),
        base=currency,
        rate=plain_decimal(row["fx_rate"]),
        quote=row["pays_currency"],
    )


def _buckets(amounts: Mapping[str, int], currency: str) -> dict[str, Money]:
    return {bucket: Money(amount, currency) for bucket, amount in amounts.items()}


def _row(row: asyncpg.Record, causes: Mapping[int, Cause], currency: str, balance: int) -> list[object]:
    moved = dict.fromkeys(BUCKETS, 0)
    for bucket, amount in row["moves"]:
        moved[bucket] = moved.get(bucket, 0) + amount
    return [
        row["occurred_at"].isoformat(timespec="seconds"),
        row["reason"],
        _words(row, currency),
        row["store_name"],
        row["order_ref"],
        _title(row, causes),
        _major(row["amount"], currency),
        _major(balance, currency),
        currency,
        *(_major(moved[bucket], currency) for bucket in BUCKETS),
        row["hash"].hex(),
    ]


def _total_row(
    at: datetime, reason: str, words: str, total: int, currency: str, buckets: Mapping[str, int]
) -> list[object]:
    each = [_major(buckets.get(bucket, 0), currency) for bucket in BUCKETS]
    return [
        at.isoformat(timespec="seconds"),
        reason,
        words,
        "",
        "",
        "",
        "",
        _major(total, currency),
        currency,
        *each,
        "",
    ]


def _major(amount: int, currency: str) -> str:
    return f"{in_major_units(Money(amount, currency)):.{EXPONENTS[currency]}f}"
