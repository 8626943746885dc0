"""Webhook deliveries: what waits is found without what is done, and an endpoint's log is read from its newest end."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T20:52:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of webhooks"

FORWARDS = """
CREATE INDEX webhook_endpoint_of_owner ON webhook_endpoint (owner_kind, owner_id);;
CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (endpoint_id, id);;
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (endpoint_id, id) WHERE state = 'waiting';;
CREATE INDEX webhook_delivery_done ON webhook_delivery (done_at) WHERE state <> 'waiting';;
"""

BACKWARDS = """
DROP INDEX webhook_endpoint_of_owner;;
DROP INDEX webhook_delivery_of_endpoint;;
DROP INDEX webhook_delivery_waiting;;
DROP INDEX webhook_delivery_done;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)
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
