import asyncio

import pytest

from app import db
from app.db import watch_queries
from tests.factories import Browser, a_group, a_member, sign_in

pytestmark = pytest.mark.anyio


async def test_the_founder_owns_the_group_and_is_its_first_member(web: Browser):
    alice = await a_member("alice")
    answer = await web(token=alice.token).post(
        "/api/v1/groups", json={"slug": "tea", "name": "Tea at home", "description": "", "visibility": "public"}
    )
    assert answer.status_code == 201
    assert answer.json()["member_count"] == 1 and answer.json()["membership"] == "active"


async def test_two_founders_at_once_and_one_wins(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    body = {"slug": "tea", "name": "Tea"}
    answers = await asyncio.gather(
        *(web(token=one.token).post("/api/v1/groups", json=body) for one in (alice, bob, alice, bob))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await db.fetch_val("SELECT count(*) FROM membership") == 1


async def test_a_secret_group_does_not_exist_for_a_stranger(web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    assert (await web(token=alice.token).get(f"/api/v1/groups/{slug}")).status_code == 200
    hidden = await web(token=charlie.token).get(f"/api/v1/groups/{slug}")
    missing = await web(token=charlie.token).get("/api/v1/groups/never-was")
    assert hidden.status_code == missing.status_code == 404
    assert slug not in (await web().get("/g/")).text


async def test_joining_twice_at_once_counts_one_member(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    client = web(token=bob.token)
    await asyncio.gather(*(client.put(f"/api/v1/groups/{slug}/membership") for _ in range(6)))
    assert (await client.get(f"/api/v1/groups/{slug}")).json()["member_count"] == 2
    await asyncio.gather(*(client.delete(f"/api/v1/groups/{slug}/membership") for _ in range(3)))
    assert (await client.get(f"/api/v1/groups/{slug}")).json()["member_count"] == 1


async def test_a_closed_group_lets_in_whom_its_owner_admits(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice, visibility="closed")
    asked = await web(token=bob.token).put(f"/api/v1/groups/{slug}/membership")
    assert asked.json()["membership"] == "pending" and asked.json()["room_id"] is None
    browser = await sign_in(web(), bob)
    assert (await browser.get(f"/g/{slug}/members")).status_code == 403
    from community.groups.service import admit

    await admit(alice.viewer, slug, bob.id)
    assert (await browser.get(f"/g/{slug}/members")).status_code == 200


async def test_the_list_costs_the_same_however_long_it_is(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    await a_group(alice)
    with watch_queries() as few:
        await browser.get("/g/")
    for _ in range(5):
        await a_group(alice)
    with watch_queries() as many:
        await browser.get("/g/")
    assert len(few) == len(many) == 2
