"""Live events: announced, remembered, held; products, questions and polls in the room; the replay and its guide."""

import asyncio
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from app import clock, db
from app.db import watch_queries
from app.errors import Conflict, Forbidden, Invalid, NotFound
from content.live_events import pins, polls, questions, reminders, replay, segments, service
from content.live_events.policy import access_event
from content.live_events.schemas import LiveChange, NewLive, NewPin, NewPoll, NewSegment
from content.live_events.transcript import clock_of, lines_of
from tests.community.test_chat import a_line
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.storefront.shop import Shop, a_product, a_shop, send

pytestmark = pytest.mark.anyio

PACK: dict[str, Any] = {
    "id": "SKU-1",
    "title": "Trail pack",
    "url": "https://north.example/p/SKU-1",
    "price": {"amount": 12_900, "currency": "USD"},
}


async def a_live(host: Person, title: str = "Moka night", *, group: str = "", begun: bool = True) -> str:
    """An event of the host's, live unless it shall only be planned; its slug."""
    slug = await service.plan(host.viewer, NewLive(title, clock.now() + timedelta(minutes=5), group=group))
    if begun:
        await service.begin(host.viewer, slug)
    return slug


async def a_question(asker: Person, slug: str, words: str) -> int:
    return (await questions.ask(asker.viewer, slug, uuid.uuid4(), words))[0]


async def the_event(slug: str, viewer: Any) -> Any:
    return await access_event(viewer, slug)


async def told_in(slug: str) -> list[dict]:
    """What the room was told of the event, in order."""
    rows = await db.fetch(
        """SELECT r.data FROM room_event r JOIN live_event e ON e.room_id = r.room_id
            WHERE e.slug = $1 AND r.kind = 'room' ORDER BY r.seq""",
        slug,
    )
    return [msgspec.json.decode(row["data"]) if isinstance(row["data"], str) else row["data"] for row in rows]


# --- the story ---


async def test_a_host_announces_holds_and_ends_an_event_without_any_script(web: Browser):
    slug_of_product = await a_product(await a_shop())
    ines, bob = await a_member("ines", name="Ines"), await a_member("bob", name="Bob")
    hers, his = await sign_in(web(), ines), await sign_in(web(), bob)
    soon = f"{clock.now() + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    planned = await submit(hers, "/live/new", {"title": "Moka night", "starts_at": soon, "summary": "Three grinders."})
    assert planned.headers["location"] == "/live/moka-night/desk"
    assert "Moka night" in (await web().get("/live/")).text, "everybody sees what is coming"
    await submit(his, "/live/moka-night/reminder", {}, page="/live/moka-night")
    assert "You will be reminded" in (await his.get("/live/moka-night")).text
    desk = "/live/moka-night/desk"
    await submit(hers, "/live/moka-night/state", {"state": "live"}, page=desk)
    pinned = await submit(
        hers,
        "/live/moka-night/pins",
        {"product": f"http://test.example/p/{slug_of_product}", "note": "I use it"},
        page=desk,
    )
    assert pinned.status_code == 303, pinned.text
    shown = (await his.get("/live/moka-night")).text
    assert "Showing now" in shown and "$129.00" in shown and "I use it" in shown
    shown = await his.get("/live/moka-night")
    client_id = re.search(r'id="ask".*?name="client_id" value="([0-9a-f-]+)"', shown.text, re.S)
    assert client_id
    asked = await submit(
        his,
        "/live/moka-night/questions",
        {"client_id": client_id[1], "question": "Does it clog?"},
        page="/live/moka-night",
    )
    assert asked.status_code == 303
    question_id = await db.fetch_val("SELECT id FROM live_question")
    assert "Does it clog?" in (await hers.get(desk)).text
    await submit(hers, f"/live/moka-night/questions/{question_id}/settle", {"how": "answered"}, page=desk)
    poll = {"question": "Which next?", "options": "The hand one\nThe big one\n"}
    await submit(hers, "/live/moka-night/polls", poll, page=desk)
    poll_id = await db.fetch_val("SELECT id FROM live_poll")
    await submit(his, f"/live/moka-night/polls/{poll_id}/vote", {"option": "2"}, page="/live/moka-night")
    assert "1 vote" in (await web().get("/live/moka-night")).text
    await submit(hers, "/live/moka-night/segments", {"body": "This one never clogged."}, page=desk)
    await submit(hers, "/live/moka-night/state", {"state": "ended"}, page=desk)
    again = (await web().get("/live/moka-night/replay")).text
    for piece in ("Trail pack", "Does it clog?", "Which next?", "This one never clogged.", "Answered", "0:0"):
        assert piece in again, piece
    assert "Watch again" in (await web().get("/live/")).text


