"""The notifications that one thing caused, to withhold its words when moderators hide it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T16:30:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "notifications by source"

FORWARDS = ("CREATE INDEX notification_by_source ON notification (source)",)
BACKWARDS = ("DROP INDEX notification_by_source",)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
