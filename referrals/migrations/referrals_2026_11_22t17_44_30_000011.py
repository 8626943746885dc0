"""Who was a candidate is asked often; one personal code a member; one override in force an order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:44:30:000011"
VERSION = "1.38.0"
DESCRIPTION = "attribution indexes"

FORWARDS = """
CREATE INDEX attribution_candidates ON attribution USING gin (candidates jsonb_path_ops);;
CREATE UNIQUE INDEX code_personal_once ON code (program_id, owner_id)
    WHERE kind = 'personal' AND leak_state <> 'leaked' AND disabled_at IS NULL;;
CREATE INDEX code_of_owner ON code (owner_id, id);;
CREATE UNIQUE INDEX attribution_override_one_live ON attribution_override (order_id)
    WHERE state IN ('proposed', 'in_force');;
CREATE INDEX conversion_of_order ON conversion (store_id, order_external_id) WHERE order_external_id <> '';;
CREATE INDEX conversion_of_customer ON conversion (store_id, customer_external_id) WHERE customer_external_id <> '';;
"""

BACKWARDS = """
DROP INDEX conversion_of_customer;;
DROP INDEX conversion_of_order;;
DROP INDEX attribution_override_one_live;;
DROP INDEX code_of_owner;;
DROP INDEX code_personal_once;;
DROP INDEX attribution_candidates;;
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
