"""Words within one room are found in one index: the room and its words stand in it together."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T21:25:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "words of messages"

FORWARDS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    "ALTER TABLE search_message ADD COLUMN words tsvector NOT NULL DEFAULT ''::tsvector",
    "CREATE INDEX search_message_words ON search_message USING gin (room_id, words)",
)
BACKWARDS = (
    "DROP INDEX search_message_words",
    "ALTER TABLE search_message DROP COLUMN words",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="search", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
