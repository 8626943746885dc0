"""What a payout would be, line by line, before anybody confirms it. Reads only."""

from collections.abc import Mapping
from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from app.money import LARGEST_AMOUNT, share_of
from referrals.identity.queries import checked_at
from referrals.payouts.methods import is_verified, trouble_with
from referrals.payouts.rails import RAILS
from referrals.payouts.rates import Rate, convert, rates_from
from referrals.payouts.taxes import Verdict, thresholds, verdict_of
from referrals.payouts.terms import Terms, terms_of
from referrals.payouts.thresholds import Threshold

MOST_ITEMS = 5000
"""A payout takes the oldest so many; the rest waits for the next one."""

# What is ready for one member or all: approved, with money available, held until before the cut-off.
READY = """
SELECT c.id, c.member_id, c.currency, p.store_id,
       (SELECT coalesce(-sum(e.amount), 0)::bigint
          FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
          JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member' AND a.kind = 'available'
         WHERE t.ref_type = 'commission' AND t.ref_id = c.id) AS available
  FROM commission c
  JOIN program_version v ON v.id = c.program_version_id
  JOIN program p ON p.id = v.program_id
 WHERE c.state = 'approved' AND ($1::bigint IS NULL OR c.member_id = $1) AND ($2::bigint IS NULL OR p.store_id = $2)
   AND ($3::text IS NULL OR c.currency = $3) AND greatest(c.hold_until, c.risk_hold_until) <= $4
 ORDER BY c.id
"""

_OWED = """
SELECT a.owner_id AS member_id, p.store_id, a.currency, greatest(sum(e.amount), 0)::bigint AS owed
  FROM ledger_account a
  JOIN ledger_entry e ON e.account_id = a.id
  JOIN ledger_transaction t ON t.id = e.transaction_id AND t.ref_type = 'commission'
  JOIN commission c ON c.id = t.ref_id
  JOIN program_version v ON v.id = c.program_version_id
  JOIN program p ON p.id = v.program_id
 WHERE a.owner_kind = 'member' AND a.kind = 'receivable' AND a.owner_id = ANY($1::bigint[])
 GROUP BY 1, 2, 3
"""


class Sum(msgspec.Struct, frozen=True):
    """What a member could take from a store now: `available`, less what they owe it."""

    member_id: int
    store_id: int
    currency: str
    available: int
    owed: int

    @property
    def amount(self) -> int:
        return max(0, self.available - self.owed)


class Quote(msgspec.Struct, frozen=True):
    """One payout as it would be. `trouble` is a stable word, empty when it can be asked for."""

    sum: Sum
    terms: Terms
    rail: str
    hint: str
    is_early: bool
    fee: int
    bonus: int
    withheld: int
    sends: int
    paid_in: str
    """What the account is kept in; `sends` becomes `pays` of it, by `rate` where that is another currency."""
    rate: Rate | None
    pays: int
    reached: list[str]
    asks_identity: bool
    """It goes beyond what the store's terms let go to anybody in a year."""
    trouble: str

    @property
    def pays_on(self) -> datetime | None:
        return clock.now() if self.rail == "store_credit" else self.terms.next_pay_day


class Payee(msgspec.Struct, frozen=True):
    """What is known of somebody who could be paid."""

    member_id: int
    handle: str
    rail: str
    automatic: bool
    is_suspended: bool
    country: str
    has_tax_number: bool
    paid: int
    reviewed_at: list[int]
    """Stores where something of theirs is held: while a case is open, nothing is paid out there."""
    paid_at: dict[str, int]
    """Money of this calendar year, by store; its key is the store's id."""
    checked_at: list[int]
    """Stores whose people have looked at who they are, by a document that still holds."""
    methods: dict[str, asyncpg.Record]


