"""What Piccolo's own migrations cannot say about payouts: partial indexes, and triggers that keep four eyes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:43:00:000007"
VERSION = "1.38.0"
DESCRIPTION = "payouts: a commission in one live payout, two approvers"

FORWARDS = """
CREATE UNIQUE INDEX payout_item_in_one_live_payout ON payout_item (commission_id) WHERE active;;
CREATE UNIQUE INDEX payout_provider_ref_once ON payout (rail, provider_ref) WHERE provider_ref <> '';;
CREATE UNIQUE INDEX payout_method_one_live ON payout_method (member_id, rail) WHERE removed_at IS NULL;;
CREATE INDEX payout_of_member ON payout (member_id, id DESC);;
CREATE INDEX payout_of_store ON payout (store_id, id DESC);;
CREATE INDEX payout_batch_of_store ON payout_batch (store_id, id DESC);;
CREATE INDEX commission_ready ON commission (member_id, order_id) WHERE state = 'approved';;
CREATE FUNCTION payout_approved_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM payout_batch WHERE id = NEW.batch_id AND requested_by = NEW.member_id) THEN
        RAISE EXCEPTION 'who asked for a batch may not approve it' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM payout WHERE batch_id = NEW.batch_id AND member_id = NEW.member_id) THEN
        RAISE EXCEPTION 'who is paid by a batch may not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;;
CREATE TRIGGER payout_batch_approval_four_eyes BEFORE INSERT ON payout_batch_approval
    FOR EACH ROW EXECUTE FUNCTION payout_approved_by_another();;
CREATE TRIGGER payout_batch_approval_append_only BEFORE UPDATE OR DELETE ON payout_batch_approval
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER payout_step_append_only BEFORE UPDATE OR DELETE ON payout_step
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE FUNCTION payout_figures_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.store_id, NEW.member_id, NEW.currency, NEW.amount, NEW.netted, NEW.fee, NEW.withheld, NEW.bonus, NEW.sends)
       IS DISTINCT FROM
       (OLD.store_id, OLD.member_id, OLD.currency, OLD.amount, OLD.netted, OLD.fee, OLD.withheld, OLD.bonus, OLD.sends)
    THEN
        RAISE EXCEPTION 'the figures of a payout never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;;
CREATE TRIGGER payout_figures_stay BEFORE UPDATE ON payout
    FOR EACH ROW EXECUTE FUNCTION payout_figures_stay();;
"""

BACKWARDS = """
DROP TRIGGER payout_figures_stay ON payout;;
DROP FUNCTION payout_figures_stay();;
DROP TRIGGER payout_step_append_only ON payout_step;;
DROP TRIGGER payout_batch_approval_append_only ON payout_batch_approval;;
DROP TRIGGER payout_batch_approval_four_eyes ON payout_batch_approval;;
DROP FUNCTION payout_approved_by_another();;
DROP INDEX commission_ready;;
DROP INDEX payout_batch_of_store;;
DROP INDEX payout_of_store;;
DROP INDEX payout_of_member;;
DROP INDEX payout_method_one_live;;
DROP INDEX payout_provider_ref_once;;
DROP INDEX payout_item_in_one_live_payout;;
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
