"""Lots of credit: what each grant began as, what is left of it, when it counts and when it ends. `currency` is a
currency, or whatever else a store may one day grant by lots (points).

The lots follow the facts (fold.py); what ends is posted, as the difference to what was posted before. Whoever changes
a customer's credit holds the customer's row, which comes after an order's and before the books' lock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from referrals.credit.fold import Folded, Lot, Use, fold
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all

AT_ONCE = 500
Whose = tuple[int, str]
"""A customer and a currency."""


async def lock_customers(customer_ids: Iterable[int]) -> None:
    await db.fetch(
        "SELECT id FROM customer WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", sorted(set(customer_ids))
    )


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    store_id: int
    customer_id: int
    currency: str
    amount: int
    active_at: datetime
    expires_at: datetime | None


async def grant_all(grants: Sequence[Grant]) -> None:
    """What stands of these grants now, each of another source; the caller has posted them and holds the customers.
    When one counts is said once."""
    if not grants:
        return
    await db.execute(
        """INSERT INTO credit_lot AS l (source, store_id, customer_id, currency, granted, remaining, expired, active_at,
                                        expires_at, created_at)
           SELECT g.source, g.store_id, g.customer_id, g.currency, g.amount, 0, 0, g.active_at, g.expires_at, $8
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[],
                         $7::timestamptz[])
                  AS g (source, store_id, customer_id, currency, amount, active_at, expires_at)
           ON CONFLICT (source) DO UPDATE SET granted = excluded.granted,
                                              remaining = least(l.remaining, excluded.granted)""",
        *map(list, zip(*map(msgspec.structs.astuple, grants), strict=True)),
        clock.now(),
    )
    await refold_all((one.customer_id, one.currency) for one in grants)


async def refold(customer_id: int, currency: str) -> int:
    """Bring the lots, and the books where something ended, to what the facts ask for; what may be spent now."""
    return (await refold_all([(customer_id, currency)]))[customer_id, currency]


async def refold_all(whose: Iterable[Whose]) -> dict[Whose, int]:
    """The same for any number of customers, each with a currency; what each may spend now."""
    now, asked = clock.now(), sorted(set(whose))
    rows, uses = await _lots_of_all(asked), await _uses_of_all(asked)
    left, folded = {}, Folded({}, {}, {})
    for one in asked:
        lots = lots_in(rows[one])
        mine = fold(lots, uses[one], now)
        folded.remaining |= mine.remaining
        folded.expired |= mine.expired
        folded.spent |= mine.spent
        left[one] = sum(mine.remaining[lot.id] for lot in lots if lot.counts_at(now))
    await _write([row for one in asked for row in rows[one]], folded)
    return left


async def _write(rows: Sequence[asyncpg.Record], folded: Folded) -> None:
    await db.execute(
        """UPDATE credit_lot l SET remaining = n.remaining, expired = n.expired
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n (id, remaining, expired)
            WHERE l.id = n.id AND (l.remaining, l.expired) <> (n.remaining, n.expired)""",
        [row["id"] for row in rows],
        [folded.remaining[row["id"]] for row in rows],
        [folded.expired[row["id"]] for row in rows],
    )
    await _write_spends([row["id"] for row in rows], folded)
    await post_all([one for row in rows if (one := _ended(row, folded.expired[row["id"]]))])


async def end_what_is_over() -> int:
    """Post the end of every lot whose time is over, and let what begins to count fill what is owed."""
    rows = await db.fetch(
        """SELECT DISTINCT customer_id, currency FROM (
               SELECT customer_id, currency FROM credit_lot WHERE remaining > 0 AND expires_at <= $1
               UNION ALL
               SELECT l.customer_id, l.currency FROM credit_lot l
                WHERE l.remaining > 0 AND l.active_at <= $1 AND EXISTS (
                      SELECT 1 FROM credit_use u
                       WHERE u.customer_id = l.customer_id AND u.currency = l.currency AND u.undone_at IS NULL
                         AND u.amount > (SELECT coalesce(sum(s.amount), 0) FROM credit_spend s WHERE s.use_id = u.id))
           ) due ORDER BY 1, 2 LIMIT $2""",
        clock.now(),
        AT_ONCE,
    )
    for row in rows:
        async with db.transaction():
            await lock_customers([row["customer_id"]])
            await refold(row["customer_id"], row["currency"])
    return len(rows)


async def lots_of(customer_id: int, currency: str) -> list[asyncpg.Record]:
    """The lots with how often the end of each was posted, and how much of it."""
    return (await _lots_of_all([(customer_id, currency)]))[customer_id, currency]


async def _lots_of_all(whose: Sequence[Whose]) -> dict[Whose, list[asyncpg.Record]]:
    rows = await db.fetch(
        """SELECT l.*, posted.amount AS posted, posted.postings
             FROM unnest($1::bigint[], $2::text[]) AS w (customer_id, currency)
             JOIN credit_lot l ON l.customer_id = w.customer_id AND l.currency = w.currency
             LEFT JOIN LATERAL (
                  SELECT coalesce(sum(e.amount), 0)::bigint AS amount, coalesce(max(t.ref_seq), 0) AS postings
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'customer'
                   WHERE t.ref_type = 'credit_lot' AND t.ref_id = l.id) posted ON true
            ORDER BY l.active_at, l.id""",
        [customer_id for customer_id, _currency in whose],
        [currency for _customer, currency in whose],
    )
    found: dict[Whose, list[asyncpg.Record]] = {one: [] for one in whose}
    for row in rows:
        found[row["customer_id"], row["currency"]].append(row)
    return found


async def uses_of(customer_id: int, currency: str) -> list[Use]:
    return (await _uses_of_all([(customer_id, currency)]))[customer_id, currency]


async def _uses_of_all(whose: Sequence[Whose]) -> dict[Whose, list[Use]]:
    rows = await db.fetch(
        """SELECT u.id, u.amount, u.used_at, u.customer_id, u.currency
             FROM unnest($1::bigint[], $2::text[]) AS w (customer_id, currency)
             JOIN credit_use u ON u.customer_id = w.customer_id AND u.currency = w.currency AND u.undone_at IS NULL""",
        [customer_id for customer_id, _currency in whose],
        [currency for _customer, currency in whose],
    )
    found: dict[Whose, list[Use]] = {one: [] for one in whose}
    for row in rows:
        found[row["customer_id"], row["currency"]].append(Use(row["id"], row["amount"], row["used_at"]))
    return found


def lots_in(rows: Iterable[asyncpg.Record]) -> list[Lot]:
    return [Lot(row["id"], row["granted"], row["active_at"], row["expires_at"]) for row in rows]


def _ended(row: asyncpg.Record, wanted: int) -> Posting | None:
    """The difference between what should have ended of a lot and what was posted of it."""
    more = wanted - row["posted"]
    if more == 0:
        return None
    legs = (
        Leg(AccountName("customer", row["customer_id"], "store_credit", row["currency"]), more),
        Leg(AccountName("store", row["store_id"], "credit_expired", row["currency"]), -more),
    )
    kind, reason = ("expire", "credit_expired") if more > 0 else ("revive", "credit_corrected")
    return Posting(kind, "credit_lot", row["id"], row["postings"] + 1, legs, reason)


async def _write_spends(lot_ids: list[int], folded: Folded) -> None:
    known = {
        (row["lot_id"], row["use_id"]): row["amount"]
        for row in await db.fetch("SELECT * FROM credit_spend WHERE lot_id = ANY($1::bigint[])", lot_ids)
    }
    if known == folded.spent:
        return
    stale = [key for key, amount in known.items() if folded.spent.get(key) != amount]
    await db.execute(
        """DELETE FROM credit_spend s USING unnest($1::bigint[], $2::bigint[]) AS n (lot_id, use_id)
            WHERE (s.lot_id, s.use_id) = (n.lot_id, n.use_id)""",
        [lot_id for lot_id, _use in stale],
        [use_id for _lot, use_id in stale],
    )
    fresh = [(*key, amount) for key, amount in folded.spent.items() if known.get(key) != amount]
    await db.execute(
        """INSERT INTO credit_spend (lot_id, use_id, amount)
           SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])""",
        [one[0] for one in fresh],
        [one[1] for one in fresh],
        [one[2] for one in fresh],
    )
