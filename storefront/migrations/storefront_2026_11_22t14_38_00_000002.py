"""What Piccolo's own migrations cannot say: composite, partial and expression indexes, and triggers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:38:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = """
CREATE INDEX product_newest ON product (created_at DESC, id DESC) WHERE withdrawn_at IS NULL;;
CREATE INDEX product_by_category ON product (category, id DESC) WHERE withdrawn_at IS NULL;;
CREATE INDEX refund_of_order ON refund (store_id, order_external_id);;
CREATE INDEX inbox_waiting ON inbox (id) WHERE state = 'received';;
"""

BACKWARDS = """
DROP INDEX product_newest;;
DROP INDEX product_by_category;;
DROP INDEX refund_of_order;;
DROP INDEX inbox_waiting;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="storefront", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await _run(FORWARDS)


async def _unmake() -> None:
    await _run(BACKWARDS)


async def _run(sql: str) -> None:
    # One statement at a time: asyncpg's fetch takes no scripts.
    for statement in sql.split(";;"):
        if statement.strip():
            await engine_finder().run_ddl(statement)
