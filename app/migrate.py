"""Bring the schema to head. Safe when many processes start at once: they queue behind an advisory lock."""

import contextlib
import io
import os
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from app import db, jobs
from app.piccolo_conf import AREAS
from app.settings import settings

ROOT = Path(__file__).parent.parent
LOCK = 4_702_631_001  # any fixed number; only our migrations take it


class MigrationFailed(Exception):
    """A migration did not apply; the text holds Piccolo's own words."""


async def migrate() -> int:
    """Apply what is missing; the number of migrations applied. The pool must be open."""
    os.environ["PICCOLO_CONF"] = "app.piccolo_conf"
    # The lock lives on a connection of its own: Piccolo commits after every migration.
    guard = await asyncpg.connect(settings().database_url)
    try:
        await guard.execute(f"SELECT pg_advisory_lock({LOCK})")
        async with db.unhurried():
            return await _apply_what_is_missing()
    finally:
        await guard.close()


async def _apply_what_is_missing() -> int:
    before = await applied()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            await run_forwards(app_name="all", migration_id="all")
        except SystemExit as stop:
            if stop.code:
                raise MigrationFailed(said.getvalue()) from stop
    await jobs.install()
    return len(await applied() - before)


async def applied() -> set[str]:
    if not await db.fetch_val("SELECT to_regclass('migration') IS NOT NULL"):
        return set()
    return {f"{row['app_name']}:{row['name']}" for row in await db.fetch("SELECT app_name, name FROM migration")}


async def is_at_head() -> bool:
    """Whether every migration in the code has been applied."""
    wanted = sum(len(list((ROOT / area / "migrations").glob(f"{area}_*.py"))) for area in AREAS)
    return len(await applied()) >= wanted