async def test_who_is_in_the_room_hears_every_change_in_its_one_sequence(house: Callable, web: Browser):
    shop = await a_shop()
    product = await a_product(shop)
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines, begun=False)
    room = str((await the_event(slug, bob.viewer))["room_id"])
    line = await a_line(house, bob)
    standing = (await line.hello(room))["rooms"][room]
    await service.begin(ines.viewer, slug)
    pin_id = await pins.pin(ines.viewer, slug, NewPin(product, "mine"))
    question_id = await a_question(bob, slug, "Is it light?")
    await questions.mark_answered(ines.viewer, slug, question_id)
    await pins.unpin(ines.viewer, slug, pin_id)
    await service.end(ines.viewer, slug)
    heard = await line.events(7)
    assert [event["seq"] for event in heard] == list(range(standing["seq"] + 1, standing["seq"] + 8))
    assert [event["kind"] for event in heard] == ["room", "room", "message", "room", "room", "room", "room"]
    what = [event["data"]["what"] for event in heard if event["kind"] == "room"]
    assert what == ["live", "pin", "question", "question", "unpin", "live"]
    card = heard[1]["data"]
    assert card["product"]["price"] == {"amount": 12_900, "currency": "USD"} and card["note"] == "mine"
    assert heard[2]["body"] == "Is it light?" and heard[3]["data"]["message"] == heard[2]["id"]


async def test_price_and_stock_move_while_the_room_watches(house: Callable, web: Browser):
    shop = await a_shop()
    product = await a_product(shop, stock=5)
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines)
    await pins.pin(ines.viewer, slug, NewPin(product))
    await run_jobs()
    room = str((await the_event(slug, bob.viewer))["room_id"])
    line = await a_line(house, bob)
    await line.hello(room)
    cheaper = {**PACK, "price": {"amount": 9_900, "currency": "USD"}, "stock": 2}
    await send(web(), shop, "product.upserted", cheaper)
    await run_jobs()
    [moved] = await line.events(1)
    assert moved["data"]["what"] == "product"
    assert (moved["data"]["product"]["price"]["amount"], moved["data"]["product"]["stock"]) == (9_900, 2)
    page = (await web().get(f"/live/{slug}/stage")).text
    assert "$99.00" in page and "Only 2 left" in page
    await send(web(), shop, "product.upserted", {**cheaper, "stock": 0})
    await send(web(), shop, "product.deleted", {"id": "SKU-1"})
    await run_jobs()
    sold, gone = await line.events(2)
    assert sold["data"]["product"]["stock"] == 0 and not gone["data"]["product"]["available"]
    assert "No longer sold" in (await web().get(f"/live/{slug}/stage")).text
    await service.end(ines.viewer, slug)
    before = len(await told_in(slug))
    await send(web(), shop, "product.upserted", {**cheaper, "stock": 9})
    await run_jobs()
    assert len(await told_in(slug)) == before, "an event that is over is not told any more"


# --- doors ---


async def test_only_the_host_runs_it_and_moderators_may_tidy(web: Browser):
    product = await a_product(await a_shop())
    ines, bob, mod = await a_member("ines"), await a_member("bob"), await a_member("mod", role="moderator")
    slug = await a_live(ines)
    pin_id = await pins.pin(ines.viewer, slug, NewPin(product))
    question_id = await a_question(bob, slug, "Buy cheap pills")
    for attempt in (
        service.end(bob.viewer, slug),
        pins.pin(bob.viewer, slug, NewPin(product)),
        pins.unpin(bob.viewer, slug, pin_id),
        polls.open_poll(bob.viewer, slug, NewPoll("Mine?", ["a", "b"])),
        segments.write(bob.viewer, slug, NewSegment("I said")),
        questions.mark_answered(bob.viewer, slug, question_id),
        questions.dismiss(bob.viewer, slug, question_id),
        pins.pin(mod.viewer, slug, NewPin(product)),
    ):
        with pytest.raises(Forbidden):
            await attempt
    his = await sign_in(web(), bob)
    assert (await his.get(f"/live/{slug}/desk")).status_code == 403
    assert (await web().get(f"/live/{slug}/desk")).status_code in (303, 401)
    await questions.dismiss(mod.viewer, slug, question_id)
    assert "Buy cheap pills" not in (await web().get(f"/live/{slug}/stage")).text
    await pins.unpin(mod.viewer, slug, pin_id)
    await service.end(mod.viewer, slug)


