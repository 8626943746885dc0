"""A rate is a fact: told once, never changed, and so are the figures that were reckoned by it."""


from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T01:55:30:000004"
VERSION = "1.38.0"
DESCRIPTION = "exchange rates stay as they were told"

_STAY = """
CREATE OR REPLACE FUNCTION payout_figures_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.store_id, NEW.member_id, NEW.currency, NEW.amount, NEW.netted, NEW.fee, NEW.withheld, NEW.bonus, NEW.sends%s)
       IS DISTINCT FROM
       (OLD.store_id, OLD.member_id, OLD.currency, OLD.amount, OLD.netted, OLD.fee, OLD.withheld, OLD.bonus, OLD.sends%s)
    THEN
        RAISE EXCEPTION 'the figures of a payout never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;;
"""

FORWARDS = f"""
{_STAY % (", NEW.rate_id, NEW.pays, NEW.pays_currency", ", OLD.rate_id, OLD.pays, OLD.pays_currency")}
CREATE TRIGGER fx_rate_append_only BEFORE UPDATE OR DELETE ON fx_rate
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE TRIGGER fx_rate_never_emptied BEFORE TRUNCATE ON fx_rate
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();;
CREATE INDEX fx_rate_newest ON fx_rate (store_id, base, quote, taken_at DESC, id DESC);;
"""

BACKWARDS = f"""
DROP INDEX fx_rate_newest;;
DROP TRIGGER fx_rate_never_emptied ON fx_rate;;
DROP TRIGGER fx_rate_append_only ON fx_rate;;
{_STAY % ("", "")}
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
