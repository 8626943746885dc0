"""While PostgreSQL restarts or was killed: a clear answer at every door, and no flood in the log."""

import logging
import uuid
from collections.abc import Callable

import asyncpg
import pytest

from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, a_member

pytestmark = pytest.mark.anyio

AWAY = [
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    ConnectionRefusedError(111, "Connection refused"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_every_door_says_come_back_in_a_moment(
    house: Callable, web: Browser, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
):
    alice = await a_member("alice")

    async def refuse(*_args: object, **_options: object) -> None:
        raise error

    browser, program = web(), web(token=alice.token)
    with monkeypatch.context() as away, caplog.at_level(logging.WARNING):
        away.setattr(asyncpg.Pool, "acquire", refuse)
        page, answer = await browser.get("/g/"), await program.get("/api/v1/me")
    assert page.status_code == answer.status_code == 503
    assert answer.json()["type"].endswith("unavailable") and "trying again" not in page.text
    assert not [record for record in caplog.records if record.exc_info]
    assert (await program.get("/api/v1/me")).status_code == 200


async def test_what_is_said_meanwhile_is_refused_with_its_client_id_and_can_be_said_again(
    house: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.hello(room)

    async def refuse(*_args: object, **_options: object) -> None:
        raise AWAY[0]

    client_id = str(uuid.uuid4())
    with monkeypatch.context() as away, caplog.at_level(logging.WARNING):
        away.setattr(asyncpg.Pool, "acquire", refuse)
        await line.say(room, "Hello?", client_id)
        refused = await line.next("error")
    assert (refused["code"], refused["client_id"]) == ("unavailable", client_id)
    assert not [record for record in caplog.records if record.exc_info]
    await line.say(room, "Hello?", client_id)
    assert (await line.next("ack"))["client_id"] == client_id
