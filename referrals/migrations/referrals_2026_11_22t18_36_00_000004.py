"""A link has a scan code of its own however it came into the table."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T18:36:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "scan codes by default"

CODE = "translate(substr(md5(gen_random_uuid()::text), 1, 10), '01', 'gh')"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl(f"UPDATE link SET scan_code = {CODE} WHERE scan_code IS NULL")
    await engine_finder().run_ddl(f"ALTER TABLE link ALTER COLUMN scan_code SET DEFAULT {CODE}")


async def _unmake() -> None:
    await engine_finder().run_ddl("ALTER TABLE link ALTER COLUMN scan_code SET DEFAULT NULL")
