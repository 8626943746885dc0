"""Customers by their mailbox: programmes that pay for a buyer's first orders ask who else they are in every store."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T03:50:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "customers by mailbox"

FORWARDS = ("CREATE INDEX customer_by_mailbox ON customer (mailbox_hmac) WHERE mailbox_hmac <> ''",)
BACKWARDS = ("DROP INDEX customer_by_mailbox",)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="storefront", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
