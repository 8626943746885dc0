"""A QR code of its own for every link, look-alike codes, and one link per external id."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:42:30:000004"
VERSION = "1.38.0"
DESCRIPTION = "scan codes, look-alike codes, external ids"

# `code_skeleton` is the same for codes that a person would read as the same.
FORWARDS = """
CREATE FUNCTION code_skeleton(code text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(replace(translate(lower(code), '01i_', 'oll-'), 'rn', 'm'), 'vv', 'w')
$$;;
UPDATE link SET scan_code = translate(substr(md5(random()::text || id::text || clock_timestamp()::text), 1, 10), '01', 'gh')
 WHERE scan_code IS NULL;;
CREATE INDEX link_skeleton ON link (code_skeleton(code));;
CREATE INDEX link_former_code_skeleton ON link_former_code (code_skeleton(code));;
CREATE INDEX member_handle_skeleton ON member (code_skeleton(handle));;
CREATE UNIQUE INDEX link_external_once ON link (owner_id, external_id) WHERE external_id <> '';;
DROP INDEX link_once_per_target;;
CREATE UNIQUE INDEX link_once_per_target ON link
    (owner_id, target_kind, coalesce(target_id, 0), (CASE WHEN target_id IS NULL THEN destination ELSE '' END), placement)
    WHERE external_id = '';;
CREATE INDEX link_product ON link (target_id) WHERE target_kind = 'product';;
CREATE UNIQUE INDEX short_domain_in_use ON short_domain (store_id) WHERE in_use_at IS NOT NULL;;
"""

BACKWARDS = """
DROP INDEX short_domain_in_use;;
DROP INDEX link_product;;
DROP INDEX link_once_per_target;;
CREATE UNIQUE INDEX link_once_per_target ON link
    (owner_id, target_kind, coalesce(target_id, 0), (CASE WHEN target_id IS NULL THEN destination ELSE '' END), placement);;
DROP INDEX link_external_once;;
DROP INDEX member_handle_skeleton;;
DROP INDEX link_former_code_skeleton;;
DROP INDEX link_skeleton;;
DROP FUNCTION code_skeleton(text);;
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
