from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="storefront",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        ["storefront.stores.tables", "storefront.catalog.tables", "storefront.orders.tables"], exclude_imported=True
    ),
    migration_dependencies=["community.piccolo_app"],
)
