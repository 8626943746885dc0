from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="referrals",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        [
            f"referrals.{feature}.tables"
            for feature in (
                "agreement",
                "programs",
                "partners",
                "links",
                "kit",
                "clicks",
                "codes",
                "attribution",
                "ledger",
                "commissions",
                "credit",
                "socials",
                "bounties",
                "simulator",
                "identity",
                "payouts",
                "books",
                "fraud",
                "objections",
                "campaigns",
                "live_cards",
                "earn",
            )
        ],
        exclude_imported=True,
    ),
    migration_dependencies=["storefront.piccolo_app", "content.piccolo_app"],
)
