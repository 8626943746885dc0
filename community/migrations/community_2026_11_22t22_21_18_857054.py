from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Check

ID = "2026-11-22T22:21:18:857054"
VERSION = "1.38.0"
DESCRIPTION = "an_address_goes_off_with_its_maker"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="community", description=DESCRIPTION)

    manager.drop_constraint(
        table_class_name="Endpoint",
        tablename="webhook_endpoint",
        constraint_name="webhook_endpoint_off_reason_known",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Endpoint",
        tablename="webhook_endpoint",
        constraint_name="webhook_endpoint_why_off_known",
        constraint_class=Check,
        params={"condition": "off_reason IN ('', 'by_hand', 'gone', 'unreachable', 'keys_lost', 'maker_left')"},
        schema=None,
    )

    return manager
