"""Who came before the link was kept beside them: by their click, where it is still known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T04:10:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "the link of whoever came before"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_fill)
    manager.add_raw_backwards(_nothing)
    return manager


async def _fill() -> None:
    await engine_finder().run_ddl(
        "UPDATE signup_referral r SET link_id = c.link_id FROM click c WHERE c.id = r.click_id AND r.link_id IS NULL"
    )


async def _nothing() -> None:
    """The column goes with the step before."""
