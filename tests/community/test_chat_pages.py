import re
import uuid
from collections.abc import Callable

import pytest

from app import db
from app.db import watch_queries
from community.chat import service
from tests.community.test_chat import a_room
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def say(person: Person, room: str, *words: str) -> None:
    for body in words:
        await service.send(person.viewer, int(room), uuid.uuid4(), body)


def bubbles(html: str) -> list[str]:
    return re.findall(r'<div class="bubble[^"]*">\s*<p>(.*?)</p>', html.split("<template")[0])


async def test_a_room_is_read_and_written_without_javascript(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob)
    browser = await sign_in(web(), alice)
    page = f"/chat/{room}"
    client_id = re.search(r'name="client_id" value="([^"]+)"', (await browser.get(page)).text)[1]
    for _twice in range(2):
        answer = await submit(browser, f"{page}/messages", {"client_id": client_id, "body": "Tea?"}, page=page)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"/chat/{room}#message-")
    shown = await (await sign_in(web(), bob)).get(page)
    assert bubbles(shown.text) == ["Tea?"]
    assert f'href="/g/{slug}"' in shown.text


async def test_words_that_were_refused_stay_in_the_composer(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    browser, page, client_id = await sign_in(web(), alice), f"/chat/{room}", str(uuid.uuid4())
    await submit(browser, f"{page}/messages", {"client_id": client_id, "body": "First"}, page=page)
    again = await submit(browser, f"{page}/messages", {"client_id": client_id, "body": "Second"}, page=page)
    assert again.status_code == 409 and ">\nSecond</textarea>" in again.text and client_id not in again.text
    long = await submit(browser, f"{page}/messages", {"client_id": client_id, "body": "x" * 4001}, page=page)
    assert long.status_code == 422 and "x" * 4001 in long.text
    assert await db.fetch_val("SELECT count(*) FROM message") == 1


async def test_a_form_from_elsewhere_says_nothing(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    browser = await sign_in(web(), alice)
    data = {"client_id": str(uuid.uuid4()), "body": "Forged"}
    assert (await browser.post(f"/chat/{room}/messages", data=data)).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    assert (
        await submit(browser, f"/chat/{room}/messages", data, page=f"/chat/{room}", headers=foreign)
    ).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM message") == 0


async def test_history_pages_back_without_skipping(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await say(alice, room, *(f"line {n}" for n in range(130)))
    browser, seen, address = await sign_in(web(), alice), [], f"/chat/{room}"
    while address:
        text = (await browser.get(address)).text
        seen = bubbles(text) + seen
        older = re.search(r'href="(\?before=\d+)#latest"', text)
        address = f"/chat/{room}{older[1]}" if older else ""
    assert seen == [f"line {n}" for n in range(130)]
    assert (await browser.get(f"/chat/{room}?before=soon")).status_code == 400


async def test_a_room_and_the_list_of_rooms_cost_the_same_however_long_they_are(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    browser = await sign_in(web(), alice)
    await say(alice, room, "one")

    async def costs() -> tuple[int, int]:
        with watch_queries() as of_room:
            await browser.get(f"/chat/{room}")
        with watch_queries() as of_list:
            await browser.get("/chat/")
        return len(of_room), len(of_list)

    few = await costs()
    await say(bob, room, *(f"line {n}" for n in range(50)))
    for _ in range(3):
        await a_group(alice)
    assert await costs() == few == (6, 3)


async def test_the_unread_line_stands_where_the_member_left(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await say(alice, room, "old")
    from community.chat import reads

    browser = await sign_in(web(), bob)
    await browser.get(f"/chat/{room}")
    await reads.flush()
    await say(alice, room, "new one", "new two")
    listed = (await browser.get("/chat/")).text
    assert re.search(r'class="count[^"]*">2<', listed)
    shown = (await browser.get(f"/chat/{room}")).text.split("<template")[0]
    line = shown.index('class="unread"')
    assert shown.index("old") < line < shown.index("new one")
    await reads.flush()
    assert 'class="unread"' not in (await browser.get(f"/chat/{room}")).text.split("<template")[0]


async def test_what_was_said_cannot_become_markup_or_a_script_link(web: Browser):
    alice = await a_member("alice", name="<b>Alice</b>")
    _slug, room = await a_room(alice)
    await say(alice, room, "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "# 1 & only", "<script>")
    browser = await sign_in(web(), alice)
    text = (await browser.get(f"/chat/{room}")).text
    assert "<img src=x" not in text and 'href="javascript' not in text and "<b>Alice" not in text
    assert bubbles(text)[2] == "# 1 &amp; only"


async def test_messages_are_listed_forward_and_backward(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await say(alice, room, *(f"line {n}" for n in range(7)))
    door, found, after = web(token=alice.token), [], "0"
    while after:
        page = (await door.get(f"/api/v1/rooms/{room}/messages?after={after}&limit=3")).json()
        found += [item["body"] for item in page["items"]]
        after = page["next"]
    assert found == [f"line {n}" for n in range(7)]
    back = (await door.get(f"/api/v1/rooms/{room}/messages?before=7&limit=2")).json()
    assert [item["body"] for item in back["items"]] == ["line 5", "line 4"] and back["next"] == "5"
    for nonsense in ("after=-5", f"after={10**30}"):
        assert (await door.get(f"/api/v1/rooms/{room}/messages?{nonsense}")).status_code == 200
    assert (await door.get(f"/api/v1/rooms/{10**30}/messages")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"body": "no id"}, 422),
        ({"client_id": "nope", "body": "x"}, 422),
        ({"client_id": str(uuid.uuid4()), "body": ""}, 422),
        ({"client_id": str(uuid.uuid4()), "body": "x" * 4001}, 422),
        ({"client_id": str(uuid.uuid4()), "body": "x", "room": "8"}, 422),
        ({"client_id": str(uuid.uuid4()), "body": "x", "reply_to": "999999"}, 422),
        ({"client_id": str(uuid.uuid4()), "body": ["x"]}, 422),
        ([], 400),
    ],
)
async def test_bad_messages_get_a_clear_answer_and_leave_nothing(web: Browser, body: object, status: int):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    answer = await web(token=alice.token).post(f"/api/v1/rooms/{room}/messages", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json") and answer.json()["detail"]
    assert await db.fetch_val("SELECT seq FROM room") == 0


async def test_an_answer_quotes_what_it_answers_only_within_the_room(web: Browser, house: Callable):
    alice = await a_member("alice", name="Alice")
    _slug, room = await a_room(alice)
    _other, elsewhere = await a_room(alice, visibility="secret")
    door = web(token=alice.token)

    async def post(room: str, **message: str):
        body = {"client_id": str(uuid.uuid4()), "body": "Yes", **message}
        return await door.post(f"/api/v1/rooms/{room}/messages", json=body)

    first = (await post(room, body="Tea?")).json()["id"]
    secret = (await post(elsewhere, body="Secret")).json()["id"]
    assert (await post(room, reply_to=first)).status_code == 201
    assert (await post(room, reply_to=secret)).status_code == 422
    answer = (await door.get(f"/api/v1/rooms/{room}/messages")).json()["items"][1]
    assert answer["reply_to"] == {"id": first, "name": "Alice", "text": "Tea?", "author_id": str(alice.id)}
    await run_jobs()


async def test_who_has_nothing_yet_is_told_what_to_do(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    hers = await sign_in(web(), alice)
    page = (await hers.get("/chat/")).text
    assert "No rooms yet" in page and 'href="/chat/new"' in page and 'href="/g/"' in page
    _slug, room = await a_room(bob, alice)
    page = (await hers.get("/chat/")).text
    assert "No rooms yet" not in page and "No direct messages yet." in page and "Write to somebody" in page
    nothing = (await hers.get("/search", params={"q": "nowhere", "room": room, "lang": "zh-Hans"})).text
    assert "在你的所有聊天室里" in nothing and f'href="/chat/{room}"' in nothing
    shown = (await hers.get(f"/chat/{room}", params={"lang": "en"})).text
    assert '<a class="skip" href="#words">Skip to the message field</a>' in shown and 'id="words"' in shown
    assert 'href="#words"' not in (await web().get(f"/chat/{room}")).text, "who may not write is not led there"
