"""What Piccolo's command line needs: the one engine, and the areas in their order."""

import os

from piccolo.conf.apps import AppRegistry

from app.db import engine as DB

# Read straight from the environment: a bad setting must be told by the command that runs, not by this import.
if not DB.config and (url := os.environ.get("GRAPEVINE_DATABASE_URL")):
    DB.config = {"dsn": url}

AREAS = ["app", "community", "storefront", "content", "referrals", "search"]
APP_REGISTRY = AppRegistry(apps=[f"{area}.piccolo_app" for area in AREAS])

__all__ = ["APP_REGISTRY", "AREAS", "DB"]
