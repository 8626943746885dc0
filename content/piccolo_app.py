from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="content",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        [
            "content.reviews.tables",
            "content.questions.tables",
            "content.guides.tables",
            "content.live_events.tables",
            "content.product_rooms.tables",
        ],
        exclude_imported=True,
    ),
    migration_dependencies=["storefront.piccolo_app"],
)
