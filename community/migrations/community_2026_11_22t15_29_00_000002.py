"""Whether a room was last told that a member came or went, by index, however much was said since."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T15:29:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "index of comings and goings"

FORWARDS = (
    """CREATE INDEX room_event_comings ON room_event (room_id, author_id, seq DESC)
        WHERE kind IN ('join', 'leave')""",
)
BACKWARDS = ("DROP INDEX room_event_comings",)


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
