"""Bots and webhooks in the rooms of products and live events: for those who run them, and for nobody who did."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.people import erase
from community.bots.jobs import send_soon
from community.chat import service as chat
from community.moderation import service as moderation
from content.live_events import hosts, service
from content.product_rooms.service import enter
from frontend.pages.subjects import access_subject
from tests.community.receiver import Receiver, a_receiver
from tests.community.test_bots import Bot, messages, say
from tests.content.test_live import a_live
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def receiver(house: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with a_receiver(monkeypatch) as one:
        yield one


async def room_of(slug: str) -> str:
    return str(await db.fetch_val("SELECT room_id FROM live_event WHERE slug = $1", slug))


async def a_product_room(owner: Person) -> str:
    """The room about something that this person's shop sells."""
    shop = await a_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    return str(await enter(owner.viewer, await a_product(shop)))


async def a_bot(web: Browser, maker: Person, room: str, name: str = "Stock") -> Bot:
    made = await web(token=maker.token).post(f"{API}/rooms/{room}/bots", json={"name": name})
    assert made.status_code == 201, made.text
    bot = made.json()["bot"]
    assert bot["room_id"] == room and bot["may_speak"] is True
    return Bot(bot["id"], bot["url"].removeprefix("http://test.example"), made.json()["secret"], room)


async def told(web: Browser, maker: Person, room: str, url: str) -> dict[str, Any]:
    made = await web(token=maker.token).post(f"{API}/rooms/{room}/webhooks", json={"url": url})
    assert made.status_code == 201, made.text
    return made.json()


def words(text: str) -> tuple[uuid.UUID, str]:
    return uuid.uuid4(), text


async def deliver() -> None:
    await send_soon()
    await run_jobs()


async def test_a_shops_bot_speaks_in_the_room_about_its_product(web: Browser):
    nora, bob = await a_member("nora", name="Nora"), await a_member("bob")
    room = await a_product_room(nora)
    bot = await a_bot(web, nora, room)
    assert (await say(web, bot, "**Back** in stock")).status_code == 201
    (message,) = await messages(web, bob, room)
    assert message["author"]["name"] == "Stock" and message["author"]["bot"] is True
    assert "<strong>Back</strong>" in message["html"]
    assert await db.fetch_val("SELECT count(*) FROM room_event WHERE kind IN ('join', 'leave')") == 0, "nobody joins it"
    # A shop's people take nobody's words away: the room is not theirs to moderate.
    broke = (await chat.send(bob.viewer, int(room), *words("It broke"))).id
    assert (await web(token=nora.token).delete(f"{API}/rooms/{room}/messages/{broke}")).status_code == 403
    listed = (await web(token=nora.token).get(f"{API}/rooms/{room}/bots")).json()["items"]
    assert [one["id"] for one in listed] == [bot.id] and listed[0]["said_at"]
    assert (await web(token=nora.token).delete(f"{API}/rooms/{room}/bots/{bot.id}")).status_code == 204
    assert (await say(web, bot, "After", id="msg_2")).status_code == 410


