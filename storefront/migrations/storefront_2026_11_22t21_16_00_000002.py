"""A product by its address at the shop: a link to it becomes its card. Equality is all that is asked, and addresses
may be longer than an index of the usual kind takes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T21:16:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "products by address"

FORWARDS = ("CREATE INDEX product_by_url ON product USING hash (url)",)
BACKWARDS = ("DROP INDEX product_by_url",)


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
