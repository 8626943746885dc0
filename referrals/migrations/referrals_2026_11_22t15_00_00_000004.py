"""One link per owner, target and placement; a way to the ledger transactions of one commission."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T15:00:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "one link per target, ledger by reference"

FORWARDS = """
CREATE UNIQUE INDEX link_once_per_target ON link
    (owner_id, target_kind, coalesce(target_id, 0), (CASE WHEN target_id IS NULL THEN destination ELSE '' END), placement);;
CREATE INDEX ledger_transaction_by_reference ON ledger_transaction (ref_type, ref_id);;
"""

BACKWARDS = """
DROP INDEX ledger_transaction_by_reference;;
DROP INDEX link_once_per_target;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
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
