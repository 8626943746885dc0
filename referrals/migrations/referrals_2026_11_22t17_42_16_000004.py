"""Clicks live in a partition for each day. The key becomes (id, occurred_at), so claims and sign-ups keep plain ids."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:42:16:000004"
VERSION = "1.38.0"
DESCRIPTION = "clicks partitioned by day"

# `click_from` and `click_until` read the millisecond in a version 7 id, so that looking a click up by its id opens the
# partition of its day alone. Other ids (from before) are looked for everywhere. Two seconds of slack: the id and the
# moment were once taken one after the other.
FORWARDS = """
CREATE FUNCTION click_from(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN substr(id::text, 15, 1) = '7'
         THEN to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0 - 2)
         ELSE timestamptz '-infinity' END;;
CREATE FUNCTION click_until(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN substr(id::text, 15, 1) = '7'
         THEN to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0 + 2)
         ELSE timestamptz 'infinity' END;;
CREATE FUNCTION make_click_day(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'click_' || to_char(day, 'YYYY_MM_DD');
    since timestamptz := day::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(4702631007);
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Clicks of this day that came before their partition lie in the default one. Nothing may join them meanwhile.
    LOCK TABLE click_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE click INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM click_default WHERE occurred_at >= %L AND occurred_at < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', since, until, name);
    EXECUTE format('ALTER TABLE click ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, since, until);
    RETURN true;
END $$;;
ALTER TABLE click RENAME TO click_whole;;
ALTER INDEX click_pkey RENAME TO click_whole_pkey;;
ALTER INDEX click_of_link RENAME TO click_whole_of_link;;
CREATE TABLE click (LIKE click_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (occurred_at);;
ALTER TABLE click ADD CONSTRAINT click_pkey PRIMARY KEY (id, occurred_at);;
ALTER TABLE click ADD CONSTRAINT click_link_id_fkey FOREIGN KEY (link_id) REFERENCES link (id)
    ON DELETE RESTRICT ON UPDATE CASCADE;;
CREATE INDEX click_of_link ON click (link_id, occurred_at DESC);;
CREATE TABLE click_default PARTITION OF click DEFAULT;;
SELECT make_click_day(day) FROM (
    SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date AS day FROM click_whole
     UNION SELECT (now() AT TIME ZONE 'UTC')::date + ahead FROM generate_series(-1, 7) ahead) days ORDER BY day;;
INSERT INTO click SELECT * FROM click_whole;;
DROP TABLE click_whole CASCADE;;
"""

BACKWARDS = """
CREATE TABLE click_whole (LIKE click INCLUDING DEFAULTS INCLUDING CONSTRAINTS);;
INSERT INTO click_whole SELECT * FROM click;;
DROP TABLE click CASCADE;;
ALTER TABLE click_whole RENAME TO click;;
ALTER TABLE click ADD CONSTRAINT click_pkey PRIMARY KEY (id);;
ALTER TABLE click ADD CONSTRAINT click_link_id_fkey FOREIGN KEY (link_id) REFERENCES link (id)
    ON DELETE RESTRICT ON UPDATE CASCADE;;
CREATE INDEX click_of_link ON click (link_id, occurred_at DESC);;
ALTER TABLE click_claim ADD CONSTRAINT click_claim_click_id_fkey FOREIGN KEY (click_id) REFERENCES click (id)
    ON DELETE RESTRICT ON UPDATE CASCADE;;
ALTER TABLE signup_referral ADD CONSTRAINT signup_referral_click_id_fkey FOREIGN KEY (click_id) REFERENCES click (id)
    ON DELETE RESTRICT ON UPDATE CASCADE;;
DROP FUNCTION make_click_day(date);;
DROP FUNCTION click_from(uuid);;
DROP FUNCTION click_until(uuid);;
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
