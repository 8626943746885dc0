"""Rooms learn how many messages they hold; requests are counted by who asked."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T20:51:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "what was said is counted"

FORWARDS = (
    """UPDATE room_event e SET said = counted.said
         FROM (SELECT id, count(*) FILTER (WHERE kind = 'message') OVER (PARTITION BY room_id ORDER BY seq) AS said
                 FROM room_event) counted
        WHERE counted.id = e.id""",
    """UPDATE room r SET said = counted.said
         FROM (SELECT room_id, max(said) AS said FROM room_event GROUP BY room_id) counted WHERE counted.room_id = r.id""",
    """UPDATE read_pointer p SET said = e.said FROM room_event e WHERE e.room_id = p.room_id AND e.seq = p.seq""",
    "CREATE INDEX direct_pair_asked ON direct_pair (asked_by_id, created_at) WHERE asked_by_id IS NOT NULL",
)
BACKWARDS = ("DROP INDEX direct_pair_asked",)


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
