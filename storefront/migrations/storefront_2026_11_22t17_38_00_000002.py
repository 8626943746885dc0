"""Pictures that are ours already need no copy."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T17:38:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "own pictures"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="storefront", description=DESCRIPTION)
    manager.add_raw(_take_over)
    return manager


async def _take_over() -> None:
    await engine_finder().run_ddl(
        "UPDATE product SET picture = image_url, picture_source = image_url WHERE image_url LIKE '/media/%'"
    )
