"""One open case for a member, a store and a rule; what was seen and done is never changed; who shares an address."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T18:13:40:000006"
VERSION = "1.38.0"
DESCRIPTION = "fraud cases: indexes and triggers"

FORWARDS = """
CREATE UNIQUE INDEX fraud_case_one_open ON fraud_case (store_id, member_id, rule) WHERE state = 'open';;
CREATE INDEX fraud_case_queue ON fraud_case (store_id, due_at, id) WHERE state IN ('open', 'appealed');;
CREATE TRIGGER fraud_signal_append_only BEFORE UPDATE OR DELETE ON fraud_signal
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER fraud_entry_append_only BEFORE UPDATE OR DELETE ON fraud_entry
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER fraud_settings_append_only BEFORE UPDATE OR DELETE ON fraud_settings
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE INDEX orders_by_address ON orders (address_hmac) WHERE address_hmac <> '';;
CREATE INDEX orders_by_instrument ON orders (instrument_hmac) WHERE instrument_hmac <> '';;
CREATE INDEX commission_unscreened ON commission (created_at) WHERE screened_at IS NULL;;
"""

BACKWARDS = """
DROP INDEX commission_unscreened;;
DROP INDEX orders_by_instrument;;
DROP INDEX orders_by_address;;
DROP TRIGGER fraud_settings_append_only ON fraud_settings;;
DROP TRIGGER fraud_entry_append_only ON fraud_entry;;
DROP TRIGGER fraud_signal_append_only ON fraud_signal;;
DROP INDEX fraud_case_queue;;
DROP INDEX fraud_case_one_open;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="referrals", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    await _run(FORWARDS)


async def _unmake() -> None:
    await _run(BACKWARDS)


async def _run(sql: str) -> None:
    # One statement at a time: asyncpg's fetch takes no scripts.
    for statement in sql.split(";;"):
        if statement.strip():
            await engine_finder().run_ddl(statement)
