"""Scans of a link are counted without reading all of its clicks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T18:33:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "scans by link"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl(
        "CREATE INDEX click_scans ON click (link_id) WHERE trigger = 'qr' AND kind = 'human' AND blocked = ''"
    )


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX click_scans")
