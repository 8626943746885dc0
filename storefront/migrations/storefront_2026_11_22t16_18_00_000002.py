"""The mailbox behind a customer's e-mail, so that another way of writing it does not hide who bought."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-22T16:18:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "mailboxes of customers"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="storefront", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Customer",
        tablename="customer",
        column_name="mailbox_hmac",
        db_column_name="mailbox_hmac",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": "",
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
    return manager