async def sums_of(
    *,
    member_id: int | None = None,
    store_id: int | None = None,
    currency: str | None = None,
    until: datetime | None = None,
) -> list[Sum]:
    """What is ready, by member, store and currency."""
    rows = await db.fetch(
        f"""SELECT member_id, store_id, currency, sum(available)::bigint AS available
              FROM ({READY}) ready WHERE available > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        member_id,
        store_id,
        currency,
        until or clock.now(),
    )
    debts = await db.fetch(_OWED, list({row["member_id"] for row in rows}))
    owed = {(row["member_id"], row["store_id"], row["currency"]): row["owed"] for row in debts}
    return [Sum(**row, owed=owed.get((row["member_id"], row["store_id"], row["currency"]), 0)) for row in rows]


async def ready_ids(member_id: int, store_id: int, currency: str, until: datetime) -> list[int]:
    rows = await db.fetch(f"{READY} LIMIT {MOST_ITEMS}", member_id, store_id, currency, until)
    return [row["id"] for row in rows]


async def payees(member_ids: list[int], currency: str) -> dict[int, Payee]:
    """Whoever could be paid, with their wish, methods and taxes: two statements, however many they are."""
    methods: dict[int, dict[str, asyncpg.Record]] = {}
    for row in await db.fetch(
        "SELECT * FROM payout_method WHERE member_id = ANY($1::bigint[]) AND removed_at IS NULL", member_ids
    ):
        methods.setdefault(row["member_id"], {})[row["rail"]] = row
    now = clock.now()
    rows = await db.fetch(
        f"""SELECT m.id AS member_id, m.handle, coalesce(w.rail, '') AS rail, coalesce(w.automatic, false) AS automatic,
                  EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.lifted_at IS NULL
                             AND (s.until IS NULL OR s.until > $3)) AS is_suspended,
                  coalesce(t.country, '') AS country, coalesce(t.last4, '') <> '' AS has_tax_number,
                  (SELECT coalesce(sum(p.amount + p.bonus), 0)::bigint FROM payout p
                    WHERE p.member_id = m.id AND p.currency = $2 AND p.created_at >= $4
                      AND p.state IN ('claimed', 'approved', 'submitted', 'settled')) AS paid,
                  ARRAY(SELECT DISTINCT p.store_id FROM commission c
                          JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
                         WHERE c.member_id = m.id AND c.state = 'held') AS reviewed_at,
                  (SELECT coalesce(jsonb_object_agg(y.store_id, y.paid), '{{}}') FROM (
                       SELECT p.store_id, sum(p.amount)::bigint AS paid FROM payout p
                        WHERE p.member_id = m.id AND p.currency = $2 AND p.created_at >= $4
                          AND p.rail <> 'store_credit'
                          AND p.state IN ('claimed', 'approved', 'submitted', 'settled') GROUP BY 1) y) AS paid_at,
                  {checked_at("m.id", "$3")} AS checked_at
             FROM member m LEFT JOIN payout_wish w ON w.member_id = m.id LEFT JOIN tax_profile t ON t.member_id = m.id
            WHERE m.id = ANY($1::bigint[])""",
        member_ids,
        currency,
        now,
        now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0),
    )
    return {row["member_id"]: Payee(**row, methods=methods.get(row["member_id"], {})) for row in rows}


def quote(
    total: Sum, payee: Payee, terms: Terms, rows: tuple[Threshold, ...], rates: Mapping[str, Rate], rail: str
) -> Quote:
    """The figures of one payout. Everything a member is shown, a batch freezes and a claim writes comes from here."""
    method = payee.methods.get(rail)
    amount = total.amount
    terms = terms.for_payee(payee.member_id)
    is_early = amount < terms.minimum
    fee = terms.fee(rail, early=is_early)
    bonus = share_of(amount, terms.credit_bonus_bps) if rail == "store_credit" else 0
    tax = verdict_of(payee.country, payee.has_tax_number, payee.paid, total.currency, amount + bonus, rows)
    sends = max(0, amount - fee - tax.withheld + bonus)
    paid_in = (method["currency"] if method else "") or total.currency
    rate = rates.get(paid_in) if paid_in != total.currency else None
    pays = convert(sends, total.currency, paid_in, rate.rate) if rate else sends
    asks_identity = goes_beyond(total, payee, terms, rail)
    return Quote(
        sum=total,
        terms=terms,
        rail=rail,
        hint=method["hint"] if method else "",
        is_early=is_early,
        fee=fee,
        bonus=bonus,
        withheld=tax.withheld,
        sends=sends,
        paid_in=paid_in,
        rate=rate,
        pays=pays,
        reached=tax.reached,
        asks_identity=asks_identity,
        trouble=_trouble(total, sends, payee, terms, rail, tax)
        or ("identity_needed" if asks_identity and not is_known(payee, total.store_id, rail) else "")
        or _trouble_with_rate(total, payee, paid_in, rate, pays),
    )


def _trouble_with_rate(total: Sum, payee: Payee, paid_in: str, rate: Rate | None, pays: int) -> str:
    if paid_in == total.currency:
        return ""
    if rate is None or pays > LARGEST_AMOUNT:
        return "no_rate"
    # Whoever could set the rate of their own payout could set its sum.
    if rate.by_id == payee.member_id:
        return "own_rate"
    return "" if pays else "fees_eat_it"


async def quote_for(member_id: int, store_id: int, currency: str, rail: str) -> Quote:
    sums = await sums_of(member_id=member_id, store_id=store_id, currency=currency)
    total = sums[0] if sums else Sum(member_id, store_id, currency, 0, 0)
    payee = (await payees([member_id], currency))[member_id]
    rates = await rates_from(store_id, currency)
    return quote(total, payee, await terms_of(store_id, currency), await thresholds(), rates, rail)


def goes_beyond(total: Sum, payee: Payee, terms: Terms, rail: str) -> bool:
    """Whether this payout takes a member above what goes to anybody in a year. Credit never leaves the store."""
    if not terms.identity_from or rail == "store_credit":
        return False
    return payee.paid_at.get(str(total.store_id), 0) + total.amount > terms.identity_from


def is_known(payee: Payee, store_id: int, rail: str) -> bool:
    """Whether the store's people have looked at who they are, or the provider of this very account knows."""
    return store_id in payee.checked_at or is_verified(payee.methods.get(rail))


def refusal(payee: Payee, store_id: int) -> str:
    """Why nothing of this store is paid to this member now, whatever the way; empty when it may be."""
    if payee.is_suspended:
        return "suspended"
    return "under_review" if store_id in payee.reviewed_at else ""


def _trouble(total: Sum, sends: int, payee: Payee, terms: Terms, rail: str, tax: Verdict) -> str:
    """The first thing that stands in the way, in the order in which a member would have to deal with them."""
    amount = total.amount
    if refused := refusal(payee, total.store_id):
        return refused
    if rail not in terms.rails or rail not in RAILS or not RAILS[rail].is_ready():
        return "not_offered" if rail else "no_method"
    if amount <= 0:
        return "nothing"
    if rail != "store_credit" and (trouble := trouble_with(payee.methods.get(rail))):
        return trouble
    # Credit can be had from the first cent: it costs the store nothing to send.
    if amount < terms.minimum and rail != "store_credit" and not 0 < terms.least <= amount:
        return "below_minimum"
    if tax.must_ask:
        return "tax_number_needed"
    return "" if sends > 0 else "fees_eat_it"