async def test_an_event_of_a_closed_group_is_not_there_for_others(house: Callable, web: Browser):
    product = await a_product(await a_shop())
    ines, bob = await a_member("ines"), await a_member("bob")
    group = await a_group(ines, visibility="secret")
    slug = await a_live(ines, "Only among us", group=group)
    await pins.pin(ines.viewer, slug, NewPin(product))
    await segments.write(ines.viewer, slug, NewSegment("Quietly"))
    his, hers = await sign_in(web(), bob), await sign_in(web(), ines)
    places = [f"/live/{slug}{part}" for part in ("", "/stage", "/replay", "/event.ics", "/desk")]
    for browser in (his, web()):
        for place in places:
            answer = await browser.get(place)
            assert answer.status_code in (404, 303, 401) and "Quietly" not in answer.text, place
        for list_ in ("/live/", "/live/calendar.ics", "/", f"/p/{product}", "/sitemap.xml", "/api/v1/live-events"):
            told = (await browser.get(list_)).text
            assert "Only among us" not in told and slug not in told, list_
    room_id = await db.fetch_val("SELECT room_id FROM live_event")
    assert (await his.get(f"/live/room/{room_id}")).status_code == 404
    for attempt in (
        questions.ask(bob.viewer, slug, uuid.uuid4(), "Let me in"),
        reminders.remind(bob.viewer, slug),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert "Only among us" in (await hers.get("/live/")).text
    assert (await hers.get(places[0])).status_code == 200


async def test_what_is_on_is_seen_where_people_are(web: Browser):
    product = await a_product(await a_shop())
    ines = await a_member("ines")
    group = await a_group(ines)
    slug = await a_live(ines, group=group)
    await a_live(ines, "Next week", begun=False)
    await pins.pin(ines.viewer, slug, NewPin(product))
    hers = await sign_in(web(), ines)
    for browser in (hers, web()):
        home = (await browser.get("/")).text
        assert "Moka night" in home and "Next week" in home and "Live now" in home
        strip = (await browser.get(f"/live/strip?group={group}")).text
        assert "Moka night" in strip and "Next week" not in strip
        held = (await browser.get(f"/live/?group={group}")).text
        assert "Moka night" in held and "Next week" not in held
        assert f"/live/{slug}" in (await browser.get(f"/p/{product}")).text
        assert f"/live/strip?group={group}" in (await browser.get(f"/g/{group}")).text
    assert f"/live/{slug}<" in (await web().get("/sitemap.xml")).text
    assert "Disallow: /live\n" not in (await web().get("/robots.txt")).text, "a preview may be asked for"
    await service.end(ines.viewer, slug)
    assert f"/live/{slug}/replay<" in (await web().get("/sitemap.xml")).text
    assert "Live now" not in (await web().get("/")).text
    assert f"/live/{slug}/replay" in (await web().get(f"/p/{product}")).text


async def test_who_reads_a_public_group_without_belonging_may_watch_but_not_vote(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines, group=await a_group(ines))
    poll_id = await polls.open_poll(ines.viewer, slug, NewPoll("Which?", ["this", "that"]))
    assert (await (await sign_in(web(), bob)).get(f"/live/{slug}")).status_code == 200
    with pytest.raises(Forbidden):
        await polls.vote(bob.viewer, slug, poll_id, 1)
    with pytest.raises(Forbidden):
        await a_question(bob, slug, "May I?")
    with pytest.raises(Forbidden):
        await service.plan(bob.viewer, NewLive("Mine", clock.now() + timedelta(hours=1), group=await a_group(ines)))


async def test_a_reported_event_that_moderators_hide_is_off_the_air_and_out_of_sight(web: Browser):
    from community.moderation import service as moderation
    from frontend.pages.subjects import access_subject

    ines, bob, mod = await a_member("ines"), await a_member("bob"), await a_member("mod", role="moderator")
    slug = await a_live(ines, "Miracle pills, tonight only")
    event_id = (await the_event(slug, bob.viewer))["id"]
    his = await sign_in(web(), bob)
    assert f"/report?subject=live:{event_id}" in (await his.get(f"/live/{slug}")).text
    await moderation.report(bob.viewer, await access_subject(bob.viewer, f"live:{event_id}"), "spam", "")
    case_id = await db.fetch_val("SELECT id FROM moderation_case")
    assert "Miracle pills" in (await (await sign_in(web(), mod)).get("/moderation/")).text
    await moderation.hide(mod.viewer, case_id, "Spam")
    await run_jobs()
    assert await db.fetch_val("SELECT state FROM live_event") == "ended"
    for browser in (his, web()):
        for place in ("/live/", "/", "/live/calendar.ics"):
            assert "Miracle" not in (await browser.get(place)).text, place
        assert (await browser.get(f"/live/{slug}")).status_code == 404
    room_id = await db.fetch_val("SELECT room_id FROM live_event")
    assert (await his.get(f"/chat/{room_id}")).status_code == 404
    assert (await web(token=bob.token).get(f"/api/v1/rooms/{room_id}/messages")).status_code == 404
    for runs_it in (ines, mod):
        browser = await sign_in(web(), runs_it)
        assert "has hidden this event" in (await browser.get(f"/live/{slug}")).text
        assert (await browser.get(f"/chat/{room_id}")).status_code == 200, "it is looked at where it was said"
    await moderation.restore(mod.viewer, case_id, "It was a joke among friends")
    assert (await his.get(f"/chat/{room_id}")).status_code == 200


async def test_a_groups_event_that_moderators_hide_shuts_its_room_before_the_next_word(house: Callable, web: Browser):
    from community.groups.service import join
    from community.moderation import service as moderation
    from frontend.pages.subjects import access_subject

    ines, bob, mod = await a_member("ines"), await a_member("bob"), await a_member("mod", role="moderator")
    owner = await a_member("owner")
    group = await a_group(owner)
    for person in (ines, bob):
        await join(person.viewer, group)
    slug = await a_live(ines, "Miracle pills", group=group)
    event = await the_event(slug, bob.viewer)
    room = str(event["room_id"])
    line = await a_line(house, bob)
    await line.hello(room)
    await moderation.report(bob.viewer, await access_subject(bob.viewer, f"live:{event['id']}"), "spam", "")
    case_id = await db.fetch_val("SELECT id FROM moderation_case")
    await moderation.hide(mod.viewer, case_id, "Spam")
    await run_jobs()
    assert (await line.next("events", "error"))["code"] == "forbidden", "not even that it ended"
    his = web(token=bob.token)
    assert (await his.get(f"/api/v1/rooms/{room}/messages")).status_code == 404
    assert (await his.get(f"/api/v1/live-events/{slug}")).status_code == 404
    assert (await (await sign_in(web(), bob)).get(f"/live/{slug}/stage")).status_code == 404
    for keeps_order in (ines, mod, owner):
        assert (await web(token=keeps_order.token).get(f"/api/v1/rooms/{room}/messages")).status_code == 200
    await moderation.restore(mod.viewer, case_id, "A mistake")
    assert (await his.get(f"/api/v1/rooms/{room}/messages")).status_code == 200


# --- questions and polls ---


async def test_questions_queue_by_votes_and_go_with_their_words(web: Browser):
    from community.chat import service as chat

    ines, bob, cleo = await a_member("ines"), await a_member("bob"), await a_member("cleo")
    slug = await a_live(ines)
    light = await a_question(bob, slug, "Is it light?")
    loud = await a_question(cleo, slug, "Is it loud?")
    await questions.vote(cleo.viewer, slug, light)
    await questions.vote(bob.viewer, slug, loud)
    await questions.vote(ines.viewer, slug, loud)
    await questions.vote(ines.viewer, slug, loud)
    page = (await web().get(f"/live/{slug}/stage")).text
    assert page.index("Is it loud?") < page.index("Is it light?")
    assert await db.fetch_val("SELECT vote_count FROM live_question WHERE id = $1", loud) == 2
    await questions.unvote(ines.viewer, slug, loud)
    assert await db.fetch_val("SELECT vote_count FROM live_question WHERE id = $1", loud) == 1
    event = await the_event(slug, bob.viewer)
    message_id = await db.fetch_val("SELECT message_id FROM live_question WHERE id = $1", light)
    await chat.delete(bob.viewer, event["room_id"], message_id)
    assert "Is it light?" not in (await web().get(f"/live/{slug}/stage")).text
    await service.end(ines.viewer, slug)
    assert "Is it light?" not in (await web().get(f"/live/{slug}/replay")).text
    with pytest.raises(Conflict):
        await questions.vote(cleo.viewer, slug, loud)


async def test_who_is_blocked_asks_nothing_that_the_blocker_has_to_read(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines)
    await a_question(bob, slug, "Why so dear?")
    hers = await sign_in(web(), ines)
    assert "Why so dear?" in (await hers.get(f"/live/{slug}/desk/now")).text
    blocked = await web(token=ines.token).put("/api/v1/blocks/bob")
    assert blocked.is_success, blocked.text
    assert "Why so dear?" not in (await hers.get(f"/live/{slug}/desk/now")).text
    assert "Why so dear?" in (await web().get(f"/live/{slug}/stage")).text


async def test_the_same_question_sent_again_is_one_question(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    slug, client_id = await a_live(ines), uuid.uuid4()
    tries = [questions.ask(bob.viewer, slug, client_id, "Is it light?") for _ in range(4)]
    answers = await asyncio.gather(*tries)
    assert len({question_id for question_id, _new in answers}) == 1 and sum(is_new for _id, is_new in answers) == 1
    assert await db.fetch_val("SELECT count(*) FROM message") == 1


async def test_each_member_has_one_vote_and_may_change_their_mind_until_it_closes(web: Browser):
    ines = await a_member("ines")
    voters = [await a_member() for _ in range(6)]
    slug = await a_live(ines)
    poll_id = await polls.open_poll(ines.viewer, slug, NewPoll("Which?", ["this", "that", ""]))
    with pytest.raises(Conflict):
        await polls.open_poll(ines.viewer, slug, NewPoll("And?", ["yes", "no"]))
    # Everybody at once, twice, and in both ways.
    await asyncio.gather(*(polls.vote(voter.viewer, slug, poll_id, 1 + n % 2) for voter in voters for n in range(3)))
    await asyncio.gather(*(polls.vote(voter.viewer, slug, poll_id, 2) for voter in voters[:4]))
    await asyncio.gather(*(polls.vote(voter.viewer, slug, poll_id, 1) for voter in voters[4:]))
    counts = await db.fetch("SELECT vote_count FROM live_poll_option ORDER BY position")
    assert [row["vote_count"] for row in counts] == [2, 4]
    with pytest.raises(NotFound):
        await polls.vote(voters[0].viewer, slug, poll_id, 3)
    await polls.close(ines.viewer, slug, poll_id)
    with pytest.raises(Conflict):
        await polls.vote(voters[0].viewer, slug, poll_id, 1)
    assert (await told_in(slug))[-1] == {"what": "poll", "poll": str(poll_id), "state": "closed", "counts": [2, 4]}


async def test_a_thousand_votes_are_few_events_and_the_last_count_is_told(web: Browser):
    ines = await a_member("ines")
    voters = [await a_member() for _ in range(8)]
    slug = await a_live(ines)
    poll_id = await polls.open_poll(ines.viewer, slug, NewPoll("Which?", ["this", "that"]))
    for voter in voters:
        await polls.vote(voter.viewer, slug, poll_id, 1)
    told = [data for data in await told_in(slug) if data["what"] == "counts"]
    assert 1 <= len(told) < len(voters) and told[0]["poll"]["counts"] == [1, 0]
    clock.travel(timedelta(seconds=5))
    await run_jobs()
    told = [data for data in await told_in(slug) if data["what"] == "counts"]
    assert told[-1]["poll"] == {"id": str(poll_id), "counts": [8, 0]}


@pytest.mark.parametrize("options", [["only"], [], ["same", "same"], [str(n) for n in range(7)]])
async def test_a_poll_needs_two_to_six_different_answers(house, options: list[str]):
    ines = await a_member("ines")
    slug = await a_live(ines)
    with pytest.raises(Invalid):
        await polls.open_poll(ines.viewer, slug, NewPoll("Which?", options))


# --- its life ---


async def test_it_begins_once_and_ends_once_whoever_comes_second(house):
    ines = await a_member("ines")
    slug = await a_live(ines, begun=False)
    tries = [service.begin(ines.viewer, slug) for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome is not None)
    await service.end(ines.viewer, slug)
    for late in (service.end, service.begin, service.cancel):
        with pytest.raises(Conflict):
            await late(ines.viewer, slug)
    with pytest.raises(Conflict):
        await pins.pin(ines.viewer, slug, NewPin(await a_product(await a_shop())))


async def test_a_forgotten_event_ends_by_itself(house):
    ines = await a_member("ines")
    slug = await a_live(ines)
    assert await service.end_forgotten() == 0
    clock.travel(timedelta(hours=13))
    assert await service.end_forgotten() == 1
    assert (await the_event(slug, ines.viewer))["state"] == "ended"


async def test_the_events_of_who_is_erased_are_called_off_or_ended(house):
    from app import people

    ines = await a_member("ines")
    planned, begun = await a_live(ines, "Later", begun=False), await a_live(ines, "Now")
    await people.erase("ines")
    await run_jobs()
    states = {row["slug"]: row["state"] for row in await db.fetch("SELECT slug, state FROM live_event")}
    assert states == {planned: "cancelled", begun: "ended"}


async def test_the_bell_rings_before_at_the_start_and_when_plans_change(web: Browser):
    ines, bob, cleo = await a_member("ines"), await a_member("bob"), await a_member("cleo")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(hours=2)))
    await reminders.remind(bob.viewer, slug)
    await reminders.remind(bob.viewer, slug)
    await reminders.remind(cleo.viewer, slug)
    await reminders.forget(cleo.viewer, slug)

    async def bells(person: Person) -> list[str]:
        await run_jobs()
        rows = await db.fetch("SELECT kind FROM notification WHERE member_id = $1 ORDER BY id", person.id)
        return [row["kind"] for row in rows]

    assert await reminders.ring_before() == 0
    later = clock.now() + timedelta(hours=3)
    await service.change(ines.viewer, slug, LiveChange("Moka night", later))
    assert await bells(bob) == ["live_moved"]
    clock.travel(timedelta(hours=2, minutes=55))
    assert await reminders.ring_before() == 1 and await reminders.ring_before() == 0
    assert await bells(bob) == ["live_moved", "live_soon"]
    await service.begin(ines.viewer, slug)
    assert await bells(bob) == ["live_moved", "live_soon", "live_started"] and await bells(cleo) == []
    shown = (await (await sign_in(web(), bob)).get("/notifications/")).text
    assert "is live now" in shown and "begins in a few minutes" in shown and "another hour" in shown
    other = await service.plan(ines.viewer, NewLive("Never", clock.now() + timedelta(hours=2)))
    await reminders.remind(bob.viewer, other)
    await service.cancel(ines.viewer, other)
    assert (await bells(bob))[-1] == "live_cancelled"
    with pytest.raises(Conflict):
        await reminders.remind(bob.viewer, other)


