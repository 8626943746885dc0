"""What was said in rooms is found by those who may read there, and by nobody else."""

import asyncio
import uuid

import pytest

from app import db
from app.db import watch_queries
from community.chat import files, service
from community.direct import blocking
from community.direct import service as direct
from community.groups import service as groups
from search import messages
from search import service as search
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import Browser, Person, a_member, sign_in, words_of

pytestmark = pytest.mark.anyio


async def found(web: Browser, person: Person | None, q: str, **where: str) -> list[str]:
    client = web(token=person.token) if person else web()
    answer = await client.get("/api/v1/search", params={"q": q, "limit": 50, **where})
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["items"]]


async def test_what_was_said_a_moment_ago_is_found_in_its_room_and_the_newest_first_when_asked(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob)
    _slug, other = await a_room(bob, alice)
    first = await said(alice, room, "The burr grinder clogs")
    second = await said(bob, room, "Mine never clogged: 手磨咖啡机")
    await said(bob, other, "clogs")
    assert await found(web, bob, "clog", room=room, sort="new") == [str(second), str(first)]
    assert await found(web, bob, "手磨", room=room) == [str(second)]
    assert await found(web, bob, "clog", group=slug, kind="message", sort="new") == [str(second), str(first)]
    assert await found(web, bob, "grinder nothing", room=room) == []
    assert await found(web, bob, "clog") == [], "rooms are looked through when asked for"
    answer = (
        await web(token=bob.token).get("/api/v1/search", params={"q": "clog", "room": room, "limit": 1, "sort": "new"})
    ).json()
    hit = answer["items"][0]
    assert "<mark>clogged</mark>" in hit["snippet"] and hit["author"]["handle"] == "bob"
    assert hit["url"].endswith(f"#message-{second}")
    rest = await web(token=bob.token).get(
        "/api/v1/search", params={"q": "clog", "room": room, "after": answer["next"], "sort": "new"}
    )
    assert [one["id"] for one in rest.json()["items"]] == [str(first)]
    await messages.catch_up_everywhere()
    assert len(await found(web, bob, "clog", kind="message")) == 3


