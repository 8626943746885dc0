from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Unique

ID = "2026-11-22T17:48:08:979736"
VERSION = "1.38.0"
DESCRIPTION = "refund_lines"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="storefront", description=DESCRIPTION
    )

    manager.drop_constraint(
        table_class_name="RefundLine",
        tablename="refund_line",
        constraint_name="refund_line_once",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="RefundLine",
        tablename="refund_line",
        constraint_name="refund_line_once_a_kind",
        constraint_class=Unique,
        params={
            "columns": ["refund_id", "external_line_id", "is_estimate"],
            "nulls_distinct": True,
        },
        schema=None,
    )

    return manager
