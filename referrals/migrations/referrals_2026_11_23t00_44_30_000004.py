"""Which link each conversion that was told so far came by."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T00:44:30:000004"
VERSION = "1.38.0"
DESCRIPTION = "links of the conversions so far"

FORWARDS = [
    """UPDATE conversion v SET link_id = l.id
         FROM click k JOIN link l ON l.id = k.link_id
        WHERE k.id = v.click_id AND k.kind = 'human' AND (l.store_id IS NULL OR l.store_id = v.store_id)""",
]
BACKWARDS = ["UPDATE conversion SET link_id = NULL"]


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
