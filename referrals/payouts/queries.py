import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.paging import Page, cut, decode
from referrals.identity.queries import checked_at
from referrals.payouts.methods import VERIFIED_FOR
from referrals.payouts.quotes import Payee, Quote, payees, quote, sums_of
from referrals.payouts.rates import rates_from
from referrals.payouts.taxes import thresholds
from referrals.payouts.terms import terms_of


async def payouts_of(viewer: Viewer, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """The viewer's payouts, newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT p.*, s.name AS store_name, s.slug AS store, coalesce(m.hint, '') AS hint,
                  c.code AS credit_code, c.used_at AS credit_used_at,
                  r.rate AS fx_rate, r.source AS fx_source, r.taken_at AS fx_taken_at
             FROM payout p JOIN store s ON s.id = p.store_id LEFT JOIN fx_rate r ON r.id = p.rate_id
             LEFT JOIN payout_method m ON m.id = p.method_id LEFT JOIN store_credit c ON c.payout_id = p.id
            WHERE p.member_id = $1 AND ($2::bigint IS NULL OR p.id < $2) ORDER BY p.id DESC LIMIT $3""",
        require_member(viewer, "read"),
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def offers_to(member_id: int) -> list[tuple[asyncpg.Record, list[Quote]]]:
    """Each store and currency in which a member has something, with what every rail there would pay."""
    offers = []
    rows = await thresholds()
    for total in await sums_of(member_id=member_id):
        store = await db.fetch_one("SELECT id, slug, name FROM store WHERE id = $1", total.store_id)
        payee: Payee = (await payees([member_id], total.currency))[member_id]
        terms = await terms_of(total.store_id, total.currency)
        rates = await rates_from(total.store_id, total.currency)
        offers.append((store, [quote(total, payee, terms, rows, rates, rail) for rail in terms.rails]))
    return offers  # type: ignore[return-value]


async def access_payout(viewer: Viewer, payout_id: int) -> asyncpg.Record:
    """A payout for whom it pays, and for those who run its store."""
    row = await db.fetch_one(
        """SELECT p.*, s.name AS store_name, s.slug AS store, s.origin, s.owner_id, m.handle, m.name AS member_name,
                  coalesce(pm.hint, '') AS hint, c.code AS credit_code,
                  r.rate AS fx_rate, r.source AS fx_source, r.taken_at AS fx_taken_at
             FROM payout p JOIN store s ON s.id = p.store_id JOIN member m ON m.id = p.member_id
             LEFT JOIN fx_rate r ON r.id = p.rate_id
             LEFT JOIN payout_method pm ON pm.id = p.method_id LEFT JOIN store_credit c ON c.payout_id = p.id
            WHERE p.id = $1""",
        payout_id,
    )
    member_id = require_member(viewer, "read")
    if row is None or not (viewer.is_admin or member_id in (row["member_id"], row["owner_id"])):
        raise NotFound()
    return row


async def items_in(payout_id: int) -> list[asyncpg.Record]:
    """What a payout pays for, line by line."""
    return await db.fetch(
        """SELECT i.commission_id, i.amount, c.created_at, coalesce(o.external_id, '') AS order_ref,
                  coalesce(nullif(o.number, ''), o.external_id, c.source, '') AS number,
                  coalesce(nullif(l.title, ''), p.title, '') AS title
             FROM payout_item i JOIN commission c ON c.id = i.commission_id
             LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN order_line l ON l.id = c.order_line_id
             LEFT JOIN product p ON p.id = l.product_id
            WHERE i.payout_id = $1 ORDER BY i.commission_id""",
        payout_id,
    )


async def booked_as(payout_id: int) -> bytes | None:
    """The hash in the ledger's chain under which a payout was last booked."""
    return await db.fetch_val(
        "SELECT hash FROM ledger_transaction WHERE ref_type = 'payout' AND ref_id = $1 ORDER BY id DESC LIMIT 1",
        payout_id,
    )


async def steps_of(*, payout_id: int | None = None, batch_id: int | None = None) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT s.step, s.note, s.at, m.handle FROM payout_step s LEFT JOIN member m ON m.id = s.actor_id
            WHERE s.payout_id = $1 OR s.batch_id = $2 ORDER BY s.id""",
        payout_id,
        batch_id,
    )


async def batches_of(store_id: int, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT b.*, m.handle, totals.* FROM payout_batch b LEFT JOIN member m ON m.id = b.requested_by
             CROSS JOIN LATERAL (SELECT count(*) AS many, coalesce(sum(sends), 0)::bigint AS sends,
                                        count(*) FILTER (WHERE state = 'settled') AS settled,
                                        count(*) FILTER (WHERE state IN ('failed', 'returned')) AS failed
                                   FROM payout WHERE batch_id = b.id) totals
            WHERE b.store_id = $1 AND ($2::bigint IS NULL OR b.id < $2) ORDER BY b.id DESC LIMIT $3""",
        store_id,
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def totals_of(batch_id: int) -> asyncpg.Record:
    row = await db.fetch_one(
        """SELECT count(*) AS many, coalesce(sum(amount), 0)::bigint AS amount,
                  coalesce(sum(sends), 0)::bigint AS sends, coalesce(sum(fee), 0)::bigint AS fee,
                  count(*) FILTER (WHERE state = 'settled') AS settled,
                  count(*) FILTER (WHERE state IN ('failed', 'returned')) AS failed,
                  count(*) FILTER (WHERE state IN ('approved', 'submitted')) AS going
             FROM payout WHERE batch_id = $1""",
        batch_id,
    )
    assert row is not None
    return row


async def payouts_in(batch_id: int, *, cursor: str | None, limit: int = 50) -> Page[asyncpg.Record]:
    """With, where identity is asked for, whether the store's people or the account's provider know whose it is."""
    (after,) = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(
        f"""SELECT p.*, m.handle, m.name, coalesce(pm.hint, '') AS hint,
                  (SELECT count(*) FROM payout_item i WHERE i.payout_id = p.id) AS items,
                  p.asks_identity AND (coalesce(pm.verified_at > $5, false)
                                       OR p.store_id = ANY({checked_at("p.member_id", "$4")})) AS is_known
             FROM payout p JOIN member m ON m.id = p.member_id LEFT JOIN payout_method pm ON pm.id = p.method_id
            WHERE p.batch_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3""",
        batch_id,
        after,
        limit + 1,
        clock.now(),
        clock.now() - VERIFIED_FOR,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def approvals_of(batch_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT a.member_id, a.at, m.handle FROM payout_batch_approval a JOIN member m ON m.id = a.member_id
            WHERE a.batch_id = $1 ORDER BY a.id""",
        batch_id,
    )


async def currencies_of(store_id: int) -> list[str]:
    """The currencies a store owes something in, its own first."""
    rows = await db.fetch(
        """SELECT currency FROM store WHERE id = $1
           UNION ALL (SELECT DISTINCT c.currency FROM commission c JOIN program_version v ON v.id = c.program_version_id
                        JOIN program p ON p.id = v.program_id WHERE p.store_id = $1 ORDER BY 1)""",
        store_id,
    )
    return list(dict.fromkeys(row["currency"] for row in rows))


async def approvers_of(store_id: int) -> list[int]:
    """Whoever may look at a store's batches: its owner and the admins."""
    rows = await db.fetch(
        """SELECT owner_id AS id FROM store WHERE id = $1 AND owner_id IS NOT NULL
           UNION SELECT id FROM member WHERE role = 'admin' ORDER BY 1""",
        store_id,
    )
    return [row["id"] for row in rows]


async def waiting_in(store_id: int, currency: str) -> asyncpg.Record:
    """What members can take out of a store in a currency, what they asked for, and what is on its way."""
    row = await db.fetch_one(
        """SELECT (SELECT count(*) FROM payout WHERE store_id = $1 AND currency = $2 AND state = 'claimed'
                      AND batch_id IS NULL) AS asked,
                  (SELECT coalesce(sum(sends), 0)::bigint FROM payout WHERE store_id = $1 AND currency = $2
                      AND state IN ('claimed', 'approved', 'submitted')) AS going,
                  (SELECT coalesce(sum(sends), 0)::bigint FROM payout WHERE store_id = $1 AND currency = $2
                      AND state = 'settled') AS settled""",
        store_id,
        currency,
    )
    assert row is not None
    return row


async def handles_of(member_ids: list[int]) -> dict[int, str]:
    rows = await db.fetch("SELECT id, handle FROM member WHERE id = ANY($1::bigint[])", member_ids)
    return {row["id"]: row["handle"] for row in rows}
