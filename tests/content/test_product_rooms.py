"""The chat about a product: opened by the first who wants to talk, read by everybody who can read the product."""

import asyncio
import uuid

import pytest

from app import db
from community.chat import service as chat
from content.product_rooms import service
from tests.factories import Browser, a_member, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio


async def test_the_first_who_wants_to_talk_opens_it_and_others_find_it(web: Browser):
    slug = await a_product(await a_shop())
    ines, bob = await a_member("ines"), await a_member("bob")
    hers, his = await sign_in(web(), ines), await sign_in(web(), bob)
    assert "Begin a chat" in (await hers.get(f"/p/{slug}")).text
    opened = await submit(hers, f"/p/{slug}/room", {}, page=f"/p/{slug}")
    room = opened.headers["location"].rpartition("/")[2]
    await chat.send(ines.viewer, int(room), uuid.uuid4(), "Does the small pocket hold a phone?")
    page = (await his.get(f"/p/{slug}")).text
    assert "1 message" in page and "Join the chat" in page
    shown = await web().get(f"/chat/{room}")
    assert "small pocket" in shown.text and f"/p/room/{room}" in shown.text, "a stranger reads along"
    assert (await web().get(f"/p/room/{room}")).headers["location"] == f"/p/{slug}"
    assert (await submit(his, f"/p/{slug}/room", {}, page=f"/p/{slug}")).headers["location"] == f"/chat/{room}"
    listed = (await web(token=bob.token).get("/api/v1/rooms")).json()["items"]
    assert [(one["id"], one["kind"], one["unread"]) for one in listed] == [(room, "product", 0)]
    await submit(his, f"/p/{slug}/room/leave", {}, page=f"/p/{slug}")
    assert (await web(token=bob.token).get("/api/v1/rooms")).json()["items"] == []


async def test_ten_who_come_at_once_are_in_one_room(web: Browser):
    slug = await a_product(await a_shop())
    people = [await a_member() for _ in range(6)]
    rooms = await asyncio.gather(*(service.enter(person.viewer, slug) for person in people))
    assert len(set(rooms)) == 1 and await db.fetch_val("SELECT count(*) FROM room WHERE kind = 'product'") == 1


async def test_who_was_banned_does_not_come_back_by_entering_again(web: Browser):
    slug = await a_product(await a_shop())
    ines, mod = await a_member("ines"), await a_member("mod", role="moderator")
    door = web(token=ines.token)
    room = (await door.put(f"/api/v1/products/{slug}/room")).json()["id"]
    banned = await web(token=mod.token).post(
        f"/api/v1/rooms/{room}/measures", json={"kind": "ban", "member": "ines", "reason": "Advertising"}
    )
    assert banned.status_code == 201, banned.text
    assert (await door.put(f"/api/v1/products/{slug}/room")).status_code == 404
    assert (await door.get(f"/api/v1/rooms/{room}/messages")).status_code == 404
    assert (await door.put("/api/v1/products/nothing/room")).status_code == 404


async def test_entering_a_products_room_tells_nobody(web: Browser):
    """It is everybody's room: to enter is to put it into one's own list, and who never did may speak there as well."""
    product = await a_product(await a_shop())
    ada, bob = await a_member("ada"), await a_member("bob")
    room_id = await service.enter(ada.viewer, product)
    for _ in range(3):
        await service.leave(ada.viewer, product)
        assert await service.enter(ada.viewer, product) == room_id
    assert await db.fetch_val("SELECT seq FROM room WHERE id = $1", room_id) == 0
    said = await chat.send(bob.viewer, room_id, uuid.uuid4(), "Does it clog?")
    assert said.seq == 1, "the first thing that happened there"
    kinds = await db.fetch("SELECT kind FROM room_event WHERE room_id = $1", room_id)
    assert [row["kind"] for row in kinds] == ["message"]
