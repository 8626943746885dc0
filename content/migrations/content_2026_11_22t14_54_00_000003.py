"""Questions of a product, newest first."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:54:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "indexes of questions"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="content", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl("CREATE INDEX question_newest ON question (product_id, id DESC)")


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX question_newest")
