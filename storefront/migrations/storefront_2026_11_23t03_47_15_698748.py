from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

ID = "2026-11-23T03:47:15:698748"
VERSION = "1.38.0"
DESCRIPTION = "saleor"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="storefront", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="Store",
        tablename="store",
        column_name="keys_origin",
        db_column_name="keys_origin",
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

    manager.drop_constraint(
        table_class_name="Store",
        tablename="store",
        constraint_name="store_provider_known",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Store",
        tablename="store",
        constraint_name="store_provider_is_known",
        constraint_class=Check,
        params={
            "condition": "provider IN ('generic', 'shopify', 'woocommerce', 'stripe', 'medusa', 'saleor')"
        },
        schema=None,
    )

    return manager
