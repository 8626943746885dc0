"""A link is off once at a time; those that are off now have been so since their day."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T19:05:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "closures of links"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl(
        "INSERT INTO link_closure (link_id, closed_at) SELECT id, disabled_at FROM link WHERE disabled_at IS NOT NULL"
    )
    await engine_finder().run_ddl(
        "CREATE UNIQUE INDEX link_closure_once_at_a_time ON link_closure (link_id) WHERE reopened_at IS NULL"
    )


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX link_closure_once_at_a_time")
    await engine_finder().run_ddl("DELETE FROM link_closure")
