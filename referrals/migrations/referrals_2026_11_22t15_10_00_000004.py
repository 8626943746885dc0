"""The orders in which a member was a candidate, won or lost."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T15:10:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "attributions by candidate"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl(
        "CREATE INDEX attribution_by_candidate ON attribution USING gin (candidates jsonb_path_ops)"
    )


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX attribution_by_candidate")
