from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import UUID
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Unique

ID = "2026-11-22T21:02:32:843254"
VERSION = "1.38.0"
DESCRIPTION = "guessed_clicks"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="referrals", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="DeferredMatch",
        tablename="deferred_match",
        column_name="original_id",
        db_column_name="original_id",
        column_class_name="UUID",
        column_class=UUID,
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

    manager.add_constraint(
        table_class_name="DeferredMatch",
        tablename="deferred_match",
        constraint_name="deferred_match_original_once",
        constraint_class=Unique,
        params={"columns": ["original_id"], "nulls_distinct": True},
        schema=None,
    )

    return manager
