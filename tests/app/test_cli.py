"""The operator's commands, run as programs."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from app import db

pytestmark = pytest.mark.anyio


async def grapevine(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a thread: what this process was about to commit goes on meanwhile, and the command may wait for it."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


async def test_an_operator_makes_a_member_and_a_token_that_works(house, web):
    made = await grapevine(
        "member", "create", "--handle", "Ada", "--email", "ada@example.org", "--role", "admin", "--json"
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["handle"] == "ada"
    token = json.loads((await grapevine("token", "create", "--member", "ada", "--json")).stdout)["token"]
    assert (await web(token=token).get("/api/v1/me")).json()["handle"] == "ada"
    assert token not in str(await db.fetch("SELECT * FROM api_token"))


async def test_a_second_member_of_the_same_name_fails_with_one_sentence(house):
    words = ("member", "create", "--handle", "ada", "--email", "ada@example.org", "--password", "long enough words")
    assert (await grapevine(*words)).returncode == 0
    again = await grapevine(*words)
    assert again.returncode == 1
    assert "Traceback" not in again.stderr and len(again.stderr.strip().splitlines()) == 1


async def test_wrong_usage_is_exit_code_2(house):
    assert (await grapevine("member", "create")).returncode == 2
    assert (await grapevine("no-such-command")).returncode == 2


async def test_doctor_finds_a_healthy_house_healthy(house):
    seen = await grapevine("doctor", "--json")
    assert seen.returncode == 0, seen.stdout
    assert json.loads(seen.stdout)["ok"]


async def test_doctor_says_what_to_do_when_redis_is_away(house):
    seen = await grapevine("doctor", "--json", GRAPEVINE_REDIS_URL="redis://127.0.0.1:1")
    assert seen.returncode == 1
    (redis,) = [part for part in json.loads(seen.stdout)["findings"] if part["part"] == "redis"]
    assert not redis["ok"] and "GRAPEVINE_REDIS_URL" in redis["advice"]


async def test_a_bad_setting_refuses_to_start_in_one_sentence(database):
    for command in ("serve", "worker", "migrate"):
        refused = await grapevine(command, GRAPEVINE_ENV="production", GRAPEVINE_SECRET_KEY="")
        assert refused.returncode == 1
        assert "GRAPEVINE_SECRET_KEY" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", ["migrate", "doctor", "serve", "worker", "demo", "member create", "token create"])
async def test_help_shows_an_example(command: str):
    shown = await grapevine(*command.split(), "--help")
    assert shown.returncode == 0 and "Example:" in shown.stdout
