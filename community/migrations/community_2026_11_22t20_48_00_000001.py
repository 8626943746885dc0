"""Who shuts somebody out cannot forget to say so: `room.access_version` rises by trigger whenever fewer may read."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T20:48:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "versions of access, and one standing measure of a kind"

# Rooms are locked in the order of their ids, as who says something in several rooms at once locks them.
FORWARDS = (
    """CREATE UNIQUE INDEX room_measure_standing ON room_measure (room_id, member_id, kind) NULLS NOT DISTINCT
        WHERE lifted_at IS NULL""",
    "CREATE INDEX room_measure_log ON room_measure (room_id, id DESC)",
    "CREATE INDEX room_member_places ON room_member (member_id, room_id) WHERE state <> 'left'",
    """CREATE FUNCTION fewer_readers_of_groups() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           PERFORM 1 FROM room WHERE group_id IN (SELECT group_id FROM gone) ORDER BY id FOR NO KEY UPDATE;
           UPDATE room SET access_version = access_version + 1 WHERE group_id IN (SELECT group_id FROM gone);
           RETURN NULL;
       END $$""",
    """CREATE TRIGGER membership_gone AFTER DELETE ON membership
       REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fewer_readers_of_groups()""",
    """CREATE TRIGGER membership_changed AFTER UPDATE ON membership
       REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fewer_readers_of_groups()""",
    """CREATE FUNCTION fewer_readers_of_group() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           UPDATE room SET access_version = access_version + 1 WHERE group_id = NEW.id;
           RETURN NULL;
       END $$""",
    """CREATE TRIGGER group_closed AFTER UPDATE OF visibility ON groups
       FOR EACH ROW WHEN (OLD.visibility <> NEW.visibility) EXECUTE FUNCTION fewer_readers_of_group()""",
    """CREATE FUNCTION fewer_readers_of_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           PERFORM 1 FROM room WHERE id IN (SELECT room_id FROM gone) ORDER BY id FOR NO KEY UPDATE;
           UPDATE room SET access_version = access_version + 1 WHERE id IN (SELECT room_id FROM gone);
           RETURN NULL;
       END $$""",
    """CREATE TRIGGER room_member_gone AFTER DELETE ON room_member
       REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fewer_readers_of_rooms()""",
    """CREATE TRIGGER room_member_changed AFTER UPDATE ON room_member
       REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fewer_readers_of_rooms()""",
    """CREATE TRIGGER room_measure_taken AFTER INSERT ON room_measure
       REFERENCING NEW TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fewer_readers_of_rooms()""",
    """CREATE FUNCTION room_closed() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           NEW.access_version := OLD.access_version + 1;
           RETURN NEW;
       END $$""",
    """CREATE TRIGGER room_closed BEFORE UPDATE OF is_open, group_id ON room
       FOR EACH ROW WHEN (OLD.is_open <> NEW.is_open OR OLD.group_id IS DISTINCT FROM NEW.group_id)
       EXECUTE FUNCTION room_closed()""",
)
BACKWARDS = (
    "DROP TRIGGER room_closed ON room",
    "DROP TRIGGER room_measure_taken ON room_measure",
    "DROP TRIGGER room_member_changed ON room_member",
    "DROP TRIGGER room_member_gone ON room_member",
    "DROP TRIGGER group_closed ON groups",
    "DROP TRIGGER membership_changed ON membership",
    "DROP TRIGGER membership_gone ON membership",
    "DROP FUNCTION room_closed",
    "DROP FUNCTION fewer_readers_of_rooms",
    "DROP FUNCTION fewer_readers_of_group",
    "DROP FUNCTION fewer_readers_of_groups",
    "DROP INDEX room_member_places",
    "DROP INDEX room_measure_log",
    "DROP INDEX room_measure_standing",
)


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
