"""Work out every commission from the facts once more, in SQL and apart from the code that posts, and compare."""

from app import db
from referrals.commissions.states import BUCKET

# Half to even, like `share_of`.
_SHARE = """(net * rate_bps / 10000 + CASE
    WHEN net * rate_bps % 10000 * 2 > 10000 THEN 1
    WHEN net * rate_bps % 10000 * 2 = 10000 AND net * rate_bps / 10000 % 2 = 1 THEN 1 ELSE 0 END)"""

_STANDING = f"""
WITH decided AS (
    SELECT DISTINCT ON (order_id) order_id, winner_id, program_version_id
      FROM attribution ORDER BY order_id, version DESC),
line AS (
    SELECT l.id, l.order_id, o.paid_at, o.cancelled_at, d.winner_id, d.program_version_id,
           greatest(l.gross - l.discount, 0) AS base,
           greatest(greatest(l.gross - l.discount, 0) - coalesce((
               SELECT sum(rl.amount) FROM refund r JOIN refund_line rl ON rl.refund_id = r.id
                WHERE r.store_id = o.store_id AND r.order_external_id = o.external_id
                  AND r.currency = o.currency AND rl.external_line_id = l.external_id), 0), 0)::bigint AS net
      FROM order_line l JOIN orders o ON o.id = l.order_id LEFT JOIN decided d ON d.order_id = o.id),
wanted AS (
    SELECT c.id, c.state, c.currency, CASE WHEN line.winner_id = c.member_id AND line.cancelled_at IS NULL
                                           THEN {_SHARE} ELSE 0 END AS target
      FROM commission c JOIN line ON line.id = c.order_line_id),
posted AS (
    SELECT t.ref_id, a.kind AS bucket, -sum(e.amount) AS amount
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
     WHERE t.ref_type = 'commission' GROUP BY t.ref_id, a.kind)
"""


async def check_commissions() -> list[str]:
    """Each commission whose entries are not what the order's facts ask for, or lie in the wrong bucket."""
    rows = await db.fetch(
        f"""{_STANDING}
        SELECT w.*, coalesce(sum(p.amount), 0)::bigint AS standing,
               array_agg(p.bucket) FILTER (WHERE p.amount <> 0 AND p.bucket <> $1::jsonb ->> w.state) AS strays
          FROM wanted w LEFT JOIN posted p ON p.ref_id = w.id
         GROUP BY w.id, w.state, w.currency, w.target
        HAVING coalesce(sum(p.amount), 0) <> w.target
            OR bool_or(p.amount <> 0 AND p.bucket <> $1::jsonb ->> w.state)
         ORDER BY w.id""",
        BUCKET,
    )
    errors = []
    for row in rows:
        name = f"commission {row['id']}"
        if row["standing"] != row["target"]:
            errors.append(f"{name} stands at {row['standing']} {row['currency']}; the facts ask for {row['target']}")
        if row["strays"]:
            errors.append(f"{name} is {row['state']}, but its money lies in {', '.join(row['strays'])}")
    return errors + await _check_missing()


async def _check_missing() -> list[str]:
    rows = await db.fetch(
        f"""{_STANDING}
        SELECT line.id, line.order_id FROM line JOIN program_version v ON v.id = line.program_version_id
         WHERE line.paid_at IS NOT NULL AND line.cancelled_at IS NULL AND line.winner_id IS NOT NULL
           AND {_SHARE} > 0
           AND NOT EXISTS (SELECT 1 FROM commission c WHERE c.order_line_id = line.id AND c.member_id = line.winner_id)
         ORDER BY line.id"""
    )
    return [f"order {row['order_id']}, line {row['id']}: nobody was credited for it" for row in rows]
