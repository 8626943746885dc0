"""What Piccolo's own migrations cannot say: composite, partial and expression indexes, and triggers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:38:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = """
CREATE UNIQUE INDEX review_once_per_author ON review (product_id, author_id) WHERE author_id IS NOT NULL;;
CREATE UNIQUE INDEX review_once_per_import ON review (product_id, external_key) WHERE external_key <> '';;
CREATE INDEX review_helpful ON review (product_id, helpful_count DESC, id DESC);;
CREATE INDEX review_new ON review (product_id, created_at DESC, id DESC);;
CREATE INDEX review_rating ON review (product_id, rating DESC, id DESC);;
"""

BACKWARDS = """
DROP INDEX review_once_per_author;;
DROP INDEX review_once_per_import;;
DROP INDEX review_helpful;;
DROP INDEX review_new;;
DROP INDEX review_rating;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="content", description=DESCRIPTION)
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