async def test_a_host_who_left_a_secret_group_is_out_of_its_event_at_once(house: Callable):
    from community.groups.service import join, leave

    ines, bob = await a_member("ines"), await a_member("bob")
    group = await a_group(ines)
    await join(bob.viewer, group)
    slug = await a_live(bob, group=group)
    room = str((await the_event(slug, bob.viewer))["room_id"])
    await db.execute("UPDATE groups SET visibility = 'secret'")
    line = await a_line(house, bob)
    await line.hello(room)
    await leave(bob.viewer, group)
    with pytest.raises(NotFound):
        await the_event(slug, bob.viewer)
    await a_question(ines, slug, "Is he gone?")
    assert (await line.next("error"))["code"] == "forbidden", "and hears nothing of what is said after"
    await service.end(ines.viewer, slug)


async def test_a_chinese_title_makes_an_address_that_works_everywhere(web: Browser):
    ines = await a_member("ines")
    browser = await sign_in(web(), ines)
    soon = f"{clock.now() + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    planned = await submit(browser, "/live/new", {"title": "周末露营：现场搭", "starts_at": soon, "lang": "zh-Hans"})
    assert planned.status_code == 303
    assert (await browser.get(planned.headers["location"])).status_code == 200
    slug = await db.fetch_val("SELECT slug FROM live_event")
    assert (await web().get(f"/live/{slug}/event.ics")).status_code == 200
    room_id = await db.fetch_val("SELECT room_id FROM live_event")
    link = (await web(token=ines.token).post("/api/v1/links", json={"target": f"room:{room_id}"})).json()
    led = await web().get(f"/r/{link['code']}")
    assert led.status_code == 302 and led.headers["location"].isascii()
    assert (await web().get(led.headers["location"])).status_code == 200
    assert (await browser.get(f"/live/room/{room_id}")).status_code == 303


