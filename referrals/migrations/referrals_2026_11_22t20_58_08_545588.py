from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

ID = "2026-11-22T20:58:08:545588"
VERSION = "1.38.0"
DESCRIPTION = "campaign_escrow"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="referrals", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="Contract",
        tablename="campaign_contract",
        column_name="escrowed_at",
        db_column_name="escrowed_at",
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

    manager.drop_constraint(
        table_class_name="Milestone",
        tablename="campaign_milestone",
        constraint_name="campaign_milestone_state_known",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Milestone",
        tablename="campaign_milestone",
        constraint_name="campaign_milestone_state_is_known",
        constraint_class=Check,
        params={
            "condition": "state IN ('open', 'handed_in', 'approved', 'declined', 'dropped', 'expired')"
        },
        schema=None,
    )

    return manager
