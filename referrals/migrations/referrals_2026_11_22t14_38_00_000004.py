"""What Piccolo's own migrations cannot say: composite, partial and expression indexes, and triggers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:38:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = """
CREATE FUNCTION ledger_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_entry WHERE transaction_id = NEW.transaction_id
                GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;;
CREATE CONSTRAINT TRIGGER ledger_entry_sums_to_zero AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_sums_to_zero();;
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER attribution_append_only BEFORE UPDATE OR DELETE ON attribution
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE INDEX link_of_owner ON link (owner_id, id DESC);;
CREATE INDEX click_of_link ON click (link_id, occurred_at DESC);;
CREATE INDEX commission_of_member ON commission (member_id, id DESC);;
CREATE INDEX commission_due ON commission (hold_until) WHERE state = 'pending';;
"""

BACKWARDS = """
DROP TRIGGER attribution_append_only ON attribution;;
DROP TRIGGER ledger_transaction_append_only ON ledger_transaction;;
DROP TRIGGER ledger_entry_append_only ON ledger_entry;;
DROP TRIGGER ledger_entry_sums_to_zero ON ledger_entry;;
DROP FUNCTION append_only();;
DROP FUNCTION ledger_sums_to_zero();;
DROP INDEX link_of_owner;;
DROP INDEX click_of_link;;
DROP INDEX commission_of_member;;
DROP INDEX commission_due;;
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
