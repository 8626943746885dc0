"""Payouts and the ledger tell the same story: worked out from both sides, for `grapevine ledger verify`."""

from app import db
from referrals.payouts.rates import convert


async def check_payouts() -> list[str]:
    """Each payout whose items, figures or postings do not fit together."""
    checks = (_check_sums, _check_commissions, _check_postings, _check_rates, _check_clearing, _check_credit)
    return [error for check in checks for error in await check()]


async def _check_sums() -> list[str]:
    rows = await db.fetch(
        """SELECT p.id, p.amount, coalesce(sum(i.amount), 0)::bigint AS items, p.currency,
                  bool_or(c.member_id <> p.member_id OR c.currency <> p.currency) AS foreign_item,
                  bool_or(i.active) IS DISTINCT FROM (p.state IN ('claimed', 'approved', 'submitted')) AS stale
             FROM payout p LEFT JOIN payout_item i ON i.payout_id = p.id
             LEFT JOIN commission c ON c.id = i.commission_id
            GROUP BY p.id ORDER BY p.id"""
    )
    errors = []
    for row in rows:
        if row["amount"] != row["items"]:
            errors.append(f"payout {row['id']} is {row['amount']} {row['currency']}; its items sum to {row['items']}")
        if row["foreign_item"]:
            errors.append(f"payout {row['id']} holds a commission of somebody else or in another currency")
        if row["stale"]:
            errors.append(f"payout {row['id']}: its items do not know whether it is on its way")
    return errors


async def _check_commissions() -> list[str]:
    """What the ledger moved into payouts, commission by commission, is what the payouts hold."""
    rows = await db.fetch(
        """WITH moved AS (
               SELECT t.ref_id AS commission_id, -sum(e.amount)::bigint AS amount
                 FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                 JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member' AND a.kind = 'in_payout'
                WHERE t.ref_type = 'commission' GROUP BY 1),
           held AS (
               SELECT i.commission_id, sum(i.amount)::bigint AS amount
                 FROM payout_item i JOIN payout p ON p.id = i.payout_id
                WHERE p.state IN ('claimed', 'approved', 'submitted', 'settled') GROUP BY 1)
           SELECT coalesce(m.commission_id, h.commission_id) AS id, coalesce(m.amount, 0) AS moved,
                  coalesce(h.amount, 0) AS held
             FROM moved m FULL JOIN held h ON h.commission_id = m.commission_id
            WHERE coalesce(m.amount, 0) <> coalesce(h.amount, 0) ORDER BY 1"""
    )
    return [
        f"commission {row['id']}: the books moved {row['moved']} into payouts, which hold {row['held']}" for row in rows
    ]


async def _check_postings() -> list[str]:
    """A settled payout left `in_payout` once, any other has not; and its credits are its figures."""
    rows = await db.fetch(
        """SELECT p.id, p.state, p.amount, p.currency,
                  coalesce(sum(e.amount) FILTER (WHERE a.kind = 'in_payout'), 0)::bigint AS left_it,
                  coalesce(-sum(e.amount) FILTER (WHERE a.kind IN ('cash', 'store_credit', 'fx_clearing')), 0)::bigint
                      AS sent,
                  coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'payout_fees'), 0)::bigint AS fee,
                  coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'tax_withheld'), 0)::bigint AS withheld,
                  p.sends, p.fee AS asked_fee, p.withheld AS asked_tax
             FROM payout p
             LEFT JOIN ledger_transaction t ON t.ref_type = 'payout' AND t.ref_id = p.id
             LEFT JOIN ledger_entry e ON e.transaction_id = t.id
             LEFT JOIN ledger_account a ON a.id = e.account_id AND a.currency = p.currency
            GROUP BY p.id ORDER BY p.id"""
    )
    errors = []
    for row in rows:
        is_paid = row["state"] == "settled"
        expected = (row["amount"], row["sends"], row["asked_fee"], row["asked_tax"]) if is_paid else (0, 0, 0, 0)
        if (row["left_it"], row["sent"], row["fee"], row["withheld"]) != expected:
            errors.append(
                f"payout {row['id']} is {row['state']} with {row['amount']} {row['currency']}; the books paid"
                f" {row['left_it']} out of it, {row['sent']} of that to the member"
            )
    return errors


