"""Live events: one pin of a product and one poll at a time, what is on soon, and the transcript in its order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T20:58:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "indexes of live events"

FORWARDS = (
    "CREATE UNIQUE INDEX live_pin_up_once ON live_pin (event_id, product_id) WHERE unpinned_at IS NULL",
    "CREATE UNIQUE INDEX live_poll_open_once ON live_poll (event_id) WHERE closed_at IS NULL",
    "CREATE INDEX live_event_on ON live_event (state, starts_at)",
    "CREATE INDEX live_segment_in_order ON live_segment (event_id, offset_seconds, id)",
)
BACKWARDS = ("live_pin_up_once", "live_poll_open_once", "live_event_on", "live_segment_in_order")


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="content", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for name in BACKWARDS:
        await engine_finder().run_ddl(f"DROP INDEX {name}")
