"""A room that moderators shut has fewer readers from then on, like one that is closed in any other way."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T00:21:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "a shut room is a new version of access"

TRIGGER = """CREATE TRIGGER room_closed BEFORE UPDATE OF {columns} ON room
       FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION room_closed()"""
CLOSED = "OLD.is_open <> NEW.is_open OR OLD.group_id IS DISTINCT FROM NEW.group_id"
FORWARDS = (
    "DROP TRIGGER room_closed ON room",
    TRIGGER.format(columns="is_open, is_shut, group_id", changed=f"{CLOSED} OR OLD.is_shut <> NEW.is_shut"),
)
BACKWARDS = ("DROP TRIGGER room_closed ON room", TRIGGER.format(columns="is_open, group_id", changed=CLOSED))


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