async def test_a_hosts_bot_speaks_in_the_room_of_the_event(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    room = await room_of(await a_live(ines))
    bot = await a_bot(web, ines, room, "Timer")
    said = await say(web, bot, "Ten minutes left")
    assert said.status_code == 201
    assert [one["author"]["name"] for one in await messages(web, bob, room)] == ["Timer"]
    assert (await say(web, bot, "Ten minutes left")).status_code == 200, "once for its id"


async def test_a_closed_groups_event_has_a_bot_and_nobody_outside_sees_it(web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    room = await room_of(await a_live(alice, group=slug))
    bot = await a_bot(web, alice, room, "Timer")
    assert (await say(web, bot, "Inside")).status_code == 201
    assert [one["body"] for one in await messages(web, alice, room)] == ["Inside"]
    for path in ("bots", "webhooks"):
        assert (await web(token=charlie.token).get(f"{API}/rooms/{room}/{path}")).status_code == 404


@pytest.mark.parametrize("kind", ["product", "live"])
async def test_only_those_who_run_a_room_have_programs_there(web: Browser, kind: str):
    alice, bob, mod = await a_member("alice"), await a_member("bob"), await a_member("mod", role="moderator")
    room = await a_product_room(alice) if kind == "product" else await room_of(await a_live(alice))
    other = await room_of(await a_live(bob, "Bob's evening"))
    bot = await a_bot(web, alice, room)
    endpoint = (await told(web, alice, room, "https://hooks.example.com/x"))["endpoint"]["id"]
    url = {"url": "https://hooks.example.com/x"}
    for client, status in ((web(token=bob.token), 403), (web(), 401)):
        for method, path, body in (
            ("GET", "bots", None),
            ("POST", "bots", {"name": "Mine"}),
            ("PUT", f"bots/{bot.id}", {"name": "Mine"}),
            ("POST", f"bots/{bot.id}/secret", {}),
            ("DELETE", f"bots/{bot.id}", None),
            ("GET", "webhooks", None),
            ("POST", "webhooks", url),
            ("PUT", f"webhooks/{endpoint}", url),
            ("GET", f"webhooks/{endpoint}/deliveries", None),
            ("POST", f"webhooks/{endpoint}/test", None),
            ("DELETE", f"webhooks/{endpoint}", None),
        ):
            answer = await client.request(method, f"{API}/rooms/{room}/{path}", json=body)
            assert answer.status_code == status, (method, path, answer.text)
    # What is Alice's is not to be reached through a room of Bob's.
    his = web(token=bob.token)
    assert (await his.delete(f"{API}/rooms/{other}/bots/{bot.id}")).status_code == 404
    assert (await his.delete(f"{API}/rooms/{other}/webhooks/{endpoint}")).status_code == 404
    assert (await web(token=mod.token).get(f"{API}/rooms/{room}/bots")).status_code == 200
    assert (await say(web, bot, "Still here")).status_code == 201


async def test_a_bot_of_another_room_has_no_secret_for_this_one(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    here, there = await room_of(await a_live(ines)), await room_of(await a_live(bob, "Elsewhere"))
    hers, his = await a_bot(web, ines, here), await a_bot(web, bob, there)
    assert (await say(web, hers, "Not mine", secret=his.secret)).status_code == 401
    assert await messages(web, ines, here) == []


async def test_a_groups_room_and_one_that_is_not_there_have_no_programs_by_this_door(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    client = web(token=alice.token)
    room = (await client.get(f"{API}/groups/{slug}")).json()["room_id"]
    for number in (room, "4711", str(2**63)):
        assert (await client.post(f"{API}/rooms/{number}/bots", json={"name": "Mine"})).status_code == 404
        assert (await client.get(f"{API}/rooms/{number}/webhooks")).status_code == 404


async def test_who_hosts_no_longer_speaks_by_no_bot_and_hears_nothing_more(web: Browser, receiver: Receiver):
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_live(ines)
    room = await room_of(slug)
    await hosts.invite(ines.viewer, slug, "kai")
    await hosts.accept(kai.viewer, slug)
    his, hers = await a_bot(web, kai, room, "Kai's"), await a_bot(web, ines, room, "Ines'")
    await told(web, kai, room, receiver.url)
    assert (await say(web, his, "While hosting")).status_code == 201
    await deliver()
    assert len(receiver.heard) == 1
    await hosts.remove(ines.viewer, slug, "kai")
    assert (await say(web, his, "Afterwards", id="msg_2")).status_code == 401, "from the same moment on"
    assert (await say(web, hers, "I stay")).status_code == 201
    await deliver()
    assert len(receiver.heard) == 1
    assert (await web(token=kai.token).get(f"{API}/rooms/{room}/bots")).status_code == 403
    bells = await db.fetch("SELECT member_id, kind, url FROM notification WHERE kind IN ('bot_voided', 'webhook_off')")
    assert {(row["member_id"], row["kind"], row["url"]) for row in bells} == {
        (ines.id, "bot_voided", f"/chat/{room}/bots"),
        (ines.id, "webhook_off", f"/chat/{room}/webhooks"),
    }
    # Who runs it goes on with it under a new secret.
    fresh = (await web(token=ines.token).post(f"{API}/rooms/{room}/bots/{his.id}/secret", json={})).json()["secret"]
    assert (await say(web, his, "Mine now", id="msg_3", secret=fresh)).status_code == 201


async def test_a_moderator_who_left_the_group_has_no_bot_in_its_events(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await web(token=bob.token).put(f"{API}/groups/{slug}/membership")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", bob.id)
    room = await room_of(await a_live(alice, group=slug))
    bot, hers = await a_bot(web, bob, room), await a_bot(web, alice, room)
    assert (await say(web, bot, "Before")).status_code == 201
    await web(token=bob.token).delete(f"{API}/groups/{slug}/membership")
    await run_jobs()
    assert (await say(web, bot, "After", id="msg_2")).status_code == 401
    assert (await say(web, hers, "Here")).status_code == 201


async def test_a_room_that_is_shut_silences_its_bots(web: Browser):
    ines, bob, mod = await a_member("ines"), await a_member("bob"), await a_member("mod", role="moderator")
    slug = await a_live(ines)
    room = await room_of(slug)
    bot = await a_bot(web, ines, room)
    event_id = await db.fetch_val("SELECT id FROM live_event WHERE slug = $1", slug)
    assert (await say(web, bot, "Before")).status_code == 201
    await moderation.report(bob.viewer, await access_subject(bob.viewer, f"live:{event_id}"), "spam", "")
    case_id = await db.fetch_val("SELECT id FROM moderation_case")
    await moderation.hide(mod.viewer, case_id, "Spam")
    shut = await say(web, bot, "Meanwhile", id="msg_2")
    assert shut.status_code == 403 and "shut" in shut.json()["detail"]
    assert (await web(token=ines.token).get(f"{API}/rooms/{room}/messages")).status_code == 200, "its host still reads"
    await moderation.restore(mod.viewer, case_id, "A mistake")
    assert (await say(web, bot, "Again", id="msg_3")).status_code == 201
    assert [one["body"] for one in await messages(web, bob, room)] == ["Before", "Again"]


@pytest.mark.parametrize("kind", ["product", "live"])
async def test_a_bot_that_was_shown_out_does_not_come_back_by_itself(web: Browser, kind: str):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    room = await a_product_room(alice) if kind == "product" else await room_of(await a_live(alice))
    bot = await a_bot(web, alice, room)
    handle = await db.fetch_val("SELECT handle FROM member WHERE kind = 'bot'")
    keeper = web(token=mod.token)
    kicked = await keeper.post(
        f"{API}/rooms/{room}/measures", json={"kind": "kick", "member": handle, "reason": "Too loud"}
    )
    assert kicked.status_code == 201, kicked.text
    assert (await say(web, bot, "x")).status_code == 403
    await db.execute("UPDATE room_measure SET until = now() - $1::interval", timedelta(minutes=1))
    assert (await say(web, bot, "x", id="msg_2")).status_code == 403
    (listed,) = (await web(token=alice.token).get(f"{API}/rooms/{room}/bots")).json()["items"]
    assert listed["may_speak"] is False


async def test_what_happens_in_a_live_room_is_told_signed_and_in_order(web: Browser, receiver: Receiver):
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines, begun=False)
    room = await room_of(slug)
    made = await told(web, ines, room, receiver.url)
    other = await room_of(await a_live(bob, "Elsewhere"))
    await chat.send(bob.viewer, int(other), *words("Not for Ines"))
    await service.begin(ines.viewer, slug)
    await chat.send(bob.viewer, int(room), *words("First"))
    bot = await a_bot(web, ines, room)
    await say(web, bot, "Second")
    await deliver()
    receiver.verify(made["secret"])
    assert [one["type"] for one in receiver.messages] == ["room.changed", "message.created", "message.created"]
    assert [one["data"]["event"]["body"] for one in receiver.messages[1:]] == ["First", "Second"]
    where = receiver.messages[1]["data"]
    assert where["room"] == {
        "id": room,
        "url": f"http://test.example/chat/{room}",
        "kind": "live",
        "name": "Moka night",
    }
    assert "group" not in where
    seqs = [one["data"]["event"]["seq"] for one in receiver.messages]
    assert seqs == list(range(seqs[0], seqs[0] + 3))
    await deliver()
    assert len(receiver.heard) == 3


async def test_what_is_said_about_a_product_is_told_to_its_shop(web: Browser, receiver: Receiver):
    nora, bob = await a_member("nora"), await a_member("bob")
    room = await a_product_room(nora)
    made = await told(web, nora, room, receiver.url)
    await chat.send(bob.viewer, int(room), *words("Does it fit?"))
    await deliver()
    receiver.verify(made["secret"])
    assert [one["data"]["event"]["body"] for one in receiver.messages] == ["Does it fit?"]
    assert receiver.messages[0]["data"]["room"]["kind"] == "product"
    shown = (await (await sign_in(web(), bob)).get(f"/chat/{room}")).text
    assert "told to 1 program outside" in shown and "hooks.example" not in shown


async def test_an_erased_maker_leaves_no_voice_behind(web: Browser, receiver: Receiver):
    mod, ines = await a_member("mod", role="moderator"), await a_member("ines")
    room = await room_of(await a_live(ines))
    bot = await a_bot(web, mod, room)
    await told(web, mod, room, receiver.url)
    await erase(mod.handle)
    await run_jobs()
    assert (await say(web, bot, "Still?")).status_code == 401
    await deliver()
    assert receiver.heard == []


async def test_all_of_it_is_a_page_reached_from_the_rooms_menu(web: Browser):
    nora, bob = await a_member("nora"), await a_member("bob")
    room = await a_product_room(nora)
    hers, his = await sign_in(web(), nora), await sign_in(web(), bob)
    assert f'href="/chat/{room}/bots"' in (await hers.get(f"/chat/{room}")).text
    assert f'href="/chat/{room}/bots"' not in (await his.get(f"/chat/{room}")).text
    here = f"/chat/{room}/bots"
    assert (await his.get(here)).status_code == 403 and (await web().get(here)).status_code in (302, 303, 401)
    made = await submit(hers, here, {"name": "Stock"}, page=here)
    assert made.status_code == 200 and "whsec_" in made.text and "no-store" in made.headers["cache-control"]
    shown = (await hers.get(here)).text
    assert "whsec_" not in shown and "Stock" in shown and f'href="/chat/{room}/webhooks"' in shown
    bot_id = await db.fetch_val("SELECT id FROM bot")
    renamed = await submit(hers, f"{here}/{bot_id}/name", {"name": "Shelf"}, page=here)
    assert renamed.headers["location"] == here
    assert (await submit(hers, f"{here}/{bot_id}/end", {}, page=here)).headers["location"] == here
    hooks = f"/chat/{room}/webhooks"
    added = await submit(hers, hooks, {"url": "https://hooks.example.com/x"}, page=hooks)
    assert added.status_code == 200 and "whsec_" in added.text
    assert "机器人" in (await hers.get(f"{here}?lang=zh-Hans")).text


async def test_a_hosts_page_of_the_event_leads_there_too(web: Browser):
    ines = await a_member("ines")
    slug = await a_live(ines)
    room = await room_of(slug)
    hers = await sign_in(web(), ines)
    assert f'href="/chat/{room}/bots"' in (await hers.get(f"/live/{slug}")).text
    assert (await hers.get(f"/chat/{room}/bots")).status_code == 200