async def test_who_was_shown_out_of_the_group_is_not_rung_any_more(house):
    from community.groups.service import join, leave

    ines, bob = await a_member("ines"), await a_member("bob")
    group = await a_group(ines)
    await join(bob.viewer, group)
    slug = await a_live(ines, group=group, begun=False)
    await reminders.remind(bob.viewer, slug)
    await leave(bob.viewer, group)
    await db.execute("UPDATE groups SET visibility = 'secret'")
    await service.begin(ines.viewer, slug)
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind LIKE 'live%'") == 0


async def test_hours_are_taken_in_the_writers_own_time(web: Browser):
    ines = await a_member("ines")
    browser = await sign_in(web(), ines)
    day = (clock.now() + timedelta(days=2)).date()
    planned = {"title": "In Shanghai", "starts_at": f"{day}T20:00", "zone": "480"}
    assert (await submit(browser, "/live/new", planned)).status_code == 303
    kept: datetime = await db.fetch_val("SELECT starts_at FROM live_event")
    assert kept.isoformat() == f"{day}T12:00:00+00:00"
    for wrong in ("", "tomorrow", "2020-01-01T10:00", "2999-01-01T10:00"):
        refused = await submit(browser, "/live/new", {"title": "Never", "starts_at": wrong})
        assert refused.status_code == 422 and "Never" in refused.text, wrong


