from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Check

ID = "2026-11-23T01:42:25:374154"
VERSION = "1.38.0"
DESCRIPTION = "webhooks_of_rooms"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="community", description=DESCRIPTION
    )

    manager.drop_constraint(
        table_class_name="Endpoint",
        tablename="webhook_endpoint",
        constraint_name="webhook_endpoint_owner_known",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Endpoint",
        tablename="webhook_endpoint",
        constraint_name="webhook_endpoint_owner_is_known",
        constraint_class=Check,
        params={"condition": "owner_kind IN ('group', 'room', 'store')"},
        schema=None,
    )

    return manager
