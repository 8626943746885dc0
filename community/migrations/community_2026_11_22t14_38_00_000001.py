"""What Piccolo's own migrations cannot say: composite, partial and expression indexes, and triggers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T14:38:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes and triggers"

FORWARDS = """
CREATE UNIQUE INDEX member_handle_once ON member (lower(handle));;
CREATE UNIQUE INDEX member_email_once ON member (lower(email));;
CREATE UNIQUE INDEX moderation_case_one_open ON moderation_case (subject_kind, subject_id) WHERE state = 'open';;
CREATE INDEX moderation_case_queue ON moderation_case (opened_at) WHERE state = 'open';;
CREATE INDEX notification_unread ON notification (member_id) WHERE read_at IS NULL;;
CREATE INDEX notification_list ON notification (member_id, id DESC);;
CREATE INDEX topic_hot ON topic (group_id, heat DESC, id DESC);;
CREATE INDEX topic_new ON topic (group_id, created_at DESC, id DESC);;
CREATE INDEX topic_active ON topic (group_id, active_at DESC, id DESC);;
CREATE INDEX topic_feed ON topic (active_at DESC, id DESC);;
CREATE INDEX topic_heat ON topic (heat DESC, id DESC);;
CREATE UNIQUE INDEX room_one_per_group ON room (group_id) WHERE kind = 'group';;
CREATE INDEX post_by_author ON post (author_id, id DESC);;
"""

BACKWARDS = """
DROP INDEX member_handle_once;;
DROP INDEX member_email_once;;
DROP INDEX moderation_case_one_open;;
DROP INDEX moderation_case_queue;;
DROP INDEX notification_unread;;
DROP INDEX notification_list;;
DROP INDEX topic_hot;;
DROP INDEX topic_new;;
DROP INDEX topic_active;;
DROP INDEX topic_feed;;
DROP INDEX topic_heat;;
DROP INDEX room_one_per_group;;
DROP INDEX post_by_author;;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)
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
