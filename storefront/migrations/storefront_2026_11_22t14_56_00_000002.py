"""Order lines that name a product nobody has described yet, found when it is."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:56:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "lines that wait for their product"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="storefront", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl(
        "CREATE INDEX order_line_unlinked ON order_line (external_product_id) WHERE product_id IS NULL"
    )


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX order_line_unlinked")
