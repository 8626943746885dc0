"""What Piccolo's command line needs: the one engine, and the areas in their order."""

from piccolo.conf.apps import AppRegistry

from app.db import engine as DB
from app.settings import settings

if not DB.config:
    DB.config = {"dsn": settings().database_url}

AREAS = ["app", "community", "storefront", "content", "referrals", "search"]
APP_REGISTRY = AppRegistry(apps=[f"{area}.piccolo_app" for area in AREAS])

__all__ = ["APP_REGISTRY", "AREAS", "DB"]
