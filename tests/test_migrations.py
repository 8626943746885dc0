"""The schema in the migrations is the schema in the tables, forwards and backwards."""

import asyncio
import importlib
import os
import re
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from piccolo.apps.migrations.commands.new import AutoMigrationManager
from piccolo.conf.apps import AppConfig
from piccolo.constraints import Check

from app import db, migrate
from app.piccolo_conf import AREAS
from app.settings import settings

pytestmark = pytest.mark.anyio


def configs() -> list[AppConfig]:
    return [importlib.import_module(f"{area}.piccolo_app").APP_CONFIG for area in AREAS]


@pytest.mark.parametrize("area", AREAS)
async def test_the_tables_hold_nothing_the_migrations_lack(database: None, area: str):
    config: AppConfig = importlib.import_module(f"{area}.piccolo_app").APP_CONFIG
    changes = await AutoMigrationManager().get_alter_statements(config)
    assert [statement for change in changes for statement in change.statements] == []


async def test_every_check_in_the_code_stands_in_the_database(database: None):
    """Piccolo does not see a Check whose text changed under the same name; the catalog does."""
    found = {
        row["conname"]: _facts(row["definition"])
        for row in await db.fetch(
            "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype = 'c'"
        )
    }
    for config in configs():
        for table in config.table_classes:
            for constraint in table._meta.constraints:
                if isinstance(constraint, Check):
                    name = constraint._meta.name
                    assert found[name] == _facts(str(constraint._meta.params["condition"])), name


async def test_starting_many_migrations_at_once_is_safe(database: None):
    applied = await asyncio.gather(*(migrate.migrate() for _ in range(4)))
    assert applied == [0, 0, 0, 0]
    assert await migrate.is_at_head()


async def test_backwards_and_forwards_again(database: None):
    """On a database of its own: the whole way down, the whole way up."""
    parts = urlsplit(settings().database_url)
    name = f"down_and_up_{os.getpid()}"
    await db.execute(f"CREATE DATABASE {name}")
    url = urlunsplit(parts._replace(path=f"/{name}"))
    environment = {**os.environ, "GRAPEVINE_DATABASE_URL": url, "PICCOLO_CONF": "app.piccolo_conf"}
    try:
        for command in (
            ["-m", "app", "migrate"],
            *(
                ["-m", "piccolo.main", "migrations", "backwards", area, "all", "--auto_agree"]
                for area in reversed(AREAS)
            ),
            ["-m", "app", "migrate", "--json"],
        ):
            said = await _run(command, environment)
        assert '"applied":' in said and '"applied":0' not in said
    finally:
        await db.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def _run(command: list[str], environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


def _facts(condition: str) -> set[str]:
    """The columns, numbers and texts a condition names; PostgreSQL writes its words (IN, BETWEEN) differently."""
    return set(re.findall(r"'[^']*'|\w+", condition.lower())) - {
        "in",
        "between",
        "and",
        "or",
        "any",
        "array",
        "text",
        "check",
    }
