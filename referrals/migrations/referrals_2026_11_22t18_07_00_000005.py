"""The trail of a commission and what was let go of are append-only like the books, and none of these can be emptied."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T18:07:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "append-only trails, no truncate"

ROWS = ("commission_event", "write_off", "books_check")
WHOLE = (*ROWS, "ledger_entry", "ledger_transaction", "ledger_account", "attribution")


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for table in ROWS:
        await engine_finder().run_ddl(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION append_only()"
        )
    # An account that changes its name would change every entry's meaning.
    await engine_finder().run_ddl(
        "CREATE TRIGGER ledger_account_append_only BEFORE UPDATE OR DELETE ON ledger_account"
        " FOR EACH ROW EXECUTE FUNCTION append_only()"
    )
    for table in WHOLE:
        await engine_finder().run_ddl(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )


async def _unmake() -> None:
    for table in WHOLE:
        await engine_finder().run_ddl(f"DROP TRIGGER {table}_never_emptied ON {table}")
    for table in (*ROWS, "ledger_account"):
        await engine_finder().run_ddl(f"DROP TRIGGER {table}_append_only ON {table}")
