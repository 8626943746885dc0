"""The stage of a live event goes to everybody in the room by their line: read and rendered once, nobody's own in it."""

from collections.abc import Callable
from typing import Any

import pytest

from app import db
from app.db import watch_queries
from content.live_events import pins, polls, questions, service
from content.live_events.schemas import NewPin, NewPoll
from frontend.pages import live_shared
from referrals.live_cards import service as live_cards
from tests.community.test_chat import a_line
from tests.content.test_live import a_live, a_question, the_event
from tests.factories import Browser, Person, a_group, a_member, sign_in
from tests.lines import Line
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio


async def in_the_room(house: Callable, person: Person, slug: str) -> Line:
    line = await a_line(house, person)
    await line.hello(str((await the_event(slug, person.viewer))["room_id"]))
    return line


async def the_stage(line: Line, words: str) -> dict:
    """The next stage that says so."""
    while True:
        frame = await line.next("stage")
        if words in frame.get("html", ""):
            return frame


async def test_a_pin_reaches_everybody_as_the_new_stage_with_the_hosts_own_link(house: Callable):
    await a_paying_shop()
    ines, bob = await a_member("ines", name="Ines"), await a_member("bob")
    slug = await a_live(ines)
    line = await in_the_room(house, bob, slug)
    pin_id = await live_cards.pin(ines.viewer, slug, NewPin("trail-pack", "mine"))
    told = await the_stage(line, "Trail pack")
    code = await db.fetch_val("SELECT l.code FROM live_pin_link c JOIN link l ON l.id = c.link_id")
    assert f'href="/r/{code}"' in told["html"] and "#ad" in told["html"]
    assert "Ines earns when you buy by these cards" in told["html"] and told["state"] == "live"
    seq = await db.fetch_val("SELECT seq FROM room")
    assert told["seq"] == seq
    await pins.unpin(ines.viewer, slug, pin_id)
    gone = await the_stage(line, "Nothing is held up yet")
    assert gone["seq"] > seq and "Trail pack" not in gone["html"]


async def test_what_is_sent_to_all_holds_nothing_of_one_reader(house: Callable, web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines)
    question_id = await a_question(bob, slug, "Is it light?")
    await questions.vote(bob.viewer, slug, question_id)
    line = await in_the_room(house, bob, slug)
    poll_id = await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That"]))
    told = (await the_stage(line, "Which next?"))["html"]
    await polls.vote(bob.viewer, slug, poll_id, 2)
    await polls.close(ines.viewer, slug, poll_id)
    closed = (await the_stage(line, "Closed."))["html"]
    for html in (told, closed):
        assert 'aria-pressed="true"' not in html and 'class="mine"' not in html
        assert "Is it light?" in html and f'data-author="{bob.id}"' in html, "but who asked is everybody's"
    assert 'name="_csrf" value=""' in told, "each page puts its own token there"
    own = (await (await sign_in(web(), bob)).get(f"/live/{slug}/stage")).text
    assert 'class="mine"' in own and 'aria-pressed="true"' in own


async def test_a_stage_is_read_once_however_many_are_in_the_room(house: Callable, monkeypatch: pytest.MonkeyPatch):
    readings = []

    async def counted(event: Any, *more: Any) -> dict:
        readings.append(event["id"])
        return await table_of(event, *more)

    table_of = live_shared.table_of
    monkeypatch.setattr(live_shared, "table_of", counted)
    ines = await a_member("ines")
    slug = await a_live(ines)
    lines = [await in_the_room(house, await a_member(), slug) for _ in range(12)]
    await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That"]))
    for line in lines:
        await the_stage(line, "Which next?")
    assert len(readings) == 1


async def test_strangers_share_one_reading_and_are_told_that_nothing_changed(web: Browser):
    await a_product(await a_shop())
    ines = await a_member("ines")
    slug = await a_live(ines)
    await pins.pin(ines.viewer, slug, NewPin("trail-pack"))
    address = f"/live/{slug}/stage"
    first = await web().get(address)
    assert "Trail pack" in first.text and "gv_" not in str(first.headers.get("set-cookie", ""))
    with watch_queries() as asked:
        again = await web().get(address, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not any("live_pin" in query for query in asked)
    await pins.pin(ines.viewer, slug, NewPin("trail-pack", "Now with a word to it"))
    assert "Now with a word to it" in (await web().get(address)).text, "what moved is there at once"
    assert 'data-state="live"' in first.text
    await service.end(ines.viewer, slug)
    assert 'data-state="ended"' in (await web().get(address)).text


async def test_who_only_looks_on_has_no_buttons(house: Callable):
    ines, bob, cleo = await a_member("ines"), await a_member("bob"), await a_member("cleo")
    from community.groups.service import join

    group = await a_group(ines)
    await join(bob.viewer, group)
    slug = await a_live(ines, group=group)
    his, hers = await in_the_room(house, bob, slug), await in_the_room(house, cleo, slug)
    await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That"]))
    assert "<button" in (await the_stage(his, "Which next?"))["html"]
    looks_on = (await the_stage(hers, "Which next?"))["html"]
    assert "<button" not in looks_on and "This" in looks_on


async def test_who_is_shown_out_is_told_no_stage_any_more(house: Callable):
    from community.groups.service import join, leave

    ines, bob = await a_member("ines"), await a_member("bob")
    group = await a_group(ines)
    await join(bob.viewer, group)
    slug = await a_live(ines, group=group)
    line = await in_the_room(house, bob, slug)
    await db.execute("UPDATE groups SET visibility = 'secret'")
    await leave(bob.viewer, group)
    await polls.open_poll(ines.viewer, slug, NewPoll("Among us?", ["This", "That"]))
    frame = await line.next("stage", "events", "error")
    assert frame["type"] == "error" and frame["code"] == "forbidden"


async def test_each_language_and_seat_has_a_stage_of_its_own_from_one_reading(house: Callable):
    ines = await a_member("ines")
    slug = await a_live(ines)
    await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That"]))
    event = await the_event(slug, ines.viewer)
    stage = await live_shared.shared_stage(event["room_id"], event["room_seq"])
    assert stage is not None
    english, chinese = stage.render("en", "member"), stage.render("zh-Hans", "member")
    assert "On the table" in english and "正在展示" in chinese and "On the table" not in chinese
    assert "<button" in english and "<button" not in stage.render("en", "reader")
    assert "Sign in to vote" in stage.render("en", "stranger") and "Sign in" not in english
