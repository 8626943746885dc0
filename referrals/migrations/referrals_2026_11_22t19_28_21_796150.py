from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import SmallInt
from piccolo.columns.column_types import UUID
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

ID = "2026-11-22T19:28:21:796150"
VERSION = "1.38.0"
DESCRIPTION = "dwell"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="referrals", description=DESCRIPTION
    )

    manager.add_table(
        class_name="ClickDwell",
        tablename="click_dwell",
        schema=None,
        columns=None,
    )

    manager.add_column(
        table_class_name="ClickDwell",
        tablename="click_dwell",
        column_name="click_id",
        db_column_name="click_id",
        column_class_name="UUID",
        column_class=UUID,
        params={
            "default": None,
            "null": False,
            "primary_key": True,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="ClickDwell",
        tablename="click_dwell",
        column_name="seconds",
        db_column_name="seconds",
        column_class_name="SmallInt",
        column_class=SmallInt,
        params={
            "default": None,
            "null": False,
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
        table_class_name="ClickDwell",
        tablename="click_dwell",
        constraint_name="click_dwell_is_capped",
        constraint_class=Check,
        params={"condition": "seconds BETWEEN 0 AND 1800"},
        schema=None,
    )

    return manager
