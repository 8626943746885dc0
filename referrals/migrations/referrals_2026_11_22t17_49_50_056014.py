from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Check

ID = "2026-11-22T17:49:50:056014"
VERSION = "1.38.0"
DESCRIPTION = "payout_sums"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="referrals", description=DESCRIPTION
    )

    manager.drop_constraint(
        table_class_name="Payout",
        tablename="payout",
        constraint_name="payout_adds_up",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Payout",
        tablename="payout",
        constraint_name="payout_sums_up",
        constraint_class=Check,
        params={
            "condition": "sends = amount - fee - withheld + bonus AND sends > 0 AND amount > 0 AND netted >= 0 AND fee >= 0 AND withheld >= 0 AND bonus >= 0"
        },
        schema=None,
    )

    return manager
