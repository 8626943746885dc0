from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="community",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(["community.members.tables", "community.sessions.tables", "community.media.tables", "community.notifications.tables", "community.moderation.tables", "community.groups.tables", "community.topics.tables", "community.chat.tables"], exclude_imported=True),
    migration_dependencies=["app.piccolo_app"],
)