async def test_an_event_goes_into_a_calendar(web: Browser):
    ines = await a_member("ines")
    new = NewLive("Grinders; a, b \\ c", clock.now() + timedelta(hours=1), summary="One\nTwo " + "咖啡" * 60)
    slug = await service.plan(ines.viewer, new)
    answer = await web().get(f"/live/{slug}/event.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines) and lines[-1] == ""
    whole = answer.content.decode().replace("\r\n ", "")
    assert "SUMMARY:Grinders\\; a\\, b \\\\ c\r\n" in whole and "DESCRIPTION:One\\nTwo 咖啡" in whole
    assert f"DTSTART:{new.starts_at:%Y%m%dT%H%M%SZ}" in whole and "STATUS:CONFIRMED" in whole
    await service.cancel(ines.viewer, slug)
    cancelled = (await web().get(f"/live/{slug}/event.ics")).text
    assert "STATUS:CANCELLED" in cancelled and "SEQUENCE:1" in cancelled
    assert slug not in (await web().get("/live/calendar.ics")).text


# --- the replay and the guide ---


async def test_the_replay_counts_from_the_beginning_and_can_be_entered_anywhere(web: Browser):
    from community.chat import service as chat

    shop = await a_shop()
    first, second = await a_product(shop), await a_product(shop, "SKU-2", title="Hand grinder")
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines, begun=False)
    event = await the_event(slug, ines.viewer)
    await chat.send(bob.viewer, event["room_id"], uuid.uuid4(), "Too early?")
    await pins.pin(ines.viewer, slug, NewPin(first))
    await service.begin(ines.viewer, slug)
    clock.travel(timedelta(seconds=60))
    await chat.send(bob.viewer, event["room_id"], uuid.uuid4(), "Good evening")
    clock.travel(timedelta(seconds=60))
    await pins.pin(ines.viewer, slug, NewPin(second))
    clock.travel(timedelta(seconds=604))
    question_id = await a_question(bob, slug, "Does it clog?")
    clock.travel(timedelta(seconds=30))
    await questions.mark_answered(ines.viewer, slug, question_id)
    await segments.write(ines.viewer, slug, NewSegment("Hello all", 5))
    await service.end(ines.viewer, slug)
    await chat.send(bob.viewer, event["room_id"], uuid.uuid4(), "Too late")
    event = await the_event(slug, bob.viewer)
    marks = (await replay.replay_of(event, cursor=None)).items
    kinds = [(mark["kind"], mark["offset"]) for mark in marks]
    assert kinds == [("said", 5), ("message", 60), ("pin", 120), ("question", 724), ("answer", 754)]
    later = [mark["kind"] for mark in (await replay.replay_of(event, cursor=None, since=700)).items]
    assert later == ["question", "answer"]
    contents = [(mark["kind"], mark["offset"]) for mark in await replay.marks_of(event)]
    assert contents == [("pin", 0), ("pin", 120), ("answer", 754)]
    page = (await web().get(f"/live/{slug}/replay?from=700")).text
    assert "12:04" in page and "Does it clog?" in page and "Good evening" not in page
    assert "Too late" not in page + (await web().get(f"/live/{slug}/replay")).text


