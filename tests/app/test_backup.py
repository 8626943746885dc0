"""What was backed up comes back whole, somewhere else, and never half."""

import json
import os
import secrets
import stat
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app import db
from app.settings import settings
from tests.api_world import API, a_world
from tests.app.test_cli import grapevine
from tests.community.test_media import a_picture
from tests.factories import Browser, a_member

pytestmark = pytest.mark.anyio


@pytest.fixture
async def elsewhere(house) -> AsyncIterator[str]:
    """Another, empty database on the same server."""
    name = f"gv_restore_{secrets.token_hex(4)}"
    await db.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(settings().database_url)._replace(path=f"/{name}"))
    await db.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_community_is_restored_with_its_books_and_pictures(web: Browser, elsewhere: str, tmp_path: Path):
    world = await a_world(web)
    picture = (await web(token=world.ada.token).post(f"{API}/uploads", files={"file": ("x.png", a_picture())})).json()
    file = tmp_path / "all.tar"
    made = await grapevine("backup", str(file), "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["pictures"] >= 1 and stat.S_IMODE(file.stat().st_mode) == 0o600
    there = {"GRAPEVINE_DATABASE_URL": elsewhere, "GRAPEVINE_DATA_DIR": str(tmp_path / "data")}
    done = await grapevine("restore", str(file), "--json", **there)
    assert done.returncode == 0, done.stderr
    verified = json.loads((await grapevine("ledger", "verify", "--json", **there)).stdout)
    assert verified["ok"] and verified["entries"] >= 2
    assert (tmp_path / "data" / "media" / picture["url"].removeprefix("/media/")).exists()
    copy = await asyncpg.connect(elsewhere)
    for table in ("member", "post", "message", "ledger_entry", "click", "event"):
        count = f"SELECT count(*) FROM {table}"
        assert await copy.fetchval(count) == await db.fetch_val(count) > 0, table
    epoch = "SELECT epoch FROM room"
    assert await copy.fetchval(epoch) != await db.fetch_val(epoch), "chat clients must notice that history was restored"
    await copy.close()


async def test_a_living_community_is_replaced_only_on_demand(house, elsewhere: str, tmp_path: Path):
    await a_member("alice")
    file = tmp_path / "all.tar"
    assert (await grapevine("backup", str(file))).returncode == 0
    refused = await grapevine("restore", str(file))
    assert refused.returncode == 1 and "--yes" in refused.stderr
    there = {"GRAPEVINE_DATABASE_URL": elsewhere, "GRAPEVINE_DATA_DIR": str(tmp_path / "data")}
    for _ in range(2):
        done = await grapevine("restore", str(file), "--yes", **there)
        assert done.returncode == 0, done.stderr


async def test_what_is_no_backup_changes_nothing(house, elsewhere: str, tmp_path: Path):
    await a_member("alice")
    whole, cut, other = tmp_path / "all.tar", tmp_path / "cut.tar", tmp_path / "other.tar"
    assert (await grapevine("backup", str(whole))).returncode == 0
    there = {"GRAPEVINE_DATABASE_URL": elsewhere, "GRAPEVINE_DATA_DIR": str(tmp_path / "data")}
    assert (await grapevine("restore", str(whole), **there)).returncode == 0
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with tarfile.open(other, "w") as tar:
        tar.add(Path(__file__), "notes.txt")
    for wrong in (cut, other):
        refused = await grapevine("restore", str(wrong), "--yes", **there)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr, refused.stderr
    copy = await asyncpg.connect(elsewhere)
    assert await copy.fetchval("SELECT handle FROM member") == "alice"
    await copy.close()
    assert os.listdir(tmp_path / "data") in ([], ["media"])
