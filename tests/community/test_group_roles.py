"""Who runs a group: its owner names moderators and hands the group over, and nobody else does."""

import asyncio

import pytest

from app import db
from app.errors import Forbidden
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def roles_of(slug: str) -> dict[str, str]:
    rows = await db.fetch(
        """SELECT m.handle, ms.role FROM membership ms JOIN member m ON m.id = ms.member_id
             JOIN groups g ON g.id = ms.group_id WHERE g.slug = $1""",
        slug,
    )
    return {row["handle"]: row["role"] for row in rows}


async def test_the_owner_names_a_moderator_and_takes_it_back(web: Browser):
    from community.groups import service

    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await service.join(bob.viewer, slug)
    browser = await sign_in(web(), alice)
    door, page = f"/g/{slug}/members/{bob.id}/role", f"/g/{slug}/members"
    assert (await submit(browser, door, {"role": "moderator"}, page=page)).status_code == 303
    assert (await roles_of(slug))["bob"] == "moderator"
    await run_jobs()
    assert "You are a moderator of" in (await (await sign_in(web(), bob)).get("/notifications/")).text
    assert (await submit(browser, door, {"role": "member"}, page=page)).status_code == 303
    assert (await roles_of(slug))["bob"] == "member"
    assert (await submit(browser, door, {"role": "emperor"}, page=page)).status_code == 422


async def test_an_owner_who_hands_over_may_leave(web: Browser):
    from community.groups import service

    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await service.join(bob.viewer, slug)
    with pytest.raises(Forbidden):
        await service.leave(alice.viewer, slug)
    hers, door = web(token=alice.token), f"/api/v1/groups/{slug}/members/{bob.id}/role"
    assert (await hers.put(door, json={"role": "owner"})).status_code == 204
    assert await roles_of(slug) == {"alice": "moderator", "bob": "owner"}
    assert await db.fetch_val("SELECT owner_id FROM groups WHERE slug = $1", slug) == bob.id
    assert (await hers.put(door, json={"role": "member"})).status_code == 403
    await service.leave(alice.viewer, slug)
    assert await roles_of(slug) == {"bob": "owner"}


async def test_only_the_owner_says_so_and_only_of_members(web: Browser):
    from community.groups import service

    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    mod = await a_member("mod", role="moderator")
    slug, secret = await a_group(alice), await a_group(alice, visibility="secret")
    await service.join(bob.viewer, slug)
    door = f"/api/v1/groups/{slug}/members/{bob.id}/role"
    for person, status in ((None, 401), (bob, 403), (carol, 403), (mod, 403)):
        client = web(token=person.token) if person else web()
        assert (await client.put(door, json={"role": "owner"})).status_code == status
    there = f"/api/v1/groups/{secret}/members/{alice.id}/role"
    assert (await web(token=bob.token).put(there, json={"role": "member"})).status_code == 404
    hers = web(token=alice.token)
    assert (await hers.put(door.replace(str(bob.id), str(carol.id)), json={"role": "owner"})).status_code == 404
    assert (await hers.put(door.replace(str(bob.id), str(alice.id)), json={"role": "member"})).status_code == 409
    assert await roles_of(slug) == {"alice": "owner", "bob": "member"}
    assert f"/members/{bob.id}/role" not in (await (await sign_in(web(), bob)).get(f"/g/{slug}/members")).text


async def test_two_hand_overs_at_once_leave_one_owner(web: Browser):
    from community.groups import roles, service

    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug = await a_group(alice)
    for member in (bob, carol):
        await service.join(member.viewer, slug)
    await asyncio.gather(
        *(roles.give(alice.viewer, slug, member.id, "owner") for member in (bob, carol)), return_exceptions=True
    )
    assert sorted((await roles_of(slug)).values()) == ["member", "moderator", "owner"]
    owner = await db.fetch_val("SELECT m.handle FROM groups g JOIN member m ON m.id = g.owner_id WHERE slug = $1", slug)
    assert (await roles_of(slug))[owner] == "owner"
