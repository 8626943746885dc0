"""Who is called by a message: once, only readers, never who muted the room."""

from collections.abc import Callable

import pytest

from app import db
from community.chat import reads, service
from community.groups import service as groups
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import Browser, Person, a_member, run_jobs, sign_in

pytestmark = pytest.mark.anyio


async def bells(person: Person) -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT kind, data ->> 'excerpt' AS said FROM notification WHERE member_id = $1", person.id)
    return [(row["kind"], row["said"]) for row in rows]


async def named_at(person: Person, room: str) -> list[int]:
    return (
        await db.fetch_val(
            "SELECT mentioned FROM read_pointer WHERE member_id = $1 AND room_id = $2", person.id, int(room)
        )
        or []
    )


async def test_whoever_is_named_or_answered_hears_of_it_once(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    first = await said(bob, room, "Which beans?")
    await said(alice, room, "The new ones, @Carol and @bob and @alice and @nobody", first)
    await run_jobs()
    assert await bells(bob) == [("reply", "The new ones, @Carol and @bob and @alice and @nobody")]
    assert [kind for kind, _said in await bells(carol)] == ["mention"] and await bells(alice) == []
    assert len(await named_at(carol, room)) == 1 and await named_at(alice, room) == []
    address = await db.fetch_val("SELECT url FROM notification WHERE member_id = $1", carol.id)
    shown = await (await sign_in(web(), carol)).get(address)
    assert shown.status_code == 200 and '<a href="/@carol"' in shown.text
    await reads.flush()
    assert await named_at(carol, room) == []


async def test_an_edit_calls_only_those_it_newly_names_and_lets_go_whom_it_no_longer_names(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    words = await said(alice, room, "Hello @bob")
    await run_jobs()
    await service.edit(alice.viewer, int(room), words, "Hello @carol and @bob")
    await run_jobs()
    assert [len(await bells(one)) for one in (bob, carol)] == [1, 1]
    await service.edit(alice.viewer, int(room), words, "Hello @carol")
    await run_jobs()
    assert [len(await named_at(one, room)) for one in (bob, carol)] == [0, 1]
    await service.delete(alice.viewer, int(room), words)
    assert await named_at(carol, room) == []


async def test_only_those_who_run_a_room_call_everybody(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    await said(bob, room, "@room look")
    await run_jobs()
    assert [await bells(one) for one in (alice, carol)] == [[], []]
    await said(alice, room, "@room the shop is open")
    await run_jobs()
    assert [[kind for kind, _ in await bells(one)] for one in (alice, bob, carol)] == [[], ["mention"], ["mention"]]
    html = await db.fetch_val("SELECT html FROM message ORDER BY id DESC LIMIT 1")
    assert html == '<p><strong class="called">@room</strong> the shop is open</p>'


async def test_nobody_hears_of_a_room_they_may_not_read_or_muted_or_have_read(house: Callable):
    alice, bob, carol, dora = [await a_member(name) for name in ("alice", "bob", "carol", "dora")]
    slug, room = await a_room(alice, bob, dora, visibility="secret")
    await reads.mute(int(room), bob.id, reads.FOR_EVER)
    await said(alice, room, "@bob @carol @dora the secret")
    reads.note(int(room), dora.id, 10_000)
    await reads.flush()
    await run_jobs()
    assert [await bells(one) for one in (bob, carol, dora)] == [[], [], []]
    assert await named_at(carol, room) == [] and len(await named_at(bob, room)) == 1
    await groups.leave(bob.viewer, slug)
    await said(alice, room, "@bob again")
    await run_jobs()
    assert len(await named_at(bob, room)) == 1, "who left is not called any more"


async def test_a_name_in_code_calls_nobody_and_words_stay_words(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await said(alice, room, "`@bob` and mail@bob.example")
    await run_jobs()
    assert await bells(bob) == []


async def test_bells_follow_what_they_quote(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    first = await said(bob, room, "Which beans?")
    words = await said(alice, room, "The password is tulip", first)
    await run_jobs()
    await service.edit(alice.viewer, int(room), words, "The usual ones")
    await run_jobs()
    assert await bells(bob) == [("reply", "The usual ones")]
    await service.delete(alice.viewer, int(room), words)
    assert await bells(bob) == [("reply", "")]


async def test_a_job_that_was_cut_off_after_counting_rings_when_it_runs_again(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "@bob")
    await db.execute("INSERT INTO message_mention (message_id, member_id) VALUES ($1, $2)", words, bob.id)
    await run_jobs()
    assert len(await bells(bob)) == 1
