"""Two levels at most: who was brought to a programme brings nobody, so recruiting has no third level and no loop."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:44:10:000004"
VERSION = "1.38.0"
DESCRIPTION = "recruit depth, frozen rules"

FORWARDS = """
CREATE FUNCTION recruit_has_two_levels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('recruit', NEW.program_id));
    IF EXISTS (SELECT 1 FROM recruit WHERE program_id = NEW.program_id
                AND (member_id = NEW.recruiter_id OR recruiter_id = NEW.member_id)) THEN
        RAISE EXCEPTION 'a third level of recruiting' USING ERRCODE = 'check_violation', CONSTRAINT = 'recruit_depth';
    END IF;
    RETURN NEW;
END $$;;
CREATE TRIGGER recruit_two_levels BEFORE INSERT OR UPDATE ON recruit
    FOR EACH ROW EXECUTE FUNCTION recruit_has_two_levels();;
CREATE TRIGGER program_version_append_only BEFORE UPDATE OR DELETE ON program_version
    FOR EACH ROW EXECUTE FUNCTION append_only();;
CREATE INDEX rate_override_of_member ON rate_override (program_id, member_id, starts_at DESC);;
"""

BACKWARDS = """
DROP TRIGGER program_version_append_only ON program_version;;
DROP TRIGGER recruit_two_levels ON recruit;;
DROP FUNCTION recruit_has_two_levels();;
DROP INDEX rate_override_of_member;;
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
