"""When a member proved that mail to their address reaches them. Who is here already was vouched for by nobody."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-22T16:18:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "proven e-mails"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Member",
        tablename="member",
        column_name="email_proven_at",
        db_column_name="email_proven_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )
    return manager
