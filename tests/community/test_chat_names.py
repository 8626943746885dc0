"""Calling somebody: the first letters of a handle or a name find the people of the room, and nobody else's."""

import pytest

from community.direct import blocking
from tests.community.test_chat import a_room
from tests.factories import Browser, Person, a_member, sign_in

pytestmark = pytest.mark.anyio


async def found(web: Browser, person: Person, room: str, part: str) -> list[str]:
    answer = await (await sign_in(web(), person)).get(f"/chat/{room}/names", params={"part": part})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-store"
    return [one["handle"] for one in answer.json()]


async def test_people_are_found_by_the_beginning_of_handle_or_name(web: Browser):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob_1", name="Robert Stein")
    wei, _elsewhere = await a_member("wei", name="林薇"), await a_member("stella")
    _slug, room = await a_room(alice, bob, wei)
    assert await found(web, alice, room, "st") == ["bob_1"]
    assert await found(web, alice, room, "BOB_") == ["bob_1"]
    assert await found(web, alice, room, "林") == ["wei"]
    assert await found(web, alice, room, "") == ["bob_1", "wei"], "not oneself"
    assert await found(web, alice, room, "%") == [] and await found(web, alice, room, "b_b") == []


async def test_who_blocked_one_another_is_not_offered(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await blocking.block(bob.viewer, "alice")
    assert await found(web, alice, room, "b") == [] and await found(web, bob, room, "a") == []


async def test_a_stranger_learns_nobody_s_name_from_a_closed_room(web: Browser):
    alice, bob, charlie = await a_member("alice"), await a_member("bob"), await a_member("charlie")
    _slug, room = await a_room(alice, bob, visibility="secret")
    stranger = await (await sign_in(web(), charlie)).get(f"/chat/{room}/names?part=a")
    missing = await (await sign_in(web(), charlie)).get("/chat/999999/names?part=a")
    assert (stranger.status_code, missing.status_code) == (404, 404)
    assert "alice" not in stranger.text
    assert (await web().get(f"/chat/{room}/names?part=a", headers={"Accept": "application/json"})).status_code == 401
