"""A member's commissions of the last hour or day, for the rules that watch the pace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T18:26:00:000006"
VERSION = "1.38.0"
DESCRIPTION = "commissions of a member by time"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await engine_finder().run_ddl("CREATE INDEX commission_of_member_by_time ON commission (member_id, created_at)")


async def _unmake() -> None:
    await engine_finder().run_ddl("DROP INDEX commission_of_member_by_time")
