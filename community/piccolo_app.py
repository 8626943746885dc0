from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

FEATURES = """members privacy sessions media notifications phones webhooks moderation groups topics chat direct
              bots""".split()

APP_CONFIG = AppConfig(
    app_name="community",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder([f"community.{feature}.tables" for feature in FEATURES], exclude_imported=True),
    migration_dependencies=["app.piccolo_app"],
)
