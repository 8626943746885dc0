"""Where two talk alone, one sees that the other has read; whoever hides it sees nothing either."""

import re
import uuid
from collections.abc import Callable

import pytest

from app import db
from community.chat import reads, service
from community.direct import blocking, requests
from community.direct import service as direct
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_lists import line_of, read, say
from tests.factories import Browser, Person, a_member, sign_in, submit

pytestmark = pytest.mark.anyio
MARK = re.compile(r'class="seen meta">([^<]*)<')


async def two_who_talk() -> tuple[Person, Person, str]:
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    await a_room(alice, bob)
    begun = await direct.begin(alice.viewer, ["bob"], uuid.uuid4(), "Tea?")
    await reads.flush()
    return alice, bob, begun.room


async def marks(web: Browser, person: Person, room: str, lang: str = "en") -> list[str]:
    page = (await (await sign_in(web(), person)).get(f"/chat/{room}", params={"lang": lang})).text
    return MARK.findall(page[: page.index("<template")])


async def test_the_last_own_words_say_when_the_other_has_read_them(web: Browser):
    alice, bob, room = await two_who_talk()
    assert await marks(web, alice, room) == []
    assert (await line_of(web, alice, room))["seen"] < (await line_of(web, alice, room))["seq"]
    await read(bob, room, 10_000)
    assert await marks(web, alice, room) == ["Seen"] and await marks(web, alice, room, "zh-Hans") == ["已读"]
    line = await line_of(web, alice, room)
    assert line["seen"] == line["seq"]
    await say(alice, room, "And biscuits?")
    assert await marks(web, alice, room) == [], "the new words are not read yet"
    await read(bob, room, 10_000)
    [mark] = await marks(web, alice, room)
    last = await db.fetch_val("SELECT max(id) FROM message")
    page = (await (await sign_in(web(), alice)).get(f"/chat/{room}")).text
    assert page.index(f'id="message-{last}"') < page.index('class="seen meta"') and mark


async def test_an_open_page_hears_that_the_other_has_read(house: Callable):
    alice, bob, room = await two_who_talk()
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await hers.hello(room)
    await his.hello(room)
    [said] = await say(alice, room, "Are you there?")
    seq = await db.fetch_val("SELECT seq FROM message WHERE id = $1", said)
    await his.send("read", room=room, seq=seq)
    while (told := await hers.next("seen"))["seq"] < seq:
        pass
    assert told == {"type": "seen", "room": room, "seq": seq}


async def test_who_was_away_or_can_only_ask_learns_of_it_too(web: Browser, house: Callable):
    alice, bob, room = await two_who_talk()
    [said] = await say(alice, room, "Are you there?")
    await read(bob, room, 10_000)
    seq = await db.fetch_val("SELECT seq FROM message WHERE id = $1", said)
    hers = await a_line(house, alice)
    await hers.hello(room)
    assert (await hers.next("seen"))["seq"] >= seq, "read while her line was cut"
    asked = (await (await sign_in(web(), alice)).get(f"/chat/{room}/events", params={"after": seq})).json()
    assert asked["seen"] >= seq


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_who_hides_what_they_read_neither_shows_it_nor_sees_it(web: Browser, house: Callable, who: str):
    alice, bob, room = await two_who_talk()
    hider = alice if who == "alice" else bob
    browser = await sign_in(web(), hider)
    form = {"may_write": "everyone", "hides_reading": "on"}
    assert (await submit(browser, "/settings/privacy", form, page="/settings/privacy")).status_code == 303
    assert re.search(r'name="hides_reading"[^>]* checked', (await browser.get("/settings/privacy")).text)
    hers = await a_line(house, alice)
    await hers.hello(room)
    await read(bob, room, 10_000)
    await say(bob, room, "Yes")
    await read(alice, room, 10_000)
    for one in (alice, bob):
        assert await marks(web, one, room) == []
        assert (await line_of(web, one, room))["seen"] is None
    with pytest.raises(TimeoutError):
        await hers.next("seen", patience=0.3)
    door = web(token=hider.token)
    kept = (await door.get("/api/v1/me/privacy")).json()
    assert kept == {"may_write": "everyone", "is_hidden": False, "hides_reading": True}
    assert (await door.put("/api/v1/me/privacy", json={"may_write": "everyone", "is_hidden": False})).is_success
    assert await marks(web, bob, room) == ["Seen"], "a client that does not know of it shows it as before"


async def test_groups_circles_and_requests_never_show_it(web: Browser):
    alice, bob, carol, dora = [await a_member(name) for name in ("alice", "bob", "carol", "dora")]
    _slug, group = await a_room(alice, bob, carol)
    circle = (await direct.begin(alice.viewer, ["bob", "carol"], uuid.uuid4(), "Who comes?")).room
    await service.send(alice.viewer, int(group), uuid.uuid4(), "Hello")
    asked = (await direct.begin(dora.viewer, ["alice"], uuid.uuid4(), "May I?")).room
    for who, room in ((bob, group), (bob, circle), (carol, circle), (alice, asked)):
        await read(who, room, 10_000)
    for who, room in ((alice, group), (alice, circle), (dora, asked)):
        assert await marks(web, who, room) == []
        assert (await line_of(web, who, room))["seen"] is None
    await requests.accept(alice.viewer, int(asked))
    await read(alice, asked, 10_000)
    assert await marks(web, dora, asked) == ["Seen"], "once they talk"
    await blocking.block(alice.viewer, "dora")
    assert await marks(web, dora, asked) == []
