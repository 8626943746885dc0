"""Short lists of what waits for a person, found without reading every order and message of a store."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:46:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "what waits for a person"

FORWARDS = """
CREATE INDEX orders_in_doubt ON orders (store_id, id DESC) WHERE doubt <> '';;
CREATE INDEX inbox_unapplied ON inbox (store_id, id DESC) WHERE state IN ('flagged', 'kept');;
CREATE INDEX inbox_newest ON inbox (store_id, received_at DESC);;
"""

BACKWARDS = """
DROP INDEX orders_in_doubt;;
DROP INDEX inbox_unapplied;;
DROP INDEX inbox_newest;;
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
