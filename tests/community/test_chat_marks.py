"""Signs, pins, threads and former words."""

import asyncio
import re
import uuid
from collections.abc import Callable
from urllib.parse import quote

import pytest

from app import db
from app.db import watch_queries
from app.errors import Conflict, Forbidden, Invalid, NotFound
from community.chat import pins, queries, reactions, service, stretch
from community.chat.emoji import one_emoji
from community.chat.snapshot import Snapshot, apply_all, snapshot
from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def said(person: Person, room: str, body: str, reply_to: int | None = None, files: tuple[int, ...] = ()) -> int:
    return (await service.send(person.viewer, int(room), uuid.uuid4(), body, reply_to, files)).id


async def message(person: Person, room: str, message_id: int, web: Browser) -> dict:
    answer = await web(token=person.token).get(f"/api/v1/rooms/{room}/messages/{message_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- signs ---


def test_one_emoji_is_any_of_unicode_and_nothing_else():
    for sign in ("👍", "🫩", "👨‍👩‍👧", "👍🏿", "🇨🇳", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏳️‍🌈"):
        assert one_emoji(sign) == sign
    assert one_emoji(" ❤ ") == "❤️", "keyboards leave the selector out"
    for no in ("", "a", "1", "👍👍", "👍‍👍", "🇨", "<b>", ":+1:", "👍" * 30):
        with pytest.raises(Invalid):
            one_emoji(no)


async def test_a_sign_reaches_who_listens_and_stands_in_the_history(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "New beans")
    his = await a_line(house, bob)
    await his.hello(room)
    door = f"/api/v1/rooms/{room}/messages/{words}/reactions/{quote('🎉')}"
    for _twice in range(2):
        assert (await web(token=bob.token).put(door)).status_code == 204
    [event] = await his.events(1)
    assert (event["kind"], event["id"], event["emoji"]) == ("react", str(words), "🎉")
    assert event["author"]["id"] == str(bob.id) and "off" not in event
    assert event["reactions"] == [{"emoji": "🎉", "n": 1, "by": [str(bob.id)]}]
    await reactions.react(alice.viewer, int(room), words, "🎉")
    assert (await message(alice, room, words, web))["reactions"][0]["n"] == 2
    for _twice in range(2):
        assert (await web(token=bob.token).delete(door)).status_code == 204
    events = await his.events(2)
    assert events[1]["off"] is True and events[1]["reactions"] == [{"emoji": "🎉", "n": 1, "by": [str(alice.id)]}]
    assert await his.hears_nothing()
    listed = (await web(token=bob.token).get(f"/api/v1/rooms/{room}/messages/{words}/reactions")).json()
    assert [(one["emoji"], one["author"]["handle"]) for one in listed["items"]] == [("🎉", "alice")]


async def test_ten_who_react_at_once_are_ten(house: Callable):
    people = [await a_member() for _ in range(10)]
    _slug, room = await a_room(*people)
    words = await said(people[0], room, "Vote!")
    await asyncio.gather(
        *(reactions.react(one.viewer, int(room), words, "👍") for one in people for _twice in range(2))
    )
    [event] = [queries.view(row) for row in await queries.messages_after(int(room), 0, limit=10)]
    assert [(one.emoji, one.n) for one in event.reactions] == [("👍", 10)]
    seqs = [row["seq"] for row in await queries.events_after(int(room), 0, limit=100)]
    assert seqs == list(range(1, len(seqs) + 1)), "reactions leave no holes"


async def test_a_message_bears_twenty_kinds_of_signs(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    words = await said(alice, room, "Collect them")
    for sign in "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗":
        await reactions.react(alice.viewer, int(room), words, sign)
    standing = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    with pytest.raises(Invalid):
        await reactions.react(alice.viewer, int(room), words, "🤩")
    assert await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room)) == standing
    await reactions.react(alice.viewer, int(room), words, "😀")


async def test_who_may_not_write_may_not_react_and_a_stranger_sees_no_message(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice)
    words = await said(alice, room, "Public")
    with pytest.raises(Forbidden):
        await reactions.react(bob.viewer, int(room), words, "👍")
    _slug, secret = await a_room(alice, bob, visibility="secret")
    hidden = await said(alice, secret, "Secret")
    for door in ("reactions", "versions"):
        answer = await web(token=carol.token).get(f"/api/v1/rooms/{secret}/messages/{hidden}/{door}")
        assert answer.status_code == 404
    assert (await web(token=carol.token).get(f"/api/v1/rooms/{secret}/pins")).status_code == 404
    assert (await web(token=bob.token).get(f"/api/v1/rooms/{room}/messages/{hidden}")).status_code == 404, "other room"
    with pytest.raises(NotFound):
        await reactions.react(carol.viewer, int(secret), hidden, "👍")


# --- pins ---


async def test_moderators_pin_and_everybody_sees_it(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    first, second = await said(bob, room, "Rules"), await said(bob, room, "Dates")
    with pytest.raises(Forbidden):
        await pins.pin(bob.viewer, int(room), first)
    his = await a_line(house, bob)
    await his.hello(room)
    assert (await web(token=alice.token).put(f"/api/v1/rooms/{room}/messages/{first}/pin")).status_code == 204
    assert await pins.pin(alice.viewer, int(room), first) is None
    [event] = await his.events(1)
    assert (event["kind"], event["id"], event["pinned"]) == ("pin", str(first), True)
    await pins.pin(alice.viewer, int(room), second)
    listed = (await web(token=bob.token).get(f"/api/v1/rooms/{room}/pins")).json()["items"]
    assert [one["id"] for one in listed] == [str(second), str(first)]
    half = (await web(token=bob.token).get(f"/api/v1/rooms/{room}/pins?limit=1")).json()
    rest = (await web(token=bob.token).get(f"/api/v1/rooms/{room}/pins", params={"after": half["next"]})).json()
    assert [one["id"] for one in half["items"] + rest["items"]] == [str(second), str(first)] and rest["next"] is None
    await pins.unpin(alice.viewer, int(room), second)
    events = await his.events(2)
    assert events[-1]["off"] is True and not events[-1].get("pinned")
    await service.delete(bob.viewer, int(room), first)
    assert (await web(token=bob.token).get(f"/api/v1/rooms/{room}/pins")).json()["items"] == []


async def test_the_fifty_first_pin_waits_for_another_to_come_down(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    words = [await said(alice, room, f"line {n}") for n in range(51)]
    for one in words[:50]:
        await pins.pin(alice.viewer, int(room), one)
    with pytest.raises(Conflict):
        await pins.pin(alice.viewer, int(room), words[50])
    await pins.unpin(alice.viewer, int(room), words[0])
    await pins.pin(alice.viewer, int(room), words[50])


# --- threads and former words ---


async def test_a_thread_is_a_message_and_all_that_answers_it_however_deep(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    root = await said(alice, room, "Which grinder?")
    await said(bob, room, "Something else")
    answer = await said(bob, room, "A hand grinder", root)
    deep = await said(alice, room, "Which one?", answer)
    door = web(token=bob.token)
    found = (await door.get(f"/api/v1/rooms/{room}/messages?thread={root}")).json()["items"]
    assert [one["id"] for one in found] == [str(root), str(answer), str(deep)]
    found = (await door.get(f"/api/v1/rooms/{room}/messages?thread={answer}")).json()["items"]
    assert [one["id"] for one in found] == [str(answer), str(deep)]
    assert (await door.get(f"/api/v1/rooms/{room}/messages?thread=999999")).status_code == 404
    await service.delete(alice.viewer, int(room), deep)
    await reactions.react(bob.viewer, int(room), root, "👍")
    counts = {
        one["id"]: one.get("replies", 0) for one in (await door.get(f"/api/v1/rooms/{room}/messages")).json()["items"]
    }
    assert (counts[str(root)], counts[str(answer)]) == (1, 1), "one that was taken back still stands in the thread"
    await asyncio.gather(*(said(alice, room, f"more {n}", root) for n in range(5)))
    assert (await message(bob, room, root, web))["replies"] == 6


async def test_former_words_are_kept_for_author_and_moderators_until_deletion(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    words = await said(bob, room, "Frist")
    await service.edit(bob.viewer, int(room), words, "First")
    await service.edit(bob.viewer, int(room), words, "First!")
    door = f"/api/v1/rooms/{room}/messages/{words}/versions"
    for person in (alice, bob):
        listed = (await web(token=person.token).get(door)).json()["items"]
        assert [one["body"] for one in listed] == ["First", "Frist"]
        half = (await web(token=person.token).get(f"{door}?limit=1")).json()
        rest = (await web(token=person.token).get(door, params={"after": half["next"]})).json()
        assert [one["body"] for one in half["items"] + rest["items"]] == ["First", "Frist"]
    assert (await web(token=carol.token).get(door)).status_code == 403
    await service.delete(bob.viewer, int(room), words)
    assert (await web(token=alice.token).get(door)).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM message_version") == 0


# --- who polls hears the same, and a snapshot is an old one and the events since ---


async def test_who_polls_is_told_of_every_kind_of_event(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    door = web(token=bob.token)
    start = (await door.get(f"/api/v1/rooms/{room}")).json()["seq"]
    words = await said(alice, room, "One")
    await reactions.react(bob.viewer, int(room), words, "👍")
    await pins.pin(alice.viewer, int(room), words)
    await service.edit(alice.viewer, int(room), words, "Two")
    await service.delete(alice.viewer, int(room), words)
    polled = (await door.get(f"/api/v1/rooms/{room}/messages?after={start}&kinds=all")).json()["items"]
    assert [one["kind"] for one in polled] == ["message", "react", "pin", "delete", "delete"]
    assert [one["seq"] for one in polled] == list(range(start + 1, start + 6))
    only = (await door.get(f"/api/v1/rooms/{room}/messages?after={start}")).json()["items"]
    assert [one["kind"] for one in only] == ["message"]


async def test_an_old_snapshot_and_the_events_since_are_the_new_snapshot(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    first = await said(alice, room, "Which grinder?")
    shots: list[Snapshot] = [await snapshot(int(room))]

    async def then(deed) -> None:  # type: ignore[no-untyped-def]
        await deed
        await run_jobs()
        shots.append(await snapshot(int(room)))

    await then(said(bob, room, "This one", first))
    answer = int(shots[-1].lines[-1].id)
    await then(reactions.react(alice.viewer, int(room), answer, "👍"))
    await then(reactions.react(bob.viewer, int(room), answer, "🎉"))
    await then(pins.pin(alice.viewer, int(room), answer))
    await then(service.edit(alice.viewer, int(room), first, "Which *hand* grinder?"))
    await then(reactions.take_back(alice.viewer, int(room), answer, "👍"))
    await then(pins.pin(alice.viewer, int(room), first))
    await then(pins.unpin(alice.viewer, int(room), answer))
    await then(service.delete(alice.viewer, int(room), first))
    await then(said(alice, room, "Thanks", answer))
    fresh = shots[-1]
    for old in shots:
        events = [queries.view(row) for row in await queries.events_after(int(room), old.seq, limit=100)]
        assert apply_all(old, events) == fresh
        assert apply_all(apply_all(old, events), events) == fresh, "told twice"
    assert fresh.lines[-2].reply_to is not None and fresh.lines[-2].reply_to.text == ""


# --- without JavaScript ---


async def test_a_message_is_found_and_marked_by_plain_links_and_forms(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "the one")
    for n in range(80):
        await said(bob, room, f"line {n}")
    browser = await sign_in(web(), alice)
    page = f"/chat/{room}"
    found = await browser.get(f"{page}/messages/{words}")
    assert found.headers["location"].startswith(f"{page}?around=") and found.headers["location"].endswith(
        f"#message-{words}"
    )
    shown = (await browser.get(found.headers["location"])).text
    assert f'id="message-{words}"' in shown and 'rel="next"' in shown and "<p>line 79<" not in shown
    later = re.search(r'rel="next" href="(\?after=\d+)', shown)
    assert later and "<p>line 79<" in (await browser.get(page + later[1])).text
    for door, data in (("reactions", {"emoji": "🎉"}), ("pin", {})):
        answer = await submit(browser, f"{page}/messages/{words}/{door}", data, page=page)
        assert answer.status_code == 303 and answer.headers["location"] == f"{page}/messages/{words}"
    assert "the one" in (await browser.get(f"{page}/pins")).text
    who = (await browser.get(f"{page}/messages/{words}/reactions")).text
    assert "🎉" in who and "/@alice" in who
    await submit(browser, f"{page}/messages/{words}/edit", {"body": "the only one"}, page=page)
    assert "the one</p>" in (await browser.get(f"{page}/messages/{words}/versions")).text
    bobs = await sign_in(web(), bob)
    assert (await bobs.get(f"{page}/messages/{words}/versions")).status_code == 403
    for door, data in (("reactions/end", {"emoji": "🎉"}), ("pin/end", {})):
        assert (await submit(browser, f"{page}/messages/{words}/{door}", data, page=page)).status_code == 303
    quiet = await submit(browser, f"{page}/messages/{words}/pin", {}, page=page, headers={"Accept": "application/json"})
    assert quiet.status_code == 204


async def test_a_thread_stands_alone_and_one_answers_in_it(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    root = await said(alice, room, "Which grinder?")
    await said(bob, room, "Something else")
    await said(bob, room, "A hand grinder", root)
    browser = await sign_in(web(), bob)
    shown = (await browser.get(f"/chat/{room}?thread={root}")).text.split("<template")[0]
    assert "Which grinder?" in shown and "A hand grinder" in shown and "Something else" not in shown
    assert f'name="reply_to" value="{root}"' in shown
    assert (await browser.get(f"/chat/{room}?thread=999999")).status_code == 404


async def test_the_lists_of_a_room_cost_the_same_however_long_they_are(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "one")
    browser = await sign_in(web(), alice)

    async def costs() -> list[int]:
        found = []
        for door in (f"messages/{words}/reactions", "pins", f"messages/{words}/versions", f"?thread={words}"):
            address = f"/chat/{room}{door}" if door.startswith("?") else f"/chat/{room}/{door}"
            with watch_queries() as asked:
                assert (await browser.get(address)).status_code == 200
            found.append(len(asked))
        return found

    few = await costs()
    for n, sign in enumerate("👍🎉😂😮"):
        await reactions.react(bob.viewer, int(room), words, sign)
        await service.edit(alice.viewer, int(room), words, f"again {n}")
        await pins.pin(alice.viewer, int(room), await said(bob, room, f"answer {n}", words))
    assert await costs() == few


async def test_what_is_deleted_at_the_same_moment_is_neither_pinned_nor_marked(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    met: list[BaseException] = []
    for _ in range(15):
        words = await said(bob, room, "Gone in a moment")
        await reactions.react(alice.viewer, int(room), words, "🎉")
        met += await asyncio.gather(
            reactions.take_back(alice.viewer, int(room), words, "🎉"),
            pins.pin(alice.viewer, int(room), words),
            reactions.react(alice.viewer, int(room), words, "👍"),
            service.delete(bob.viewer, int(room), words),
            service.edit(bob.viewer, int(room), words, "Changed in a moment"),
            return_exceptions=True,
        )
    assert {type(one) for one in met if isinstance(one, BaseException)} <= {NotFound}, "nobody waits for ever"
    assert await db.fetch_val("SELECT count(*) FROM message WHERE deleted_at IS NULL") == 0
    for table in ("message_pin", "message_reaction", "message_version"):
        assert await db.fetch_val(f"SELECT count(*) FROM {table}") == 0, table
    old = Snapshot(0, 0, (), frozenset())
    events = [queries.view(row) for row in await queries.events_after(int(room), 0, limit=1000)]
    assert apply_all(old, events) == await snapshot(int(room))


async def test_a_long_thread_goes_on_on_further_pages(web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stretch, "IN_A_THREAD", 3)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    root = await said(alice, room, "root")
    for n in range(7):
        await said(alice, room, f"answer {n}", root)
    browser, address, seen = await sign_in(web(), alice), f"?thread={root}", []
    while address:
        text = (await browser.get(f"/chat/{room}{address}")).text.split("<template")[0]
        seen += re.findall(r"<p>(root|answer \d)</p>", text)
        later = re.search(r'rel="next" href="([^"]+)"', text)
        address = later[1].replace("&amp;", "&") if later else ""
    assert seen == ["root", *(f"answer {n}" for n in range(7))]
