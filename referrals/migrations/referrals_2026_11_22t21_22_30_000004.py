"""Credit that was granted before there were lots: one lot for each grant, spent from the oldest on. It never ends."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T21:22:30:000004"
VERSION = "1.38.0"
DESCRIPTION = "lots of the credit granted so far"

FORWARDS = [
    """INSERT INTO credit_lot (source, store_id, customer_id, currency, granted, remaining, expired, active_at,
                               created_at)
       SELECT 'friend_reward:' || f.id, o.store_id, f.customer_id, f.currency, sum(e.amount), sum(e.amount), 0,
              f.created_at, f.created_at
         FROM friend_reward f JOIN orders o ON o.id = f.order_id
         JOIN ledger_transaction t ON t.ref_type = 'friend_reward' AND t.ref_id = f.id
         JOIN ledger_entry e ON e.transaction_id = t.id
         JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'reward_expense'
        GROUP BY f.id, o.store_id ORDER BY f.id""",
    """INSERT INTO credit_spend (lot_id, use_id, amount)
       SELECT l.id, u.id, least(l.until, u.until) - greatest(l.until - l.granted, u.until - u.amount)
         FROM (SELECT *, sum(granted) OVER (PARTITION BY customer_id, currency ORDER BY active_at, id) AS until
                 FROM credit_lot) l
         JOIN (SELECT *, sum(amount) OVER (PARTITION BY customer_id, currency ORDER BY used_at, id) AS until
                 FROM credit_use WHERE undone_at IS NULL) u
           ON u.customer_id = l.customer_id AND u.currency = l.currency
        WHERE least(l.until, u.until) > greatest(l.until - l.granted, u.until - u.amount)""",
    """UPDATE credit_lot l SET remaining = l.granted - s.amount
         FROM (SELECT lot_id, sum(amount) AS amount FROM credit_spend GROUP BY 1) s WHERE s.lot_id = l.id""",
]
BACKWARDS = ["DELETE FROM credit_spend", "DELETE FROM credit_lot"]


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
