"""What Piccolo's own migrations cannot say: composite, partial and expression indexes, and triggers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:38:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;;
ALTER TABLE search_document ADD COLUMN words tsvector NOT NULL DEFAULT ''::tsvector;;
CREATE INDEX search_document_words ON search_document USING gin (words);;
CREATE INDEX search_document_title ON search_document USING gin (title gin_trgm_ops);;
"""

BACKWARDS = """
DROP INDEX search_document_title;;
DROP INDEX search_document_words;;
ALTER TABLE search_document DROP COLUMN words;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="search", description=DESCRIPTION)
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