async def test_a_long_replay_comes_in_stretches_with_the_transcript_in_between(house):
    from community.chat import service as chat

    ines = await a_member("ines")
    slug = await a_live(ines)
    event = await the_event(slug, ines.viewer)
    for n in range(7):
        clock.travel(timedelta(seconds=10))
        await chat.send(ines.viewer, event["room_id"], uuid.uuid4(), f"line {n}")
        await segments.write(ines.viewer, slug, NewSegment(f"words {n}"))
    clock.travel(timedelta(seconds=10))
    await segments.write(ines.viewer, slug, NewSegment("the end"))
    await service.end(ines.viewer, slug)
    event = await the_event(slug, ines.viewer)
    seen: list[str] = []
    cursor = None
    while True:
        part = await replay.replay_of(event, cursor=cursor, limit=3)
        assert len(part.items) <= 3
        seen += [mark["body"] for mark in part.items]
        cursor = part.next
        if cursor is None:
            break
    assert seen == [words for n in range(7) for words in (f"words {n}", f"line {n}")] + ["the end"]


async def test_chosen_words_become_a_draft_guide_with_the_products_of_their_moment(web: Browser):
    shop = await a_shop()
    first, second = await a_product(shop), await a_product(shop, "SKU-2", title="Hand grinder")
    ines, bob = await a_member("ines"), await a_member("bob")
    slug = await a_live(ines)
    await segments.write(ines.viewer, slug, NewSegment("Welcome.", 0))
    clock.travel(timedelta(seconds=60))
    pin_id = await pins.pin(ines.viewer, slug, NewPin(first, "The one I kept"))
    clock.travel(timedelta(seconds=10))
    await segments.write(ines.viewer, slug, NewSegment("This one stays dry."))
    clock.travel(timedelta(seconds=5))
    await pins.unpin(ines.viewer, slug, pin_id)
    await pins.pin(ines.viewer, slug, NewPin(second))
    clock.travel(timedelta(seconds=45))
    await segments.write(ines.viewer, slug, NewSegment("And this one grinds."))
    await segments.write(ines.viewer, slug, NewSegment("Off the record."))
    await service.end(ines.viewer, slug)
    browser = await sign_in(web(), ines)
    chosen = [row["id"] for row in await db.fetch("SELECT id FROM live_segment ORDER BY id LIMIT 3")]
    made = await submit(browser, f"/live/{slug}/guide", {"segment": chosen}, page=f"/live/{slug}/desk")
    assert made.status_code == 303 and made.headers["location"].startswith("/guides/new?draft=")
    draft = await db.fetch_one("SELECT * FROM guide_draft")
    assert draft["made_from"] == f"/live/{slug}/replay" and draft["author_id"] == ines.id
    assert draft["source"] == (
        f"Welcome. ([0:00](/live/{slug}/replay?from=0))\n\n"
        f"[[product:{first}]]\nThe one I kept\n\n"
        f"This one stays dry. ([1:10](/live/{slug}/replay?from=70))\n\n"
        f"[[product:{second}]]\n\n"
        f"And this one grinds. ([2:00](/live/{slug}/replay?from=120))"
    )
    form = (await browser.get(made.headers["location"])).text
    assert "Made from what was said live" in form
    shown = {"title": "Two that last", "source": draft["source"], "lang": "en", "draft": str(draft["id"])}
    published = await submit(browser, "/guides/new", shown)
    assert published.headers["location"] == "/guides/two-that-last"
    guide = (await web().get("/guides/two-that-last")).text
    assert "Trail pack" in guide and "Hand grinder" in guide and f"/live/{slug}/replay?from=120" in guide
    assert await db.fetch_val("SELECT count(*) FROM guide_draft") == 0
    his = await sign_in(web(), bob)
    assert (await submit(his, f"/live/{slug}/guide", {"segment": chosen}, page=f"/live/{slug}")).status_code == 403


