"""What happens in a room is told outside: signed, in order, again until it is taken, under one id however often."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from community.bots.jobs import look_at_every_room, send_soon
from community.webhooks import sending
from community.webhooks.jobs import forget_old_deliveries
from tests.community.receiver import Receiver, a_receiver
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio
API = "/api/v1"
CLIENT_ID = "0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e{:02d}"


@pytest.fixture
async def receiver(house: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with a_receiver(monkeypatch) as one:
        yield one


class Told:
    """A group of Alice's whose room is told to an address."""

    def __init__(self, web: Browser, alice: Person, slug: str, room: str, id: str, secret: str) -> None:
        self.web, self.alice, self.slug, self.room, self.id, self.secret = web, alice, slug, room, id, secret
        self.door = f"{API}/groups/{slug}/webhooks/{id}"
        self.said = 0

    async def say(self, body: str) -> str:
        self.said += 1
        answer = await self.web(token=self.alice.token).post(
            f"{API}/rooms/{self.room}/messages", json={"client_id": CLIENT_ID.format(self.said), "body": body}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def api(self, method: str, path: str = "", body: Any = None) -> Any:
        return await self.web(token=self.alice.token).request(method, self.door + path, json=body)

    async def log(self) -> list[dict[str, Any]]:
        return (await self.api("GET", "/deliveries")).json()["items"]

    async def view(self) -> dict[str, Any]:
        listed = (await self.web(token=self.alice.token).get(f"{API}/groups/{self.slug}/webhooks")).json()
        return next(one for one in listed["items"] if one["id"] == self.id)


async def told(web: Browser, url: str, types: list[str] | None = None, *, visibility: str = "public") -> Told:
    alice = await a_member("alice", name="Alice")
    slug = await a_group(alice, visibility=visibility)
    client = web(token=alice.token)
    room = (await client.get(f"{API}/groups/{slug}")).json()["room_id"]
    made = await client.post(f"{API}/groups/{slug}/webhooks", json={"url": url, "types": types or []})
    assert made.status_code == 201, made.text
    return Told(web, alice, slug, room, made.json()["endpoint"]["id"], made.json()["secret"])


async def deliver() -> None:
    """As a web process looks after rooms, and a worker runs the jobs."""
    await send_soon()
    await run_jobs()


async def later(by: timedelta) -> None:
    clock.travel(by)
    await look_at_every_room()
    await run_jobs()


async def test_everything_in_the_room_is_told_in_its_order_and_signed(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    bob = await a_member("bob")
    await web(token=bob.token).put(f"{API}/groups/{room.slug}/membership")
    await run_jobs()
    message = await room.say("First **words**")
    await web(token=room.alice.token).put(f"{API}/rooms/{room.room}/messages/{message}", json={"body": "Second words"})
    await room.say("Third")
    await web(token=room.alice.token).delete(f"{API}/rooms/{room.room}/messages/{message}")
    await web(token=bob.token).delete(f"{API}/groups/{room.slug}/membership")
    await run_jobs()
    await deliver()
    receiver.verify(room.secret)
    types = ["member.joined", "message.created", "message.edited", "message.created", "message.deleted", "member.left"]
    assert [one["type"] for one in receiver.messages] == types
    seqs = [one["data"]["event"]["seq"] for one in receiver.messages]
    assert seqs == list(range(seqs[0], seqs[0] + 6)), "in the room's order, without a hole"
    third = receiver.messages[3]["data"]
    assert third["event"]["body"] == "Third" and third["event"]["author"]["handle"] == "alice"
    assert third["group"]["slug"] == room.slug and third["room"]["id"] == room.room
    assert "First" not in str(receiver.messages) and "Second" not in str(receiver.messages), "taken back is taken back"
    assert len(set(receiver.ids)) == 6
    await deliver()
    assert len(receiver.heard) == 6, "nothing is told twice"


async def test_only_the_chosen_kinds_are_told_and_only_from_now_on(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url, ["message.created"])
    message = await room.say("Heard")
    await web(token=room.alice.token).delete(f"{API}/rooms/{room.room}/messages/{message}")
    await room.say("Heard too")
    await deliver()
    assert [one["type"] for one in receiver.messages] == ["message.created"] * 2
    changed = await room.api("PUT", "", {"url": receiver.url, "types": ["message.deleted"]})
    assert changed.json()["types"] == ["message.deleted"]
    await room.say("Not told")
    await deliver()
    assert len(receiver.heard) == 2


async def test_an_endpoint_that_is_down_gets_everything_in_order_once_it_is_back(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    receiver.answer = lambda message: (503, b"down")
    for number in range(5):
        await room.say(f"{number}")
    await deliver()
    tried = len(receiver.heard)
    assert tried == 2, "two in a row, and it is left alone"
    await deliver()
    assert len(receiver.heard) == tried
    assert (await room.view())["resting_until"]
    await later(timedelta(seconds=7))
    assert len(receiver.heard) > tried, "it is asked again after five seconds"
    receiver.answer = lambda message: (204, b"")
    receiver.heard.clear()
    await later(timedelta(minutes=40))
    assert [one["data"]["event"]["body"] for one in receiver.messages] == ["0", "1", "2", "3", "4"]
    receiver.verify(room.secret)
    first = (await room.log())[-1]
    assert first["state"] == "delivered" and [one["status"] for one in first["attempts"]][-1] == 503
    assert first["attempts"][-1]["answer"] == "down"
    assert (await room.view())["resting_until"] is None


async def test_one_message_that_is_refused_holds_up_no_other(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    for words in ("fine", "bad", "bad", "bad", "also fine"):
        await room.say(words)
    receiver.answer = lambda message: (422 if message["data"]["event"]["body"] == "bad" else 200, b"")
    await deliver()
    assert [one["state"] for one in await room.log()] == ["delivered", "waiting", "waiting", "waiting", "delivered"]
    bodies = [one["data"]["event"]["body"] for one in receiver.messages]
    assert bodies == ["fine", "bad", "bad", "bad", "also fine"]
    # Even one that makes it crash: the ones behind it are tried.
    receiver.answer = lambda message: (500 if message["data"]["event"]["body"] == "bad" else 200, b"")
    receiver.heard.clear()
    await room.say("new")
    await later(timedelta(minutes=6))
    assert receiver.messages[-1]["data"]["event"]["body"] == "new" and (await room.log())[0]["state"] == "delivered"


async def test_the_retries_are_those_of_the_contract_and_the_last_switches_it_off(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    receiver.answer = lambda message: (500, b"no")
    await room.say("Hello?")
    await deliver()
    began = clock.now()
    waits = []
    for pause in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400):
        (row,) = await db.fetch("SELECT next_at FROM webhook_delivery")
        waits.append((row["next_at"] - clock.now()).total_seconds() / pause)
        before = len(receiver.heard)
        await later(timedelta(seconds=pause * 0.88))
        assert len(receiver.heard) == before, f"not before its time: {pause} s"
        await later(timedelta(seconds=pause * 0.25))
        assert len(receiver.heard) == before + 1, f"tried again after {pause} s"
    assert all(0.85 < wait <= 1.1 for wait in waits) and len(set(waits)) == 9, "with jitter"
    assert len(receiver.heard) == 10 and len(set(receiver.ids)) == 1, "always under the same id"
    assert clock.now() - began > timedelta(days=3)
    view = await room.view()
    assert view["on"] is False and view["off_reason"] == "unreachable"
    await _bell(web, room, "three days")
    # What happens meanwhile is kept, and sent when somebody switches it on.
    await room.say("Still there?")
    await deliver()
    assert len(receiver.heard) == 10
    receiver.answer = lambda message: (200, b"")
    await room.api("PUT", "", {"url": receiver.url})
    await deliver()
    assert [one["data"]["event"]["body"] for one in receiver.messages[10:]] == ["Still there?"]
    queued = await room.api("POST", "/redeliveries", {"since": (began - timedelta(minutes=1)).isoformat()})
    assert queued.json() == {"queued": 1}
    await deliver()
    assert receiver.messages[-1]["data"]["event"]["body"] == "Hello?" and receiver.ids[-1] == receiver.ids[0]


async def _bell(web: Browser, room: Told, words: str) -> None:
    browser = await sign_in(web(), room.alice)
    shown = (await browser.get("/notifications")).text
    assert words in shown and "hooks.example" in shown


async def test_one_that_is_gone_is_told_nothing_more(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    receiver.answer = lambda message: (410, b"")
    await room.say("Hello?")
    await room.say("Anybody?")
    await deliver()
    assert len(receiver.heard) == 1 and (await room.view())["off_reason"] == "gone"
    await _bell(web, room, "gone for good")
    receiver.answer = lambda message: (200, b"")
    await room.api("PUT", "", {"url": receiver.url, "catch_up": False})
    await room.say("Anew")
    await deliver()
    assert [one["data"]["event"]["body"] for one in receiver.messages[1:]] == ["Anew"]


async def test_one_that_asks_for_time_gets_it(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    receiver.answer = lambda message: (429, b"", {"Retry-After": "3600"})
    await room.say("Hello?")
    await room.say("Hello again?")
    await deliver()
    assert len(receiver.heard) == 1, "no second one: it said when"
    await later(timedelta(minutes=59))
    assert len(receiver.heard) == 1
    receiver.answer = lambda message: (200, b"")
    await later(timedelta(minutes=2))
    assert len(receiver.heard) == 3


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    fresh = (await room.api("POST", "/secret", {})).json()["secret"]
    await room.say("Both")
    await deliver()
    receiver.verify(room.secret)
    receiver.verify(fresh)
    clock.travel(timedelta(days=1, seconds=1))
    receiver.heard.clear()
    await room.say("New")
    await deliver()
    receiver.verify(fresh)
    with pytest.raises(Exception, match="signature"):
        receiver.verify(room.secret)
    kept = await db.fetch_val("SELECT secret || old_secret FROM webhook_endpoint")
    assert fresh not in kept and room.secret not in kept


async def test_never_to_a_private_address(web: Browser, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    slug = await a_group(alice)
    for url in (
        "http://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.8/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest",
        "https://db.internal/",
        "https://user:pass@hooks.example/",
        "ftp://hooks.example/",
        "javascript:alert(1)",
        "https://",
        "hooks.example",
        "https://hooks.example:99999/",
        "https://hooks.example/\x00",
    ):
        answer = await web(token=alice.token).post(f"{API}/groups/{slug}/webhooks", json={"url": url})
        assert answer.status_code == 422, url
    # A name that leads inside is found out each time something is sent.
    room = await told_at(web, alice, slug, "https://rebinding.example/x")

    async def inside(host: str, port: int) -> list[str]:
        return ["192.168.1.5"]

    from functools import partial

    from app.http import fetch

    monkeypatch.setattr(sending, "fetch", partial(fetch, resolver=inside))
    await room.say("Secret")
    await deliver()
    (delivery,) = await room.log()
    assert delivery["attempts"][0]["why"] == "not_public" and delivery["state"] == "waiting"


async def told_at(web: Browser, alice: Person, slug: str, url: str) -> Told:
    client = web(token=alice.token)
    room = (await client.get(f"{API}/groups/{slug}")).json()["room_id"]
    made = (await client.post(f"{API}/groups/{slug}/webhooks", json={"url": url})).json()
    return Told(web, alice, slug, room, made["endpoint"]["id"], made["secret"])


async def test_two_workers_send_a_message_once_and_a_killed_one_loses_nothing(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    for number in range(8):
        await room.say(f"{number}")
    from community.bots.jobs import SOURCE

    await asyncio.gather(*(sending.send_waiting(int(room.id), SOURCE) for _ in range(4)))
    assert [one["data"]["event"]["body"] for one in receiver.messages] == [str(number) for number in range(8)]
    # Killed between the answer and its note: the message comes again, under its id.
    await db.execute(
        """UPDATE webhook_delivery SET state = 'waiting', done_at = NULL, next_at = now()
            WHERE id = (SELECT max(id) FROM webhook_delivery)"""
    )
    await db.execute("UPDATE webhook_endpoint SET busy_until = $1", clock.now() + timedelta(seconds=60))
    await deliver()
    assert len(receiver.heard) == 8, "somebody may still be at it"
    await later(timedelta(seconds=61))
    assert len(receiver.heard) == 9 and receiver.ids[8] == receiver.ids[7]


async def test_writing_a_message_waits_for_no_endpoint(web: Browser, receiver: Receiver, monkeypatch):
    """Nothing of it is on the way of a message: no further statement, however many are told."""
    room = await told(web, receiver.url)
    await room.say("Warm")
    with db.watch_queries() as with_one:
        await room.say("Hello")
    await room.api("DELETE")
    with db.watch_queries() as with_none:
        await room.say("Hello")
    assert len(with_one) == len(with_none)
    assert not any("webhook" in query for query in with_one)


async def test_a_test_message_and_what_was_answered_stand_on_the_page(web: Browser, receiver: Receiver):
    """All of it without JavaScript."""
    alice = await a_member("alice")
    slug = await a_group(alice)
    browser, home = await sign_in(web(), alice), f"/g/{slug}/webhooks"
    made = await submit(browser, home, {"url": receiver.url, "types": ["message.created", "member.joined"]}, page=home)
    assert made.status_code == 200 and made.headers["cache-control"] == "private, no-store"
    secret = re.search(r'value="(whsec_[^"]+)"', made.text)[1]
    own = re.search(rf'action="({home}/\d+)"', made.text)[1]
    assert "whsec_" not in (await browser.get(own)).text
    receiver.answer = lambda message: (200, b"<b>thank you</b>" + b"x" * 100_000)
    assert (await submit(browser, f"{own}/test", {}, page=own)).status_code == 303
    await run_jobs()
    receiver.verify(secret)
    assert receiver.messages[0]["type"] == "endpoint.test"
    shown = (await browser.get(own)).text
    assert "&lt;b&gt;thank you&lt;/b&gt;" in shown and "x" * 1001 not in shown, "the beginning of it, harmless"
    delivery = re.search(r'name="delivery" value="(\d+)"', shown)[1]
    assert (await submit(browser, f"{own}/redeliveries", {"delivery": delivery}, page=own)).status_code == 303
    await run_jobs()
    assert receiver.ids[0] == receiver.ids[1]
    many = await submit(browser, f"{own}/redeliveries", {"days": "2", "delivered_too": "on"}, page=own)
    assert many.status_code == 303
    await run_jobs()
    assert len(receiver.heard) == 3
    changed = await submit(browser, own, {"url": receiver.url, "types": ["message.deleted"]}, page=own)
    assert changed.status_code == 303 and (await browser.get(home)).text.count("1 kind of event") == 1
    assert (await submit(browser, own, {"url": "nonsense"}, page=own)).status_code == 422
    assert (await submit(browser, own, {"url": receiver.url, "types": ["nonsense"]}, page=own)).status_code == 422
    assert (await submit(browser, f"{own}/switch", {}, page=own)).status_code == 303
    assert (await submit(browser, f"{own}/test", {}, page=home)).status_code == 409, "it is off"
    assert (await submit(browser, f"{own}/switch", {"on": "on", "catch_up": "on"}, page=own)).status_code == 303
    renewed = await submit(browser, f"{own}/secret", {}, page=own)
    assert re.search(r'value="(whsec_[^"]+)"', renewed.text)[1] != secret
    assert (await submit(browser, f"{own}/end", {}, page=own)).status_code == 303
    assert (await browser.get(own)).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM webhook_delivery") == 0


async def test_only_those_who_run_the_group_have_its_webhooks(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url, visibility="secret")
    bob, charlie = await a_member("bob"), await a_member("charlie")
    other = await a_group(bob)
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT id, $2, 'member', 'active', now() FROM groups WHERE slug = $1""",
        room.slug,
        bob.id,
    )
    doors: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "", {"url": receiver.url}),
        ("PUT", f"/{room.id}", {"url": receiver.url}),
        ("DELETE", f"/{room.id}", None),
        ("POST", f"/{room.id}/secret", {}),
        ("POST", f"/{room.id}/test", None),
        ("GET", f"/{room.id}/deliveries", None),
        ("POST", f"/{room.id}/redeliveries", {"since": "2026-01-01T00:00:00Z"}),
    ]
    for method, path, body in doors:
        for client, status in ((web(token=bob.token), 403), (web(token=charlie.token), 404), (web(), 401)):
            answer = await client.request(method, f"{API}/groups/{room.slug}/webhooks{path}", json=body)
            assert answer.status_code == status, (method, path, answer.text)
        if path:
            answer = await web(token=bob.token).request(method, f"{API}/groups/{other}/webhooks{path}", json=body)
            assert answer.status_code == 404, "not through a group of one's own either"
    assert (await room.view())["on"]


async def test_a_deleted_word_is_in_no_delivery_and_an_old_one_is_forgotten(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    await room.say("xylophone")
    await deliver()
    for table in ("webhook_delivery", "webhook_attempt"):
        rows = await db.fetch(f"SELECT t::text AS whole FROM {table} t")
        assert rows and "xylophone" not in str([row["whole"] for row in rows])
    clock.travel(timedelta(days=29))
    await forget_old_deliveries()
    assert len(await room.log()) == 1
    clock.travel(timedelta(days=2))
    await forget_old_deliveries()
    assert await room.log() == []


async def test_a_lists_cost_does_not_grow_with_it(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    await room.say("one")
    await deliver()
    browser = await sign_in(web(), room.alice)
    own = f"/g/{room.slug}/webhooks/{room.id}"
    await browser.get(own)
    with db.watch_queries() as few:
        await browser.get(own)
    for number in range(12):
        await room.say(f"{number}")
    await deliver()
    with db.watch_queries() as many:
        await browser.get(own)
    assert len(few) == len(many)


async def test_at_most_twenty_addresses_and_an_unknown_kind_is_refused(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    client, home = web(token=room.alice.token), f"{API}/groups/{room.slug}/webhooks"
    answers = await asyncio.gather(*(client.post(home, json={"url": f"{receiver.url}/{n}"}) for n in range(25)))
    assert sorted(one.status_code for one in answers) == [201] * 19 + [409] * 6
    wrong = await client.post(home, json={"url": receiver.url, "types": ["message.read"]})
    assert wrong.status_code == 422
    naive = await room.api("POST", "/redeliveries", {"since": "2026-01-01T00:00:00"})
    assert naive.status_code == 422
    assert (await room.api("POST", "/redeliveries", {})).status_code == 422


async def test_what_nobody_can_read_any_more_is_switched_off_rather_than_sent_unsigned(
    web: Browser, receiver: Receiver
):
    room = await told(web, receiver.url)
    await db.execute("UPDATE webhook_endpoint SET secret = 'sealed under another key'")
    await room.say("Hello")
    await deliver()
    assert receiver.heard == [] and (await room.view())["off_reason"] == "keys_lost"
    await room.api("POST", "/secret", {"keep_old": False})
    await room.api("PUT", "", {"url": receiver.url})
    await deliver()
    assert len(receiver.heard) == 1


async def test_a_message_is_on_its_way_without_anybody_asking(web: Browser, receiver: Receiver, monkeypatch):
    """Every web process looks after the rooms that are told."""
    from community.bots import watching

    room = await told(web, receiver.url)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    await room.say("Hello")
    async with watching.running():
        async with asyncio.timeout(60):
            while not await db.fetch_val("SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%send_room_events'"):
                await asyncio.sleep(0.02)
    await run_jobs()
    assert [one["data"]["event"]["body"] for one in receiver.messages] == ["Hello"]


async def test_whoever_put_it_right_need_not_wait_for_the_next_try(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    receiver.answer = lambda message: (500, b"")
    for number in range(3):
        await room.say(f"{number}")
    await deliver()
    receiver.answer = lambda message: (200, b"")
    receiver.heard.clear()
    assert (await room.api("POST", "/test")).status_code == 202
    await run_jobs()
    assert [one["type"] for one in receiver.messages] == ["message.created"] * 3 + ["endpoint.test"]
    # Or it stood at another address all the time.
    receiver.answer = lambda message: (404, b"")
    await room.say("3")
    await room.say("4")
    await deliver()
    receiver.answer = lambda message: (200, b"")
    receiver.heard.clear()
    await room.api("PUT", "", {"url": f"{receiver.url}/right"})
    await run_jobs()
    assert [one["data"]["event"]["body"] for one in receiver.messages] == ["3", "4"]


async def test_members_are_told_that_somebody_outside_hears_them(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    bob = await a_member("bob")
    await web(token=bob.token).put(f"{API}/groups/{room.slug}/membership")
    browser = await sign_in(web(), bob)
    shown = (await browser.get(f"/g/{room.slug}/members")).text
    assert "told to 1 program outside" in shown and "hooks.example" not in shown
    await room.api("PUT", "", {"url": receiver.url, "on": False})
    assert "program outside" not in (await browser.get(f"/g/{room.slug}/members")).text


async def test_what_leaks_or_moves_while_it_is_sent_stops_at_once(web: Browser, receiver: Receiver):
    room = await told(web, receiver.url)
    for number in range(4):
        await room.say(f"{number}")
    fresh: list[str] = []

    def leak(message: dict[str, Any]) -> tuple[int, bytes]:
        if message["data"]["event"]["body"] == "1":
            changing.set()
        return 200, b""

    async def change_it() -> None:
        await changing.wait()
        fresh.append((await room.api("POST", "/secret", {"keep_old": False})).json()["secret"])

    changing, receiver.answer = asyncio.Event(), leak
    # Held up between two messages, until the new secret stands.
    keep, held = sending._keep, asyncio.Event()

    async def keep_slowly(endpoint: Any) -> bool:
        if changing.is_set() and not held.is_set():
            while not fresh:
                await asyncio.sleep(0.01)
            held.set()
        return await keep(endpoint)

    sending._keep = keep_slowly
    try:
        await asyncio.gather(deliver(), change_it())
    finally:
        sending._keep = keep
    assert [one["data"]["event"]["body"] for one in receiver.messages] == ["0", "1", "2", "3"]
    receiver.heard[:] = receiver.heard[2:]
    receiver.verify(fresh[0])


async def test_an_operator_sees_every_address_and_how_it_is(web: Browser, receiver: Receiver):
    import json

    from tests.app.test_cli import grapevine

    assert (await grapevine("webhooks", "out")).stdout.strip() == "Nobody is told anything."
    room = await told(web, receiver.url)
    await room.say("Hello")
    await deliver()
    receiver.answer = lambda message: (503, b"")
    await room.say("Hello?")
    await room.say("Hello??")
    await deliver()
    shown = await grapevine("webhooks", "out", "--json")
    (row,) = json.loads(shown.stdout)["endpoints"]
    assert row["url"] == receiver.url and row["waiting"] == 2 and row["taken_at"] and row["resting_until"]
    assert "resting" in (await grapevine("webhooks", "out")).stdout and "whsec_" not in shown.stdout


async def test_the_words_of_a_talk_follow_each_other_without_waiting_for_the_next_look_around(
    web: Browser, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    """What was said just after the last word had gone out waited for the next look, a second later."""
    room = await told(web, receiver.url, ["message.created"])
    monkeypatch.setattr(sending, "LINGER_SECONDS", 60)
    monkeypatch.setattr(sending, "RUN_SECONDS", 60)
    await room.say("first")
    sending_goes_on = asyncio.create_task(deliver())
    for n, body in enumerate(["second", "third"], 1):
        await heard_by(receiver, n)
        await room.say(body)
    await heard_by(receiver, 3)
    assert not sending_goes_on.done(), "all of it by one run"
    sending_goes_on.cancel()
    with suppress(asyncio.CancelledError):
        await sending_goes_on
    assert [message["data"]["event"]["body"] for message in receiver.messages] == ["first", "second", "third"]


async def heard_by(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(60):
        while len(receiver.heard) < count:
            await asyncio.sleep(0.01)