async def _check_rates() -> list[str]:
    """A payout in another currency follows from its rate, and just that left in that currency, through its clearing."""
    rows = await db.fetch(
        """SELECT p.id, p.state, p.sends, p.currency, p.pays, p.pays_currency, r.rate,
                  (r.store_id, r.base, r.quote) = (p.store_id, p.currency, p.pays_currency) AS fits,
                  coalesce(sum(e.amount) FILTER (WHERE a.kind = 'fx_clearing'), 0)::bigint AS cleared,
                  coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'cash'), 0)::bigint AS left_it
             FROM payout p JOIN fx_rate r ON r.id = p.rate_id
             LEFT JOIN ledger_transaction t ON t.ref_type = 'payout' AND t.ref_id = p.id
             LEFT JOIN ledger_entry e ON e.transaction_id = t.id
             LEFT JOIN ledger_account a ON a.id = e.account_id AND a.currency = p.pays_currency
            GROUP BY p.id, r.id ORDER BY p.id"""
    )
    errors = []
    for row in rows:
        pays = convert(row["sends"], row["currency"], row["pays_currency"], row["rate"]) if row["fits"] else None
        if row["pays"] != pays:
            errors.append(f"payout {row['id']} pays {row['pays']} {row['pays_currency']}; its rate makes it {pays}")
        expected = row["pays"] if row["state"] == "settled" else 0
        if (row["cleared"], row["left_it"]) != (expected, expected):
            errors.append(
                f"payout {row['id']} is {row['state']} with {row['pays']} {row['pays_currency']};"
                f" {row['left_it']} left, {row['cleared']} of it was cleared"
            )
    return errors


async def _check_clearing() -> list[str]:
    """What stands on a store's clearing accounts is what its settled payouts turned from one currency into another."""
    rows = await db.fetch(
        """WITH booked AS (
               SELECT a.owner_id AS store_id, a.currency, sum(e.amount)::bigint AS amount
                 FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
                WHERE a.owner_kind = 'store' AND a.kind = 'fx_clearing' GROUP BY 1, 2),
           turned AS (
               SELECT store_id, currency, sum(amount)::bigint AS amount
                 FROM (SELECT store_id, currency, -sends AS amount FROM payout
                        WHERE rate_id IS NOT NULL AND state = 'settled'
                       UNION ALL SELECT store_id, pays_currency, pays FROM payout
                        WHERE rate_id IS NOT NULL AND state = 'settled') both_sides GROUP BY 1, 2)
           SELECT coalesce(b.store_id, t.store_id) AS id, coalesce(b.currency, t.currency) AS currency,
                  coalesce(b.amount, 0) AS booked, coalesce(t.amount, 0) AS turned
             FROM booked b FULL JOIN turned t ON (t.store_id, t.currency) = (b.store_id, b.currency)
            WHERE coalesce(b.amount, 0) <> coalesce(t.amount, 0) ORDER BY 1, 2"""
    )
    return [
        f"store {row['id']} has {row['booked']} {row['currency']} on its clearing; its payouts turned {row['turned']}"
        for row in rows
    ]


async def _check_credit() -> list[str]:
    """Each payout in credit has its code, and the unused codes are what the books say members have."""
    rows = await db.fetch(
        """SELECT p.id FROM payout p LEFT JOIN store_credit c ON c.payout_id = p.id
            WHERE (p.rail = 'store_credit' AND p.state = 'settled')
                  IS DISTINCT FROM (c.id IS NOT NULL AND c.amount = p.sends AND c.member_id = p.member_id)
            ORDER BY p.id"""
    )
    errors = [f"payout {row['id']} and its store credit do not fit together" for row in rows]
    rows = await db.fetch(
        """WITH booked AS (
               SELECT a.owner_id AS member_id, a.currency, -sum(e.amount)::bigint AS amount
                 FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
                WHERE a.owner_kind = 'member' AND a.kind = 'store_credit' GROUP BY 1, 2),
           unused AS (
               SELECT member_id, currency, sum(amount)::bigint AS amount
                 FROM store_credit WHERE used_at IS NULL GROUP BY 1, 2)
           SELECT coalesce(b.member_id, u.member_id) AS id, coalesce(b.amount, 0) AS booked,
                  coalesce(u.amount, 0) AS unused
             FROM booked b FULL JOIN unused u ON (u.member_id, u.currency) = (b.member_id, b.currency)
            WHERE coalesce(b.amount, 0) <> coalesce(u.amount, 0) ORDER BY 1"""
    )
    errors += [
        f"member {row['id']} has {row['unused']} in unused store credit; the books say {row['booked']}" for row in rows
    ]
    return errors