async def test_an_event_is_found_by_its_title_and_by_what_was_said_in_it(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    group = await a_group(ines, visibility="secret")
    slug, hidden = await a_live(ines), await a_live(ines, "Among us", group=group)
    await segments.write(ines.viewer, slug, NewSegment("The quickthorn burr never clogged."))
    await segments.write(ines.viewer, hidden, NewSegment("Nobody else may hear of quickthorn."))
    await run_jobs()

    async def found(person: Person, words: str) -> list[str]:
        hits = (await web(token=person.token).get("/api/v1/search", params={"q": words, "kind": "live"})).json()
        return sorted(hit["url"] for hit in hits["items"])

    assert await found(bob, "moka") == [f"/live/{slug}"] and await found(bob, "quickthorn") == [f"/live/{slug}"]
    assert await found(ines, "quickthorn") == sorted([f"/live/{slug}", f"/live/{hidden}"])
    assert "Moka night" in (await web().get("/search?q=quickthorn")).text
    await service.end(ines.viewer, slug)
    planned = await a_live(ines, "Quickthorn again", begun=False)
    await service.cancel(ines.viewer, planned)
    await run_jobs()
    assert await found(bob, "quickthorn") == [f"/live/{slug}/replay"]


VTT = """WEBVTT

NOTE made by a machine

1
00:00:01.000 --> 00:00:04.000
<v Ines>Good evening &amp; welcome

00:00:04.500 --> 00:00:07.000 align:start
to the <i>moka</i> night.

00:01:10.000 --> 00:01:12.000
This one stays dry.
"""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (VTT, [(1, "Good evening & welcome to the moka night."), (70, "This one stays dry.")]),
        ("1\n00:00:02,500 --> 00:00:03,000\nOne\n\n2\n01:00:00,000 --> 01:00:01,000\nTwo", [(2, "One"), (3600, "Two")]),
        ("[12:04] Later\nand more\n0:05 – First", [(5, "First"), (724, "Later and more")]),
        ("no times at all", []),
        ("", []),
    ],
)
def test_subtitles_are_read_as_people_have_them(text: str, lines: list):
    assert lines_of(text) == lines


def test_a_clock_is_written_as_people_read_it():
    assert [clock_of(n) for n in (0, 59, 724, 3661)] == ["0:00", "0:59", "12:04", "1:01:01"]


async def test_subtitles_take_the_place_of_what_was_typed(house):
    ines = await a_member("ines")
    slug = await a_live(ines)
    await segments.write(ines.viewer, slug, NewSegment("typed"))
    with pytest.raises(Conflict):
        await segments.take_transcript(ines.viewer, slug, VTT)
    clock.travel(timedelta(minutes=5))
    await service.end(ines.viewer, slug)
    with pytest.raises(Invalid):
        await segments.take_transcript(ines.viewer, slug, "nothing with a time")
    assert (
        await segments.take_transcript(ines.viewer, slug, VTT + "\n\n09:00:00.000 --> 09:00:01.000\nafter the end") == 2
    )
    rows = await db.fetch("SELECT offset_seconds, body FROM live_segment ORDER BY offset_seconds")
    assert [tuple(row) for row in rows] == [
        (1, "Good evening & welcome to the moka night."),
        (70, "This one stays dry."),
    ]
    with pytest.raises(Invalid):
        await segments.write(ines.viewer, slug, NewSegment("too late", 400))


async def test_a_page_costs_the_same_however_much_is_on_the_table(web: Browser):
    shop: Shop = await a_shop()
    ines = await a_member("ines")
    slug = await a_live(ines)
    browser = await sign_in(web(), ines)

    async def cost(path: str) -> int:
        with watch_queries() as queries:
            assert (await browser.get(path)).status_code == 200
        return len(queries)

    places = (f"/live/{slug}", f"/live/{slug}/stage", f"/live/{slug}/desk", f"/live/{slug}/replay", "/live/")
    before = [await cost(place) for place in places]
    for n in range(5):
        await pins.pin(ines.viewer, slug, NewPin(await a_product(shop, f"SKU-{n}", title=f"Thing {n}")))
        await a_question(ines, slug, f"Question {n}?")
        await segments.write(ines.viewer, slug, NewSegment(f"Words {n}"))
        await a_live(ines, f"Another {n}")
    assert [await cost(place) for place in places] == before