async def test_who_may_not_read_a_room_never_finds_what_was_said_there(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    moderator, admin = await a_member("mod", role="moderator"), await a_member("root-o", role="admin")
    slug, room = await a_room(alice, bob, visibility="secret")
    words = await said(alice, room, "The wholesale price is 4.20")
    await messages.catch_up_everywhere()
    assert await found(web, bob, "wholesale", kind="message") == [str(words)]
    for outsider in (carol, moderator, admin, None):
        assert await found(web, outsider, "wholesale", room=room) == []
        assert await found(web, outsider, "wholesale", kind="message") == []
        assert await found(web, outsider, "wholesale", kind="message", group=slug) == []
        assert await found(web, outsider, "wholesale") == []
    page = await (await sign_in(web(), carol)).get("/search", params={"q": "wholesale", "room": room})
    assert "price is 4.20" not in words_of(page.text) and slug not in page.text.lower().replace("/search", "")
    await groups.leave(bob.viewer, slug)
    assert await found(web, bob, "wholesale", room=room) == [], "who left finds it no longer"


async def test_edited_deleted_and_withheld_words_are_followed(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "A kettle")
    await messages.catch_up_everywhere()
    await service.edit(alice.viewer, int(room), words, "A teapot")
    assert await found(web, bob, "kettle", room=room) == []
    assert await found(web, bob, "teapot", room=room) == [str(words)]
    await service.delete(alice.viewer, int(room), words)
    assert await found(web, bob, "teapot", kind="message") == [], "at once, whatever the index still holds"
    await messages.catch_up_everywhere()
    assert await db.fetch_val("SELECT count(*) FROM search_message") == 0, "its words are gone from the index too"


async def test_a_file_is_found_by_its_name(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    file = await files.keep(alice.viewer, int(room), "harvest-report.pdf", b"%PDF-1.7")
    words = await said(alice, room, "", files=(int(file.id),))
    assert await found(web, alice, "harvest", room=room) == [str(words)]


async def test_indexing_at_once_from_many_sides_takes_each_event_once(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    words = [await said(alice, room, f"lantern {n}") for n in range(12)]
    done = await asyncio.gather(*(messages.catch_up(int(room)) for _ in range(4)), messages.catch_up_everywhere())
    assert sum(done) == 12
    assert len(await found(web, alice, "lantern", room=room)) == len(words)
    await search.reindex()
    assert len(await found(web, alice, "lantern", room=room)) == len(words)


async def test_the_page_of_a_room_s_search_costs_the_same_however_much_is_found(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await said(alice, room, "lantern")
    browser = await sign_in(web(), alice)

    async def cost() -> int:
        await browser.get("/search", params={"q": "lantern", "room": room})
        with watch_queries() as asked:
            page = await browser.get("/search", params={"q": "lantern", "room": room})
        assert "<mark>lantern</mark>" in page.text
        return len(asked)

    few = await cost()
    for n in range(15):
        await said(alice, room, f"lantern {n}")
    assert await cost() == few


async def test_a_room_s_search_opens_before_anything_is_asked_and_when_nothing_is_found(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    browser = await sign_in(web(), alice)
    for q in ({}, {"q": "nowhere"}):
        answer = await browser.get("/search", params={"room": room, **q})
        assert answer.status_code == 200 and f'href="/chat/{room}"' in answer.text


@pytest.mark.parametrize(
    ("question", "best", "passing", "long"),
    [
        (
            "espresso grinder",
            "The espresso grinder!",
            "A grinder for my espresso",
            "grinder " + "word " * 80 + "espresso",
        ),
        ("手磨咖啡", "手磨咖啡真香", "手里没有磨，咖啡也喝完了，手磨的咖啡", "手磨" + "，很久" * 80 + "，咖啡"),
    ],
)
async def test_what_fits_best_stands_first_in_either_language(
    web: Browser, question: str, best: str, passing: str, long: str
):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    exact, loose, far = [str(await said(alice, room, words)) for words in (best, passing, long)]
    assert await found(web, alice, question, room=room) == [exact, loose, far]
    assert await found(web, alice, question, room=room, sort="new") == [far, loose, exact]
    door = web(token=alice.token)
    paged, after = [], ""
    for _page in range(3):
        where = {"q": question, "room": room, "limit": 1, **({"after": after} if after else {})}
        answer = (await door.get("/api/v1/search", params=where)).json()
        paged += [hit["id"] for hit in answer["items"]]
        after = answer["next"]
    assert paged == [exact, loose, far] and after is None
    assert (await door.get("/api/v1/search", params={"q": question, "room": room, "sort": "loud"})).status_code == 422

    browser = await sign_in(web(), alice)
    page = (await browser.get("/search", params={"q": question, "room": room})).text
    assert (
        "Newest first" in page and "<mark>" in page and page.index(f"#message-{exact}") < page.index(f"#message-{far}")
    )
    newest = (await browser.get("/search", params={"q": question, "room": room, "sort": "new", "lang": "zh-Hans"})).text
    assert "最新的在前" in newest and newest.index(f"#message-{far}") < newest.index(f"#message-{exact}")


async def test_of_whom_one_blocked_nothing_is_found_but_where_the_two_talk_alone(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    theirs, hers = await said(bob, room, "lantern of bob"), await said(carol, room, "lantern of carol")
    alone = await direct.begin(bob.viewer, ["alice"], uuid.uuid4(), "lantern for you")
    circle = await direct.begin(carol.viewer, ["alice", "bob"], uuid.uuid4(), "Who has a torch?")
    await said(bob, circle.room, "I have a lantern")
    await messages.catch_up_everywhere()
    assert len(await found(web, alice, "lantern", kind="message")) == 4
    await blocking.block(alice.viewer, "bob")
    assert await found(web, alice, "lantern", room=room) == [str(hers)]
    assert await found(web, alice, "lantern", room=circle.room) == []
    assert len(await found(web, alice, "lantern", room=alone.room)) == 1
    assert len(await found(web, alice, "lantern", kind="message")) == 2
    assert str(theirs) in await found(web, carol, "lantern", room=room), "others go on finding it"
