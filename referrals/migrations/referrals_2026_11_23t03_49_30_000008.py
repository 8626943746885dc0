"""One account elsewhere is proven by one member, one post counts once for a store, and what is due is found at once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T03:49:30:000008"
VERSION = "1.38.0"
DESCRIPTION = "accounts and posts once"

FORWARDS = [
    "CREATE UNIQUE INDEX social_account_proven_once ON social_account (platform, account) WHERE state = 'proven'",
    """CREATE UNIQUE INDEX bounty_watch_post_once ON bounty_watch (store_id, post_hash)
        WHERE state IN ('watched', 'ended')""",
    "CREATE INDEX bounty_watch_due ON bounty_watch (next_at) WHERE next_at IS NOT NULL",
]
BACKWARDS = [
    "DROP INDEX bounty_watch_due",
    "DROP INDEX bounty_watch_post_once",
    "DROP INDEX social_account_proven_once",
]


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
