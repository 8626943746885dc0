"""A message without words may be one of pictures; that it is gone says `deleted_at`."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T20:49:30:000001"
VERSION = "1.38.0"
DESCRIPTION = "deleted messages say so"

FORWARDS = (
    "UPDATE message SET deleted_at = created_at WHERE body = ''",
    "CREATE INDEX chat_file_waiting ON chat_file (created_at) WHERE message_id IS NULL",
)
BACKWARDS = ("DROP INDEX chat_file_waiting",)


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
