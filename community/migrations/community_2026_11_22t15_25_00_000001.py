"""The list of a group's most answered topics, and the log of one subject, by index."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T15:25:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of top topics and of the log"

FORWARDS = (
    "CREATE INDEX topic_top ON topic (group_id, (reaction_count + post_count) DESC, id DESC)",
    "CREATE INDEX modlog_entry_subject ON modlog_entry (subject_kind, subject_id, id DESC)",
    "CREATE INDEX moderation_case_decided ON moderation_case (id DESC) WHERE state <> 'open'",
)
BACKWARDS = ("DROP INDEX topic_top", "DROP INDEX modlog_entry_subject", "DROP INDEX moderation_case_decided")


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)
    manager.add_raw(_make)
    manager.add_raw_backwards(_unmake)
    return manager


async def _make() -> None:
    for statement in FORWARDS:
        await engine_finder().run_ddl(statement)


async def _unmake() -> None:
    for statement in BACKWARDS:
        await engine_finder().run_ddl(statement)
