"""A room's history as files, for those who run it."""

import io
import itertools
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import NotFound
from app.people import erase
from community.chat import exports, reactions, service
from community.groups import service as groups
from community.media import storage
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def test_who_runs_a_room_takes_its_history_along(web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "AT_ONCE", 3)
    alice, bob = await a_member("alice"), await a_member("bob", name="<b>Bob</b>")
    _slug, room = await a_room(alice, bob)
    words = [await said(bob, room, f"line {n} & <i>") for n in range(10)]
    await reactions.react(alice.viewer, int(room), words[0], "🎉")
    await service.delete(bob.viewer, int(room), words[1])
    browser = await sign_in(web(), alice)
    assert (await submit(browser, f"/chat/{room}/exports", {}, page=f"/chat/{room}/exports")).status_code == 303
    assert "0 of 13 events" in (await browser.get(f"/chat/{room}/exports")).text
    await said(bob, room, "after it was asked for")
    await run_jobs()
    assert await db.fetch_val("SELECT kind FROM notification WHERE member_id = $1", alice.id) == "room_export"
    shown = (await browser.get(f"/chat/{room}/exports")).text
    export_id = await db.fetch_val("SELECT id FROM room_export")
    assert f"/chat/{room}/exports/{export_id}/file" in shown
    answer = await browser.get(f"/chat/{room}/exports/{export_id}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        lines = [json.loads(line) for line in packed.read("room.jsonl").splitlines()]
        page = packed.read("room.html").decode()
    assert [line["seq"] for line in lines] == list(range(1, 14))
    assert lines[1]["reactions"][0]["emoji"] == "🎉" and lines[2]["gone"] is True
    assert page.count("<article") == 10 and "line 9 &amp; &lt;i&gt;" in page and "&lt;b&gt;Bob&lt;/b&gt;" in page
    assert "line 1 " not in page and "after it was asked for" not in page
    clock.travel(timedelta(days=8))
    assert await exports.forget_old() == 1
    alice_api = web(token=alice.token)
    assert (await alice_api.get(f"/api/v1/rooms/{room}/exports/{export_id}/file")).status_code == 410


async def test_nobody_else_begins_fetches_or_sees_one(web: Browser, house: Callable):
    alice, bob, carol, dora = [await a_member(name) for name in ("alice", "bob", "carol", "dora")]
    slug, room = await a_room(alice, bob, dora, visibility="secret")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", dora.id)
    begun = await web(token=dora.token).post(f"/api/v1/rooms/{room}/exports")
    again = await web(token=alice.token).post(f"/api/v1/rooms/{room}/exports")
    assert begun.status_code == 202 and again.json()["id"] == begun.json()["id"], "one at a time"
    await run_jobs()
    address = f"/api/v1/rooms/{room}/exports/{begun.json()['id']}"
    assert (await web(token=dora.token).get(address)).json()["state"] == "done"
    for person, status in ((bob, 403), (carol, 404)):
        assert (await web(token=person.token).post(f"/api/v1/rooms/{room}/exports")).status_code == status
        for door in (address, f"{address}/file"):
            assert (await web(token=person.token).get(door)).status_code == status
    assert (await web().get(address)).status_code in (401, 404)
    await groups.leave(dora.viewer, slug)
    assert (await web(token=dora.token).get(f"{address}/file")).status_code == 404, "who left fetches nothing"


async def test_one_that_was_cut_off_is_made_again(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await said(alice, room, "one")
    row = await exports.ask(alice.viewer, int(room))
    await db.execute("UPDATE room_export SET state = 'running', done = 1 WHERE id = $1", row["id"])
    await exports.make(row["id"])
    await exports.make(row["id"])
    assert await db.fetch_val("SELECT state FROM room_export WHERE id = $1", row["id"]) == "done"
    assert await db.fetch_val("SELECT count(*) FROM notification") == 1


# --- what the room no longer says, no file says on ---


async def made(web: Browser, person: Person, room: str) -> str:
    """An export that is done; its address."""
    begun = await web(token=person.token).post(f"/api/v1/rooms/{room}/exports")
    assert begun.status_code == 202, begun.text
    await run_jobs()
    address = f"/api/v1/rooms/{room}/exports/{begun.json()['id']}"
    assert (await web(token=person.token).get(address)).json()["state"] == "done"
    return address


async def words_in(web: Browser, person: Person, address: str) -> str:
    answer = await web(token=person.token).get(f"{address}/file")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return (packed.read("room.jsonl") + packed.read("room.html")).decode()


async def withhold(moderator: Person, message_id: int) -> None:
    case = await db.fetch_val(
        """INSERT INTO moderation_case (subject_kind, subject_id, url, excerpt, opened_at, state, reason)
           VALUES ('message', $1, '', '', now(), 'hidden', '') RETURNING id""",
        message_id,
    )
    await db.execute(
        """INSERT INTO hiding (subject_kind, subject_id, case_id, by_id, reason, created_at)
           VALUES ('message', $1, $2, $3, 'rude', now())""",
        message_id,
        case,
        moderator.id,
    )
    await service.tell_again(message_id)


@pytest.mark.parametrize("deed", ["edit", "delete", "hide", "erase"])
async def test_words_that_are_taken_back_are_in_no_export_any_more(web: Browser, deed: str):
    alice, bob = await a_member("alice"), await a_member("bob-secret")
    _slug, room = await a_room(alice, bob)
    words = await said(bob, room, "my number is 555-0199")
    await said(alice, room, "Good morning")
    address = await made(web, alice, room)
    assert "555-0199" in await words_in(web, alice, address)
    key = await db.fetch_val("SELECT key FROM room_export")
    if deed == "edit":
        await service.edit(bob.viewer, int(room), words, "no numbers here")
    elif deed == "delete":
        await service.delete(bob.viewer, int(room), words)
    elif deed == "hide":
        await withhold(alice, words)
    else:
        await erase("bob-secret")
    await run_jobs()
    gone = await web(token=alice.token).get(f"{address}/file")
    assert gone.status_code == 410 and "555-0199" not in gone.text
    assert (await web(token=alice.token).get(address)).json()["state"] == "stale"
    with pytest.raises(NotFound):
        await storage.get(key)
    browser = await sign_in(web(), alice)
    shown = await submit(browser, f"/chat/{room}/exports", {}, page=f"/chat/{room}/exports")
    assert shown.status_code == 303
    await run_jobs()
    anew = await db.fetch_val("SELECT max(id) FROM room_export")
    made_anew = await words_in(web, alice, f"/api/v1/rooms/{room}/exports/{anew}")
    assert "Good morning" in made_anew
    assert ("bob-secret" if deed == "erase" else "555-0199") not in made_anew


async def test_what_came_after_an_export_may_change_without_it(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await said(alice, room, "Kept")
    address = await made(web, alice, room)
    later = await said(alice, room, "Later")
    await service.edit(alice.viewer, int(room), later, "Later still")
    first = await db.fetch_val("SELECT min(id) FROM message")
    await reactions.react(alice.viewer, int(room), first, "🎉")
    assert "Kept" in await words_in(web, alice, address)


async def test_what_is_taken_back_while_an_export_is_written_is_not_in_it(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(bob, room, "my number is 555-0199")
    puts, put = [], storage.put

    async def late(key: str, content: object) -> None:
        await put(key, content)
        puts.append(key)
        if len(puts) == 1:
            await service.delete(bob.viewer, int(room), words)

    monkeypatch.setattr(storage, "put", late)
    address = await made(web, alice, room)
    assert "555-0199" not in await words_in(web, alice, address)
    assert len(puts) == 2, "written again"
    with pytest.raises(NotFound):
        await storage.get(puts[0])


async def test_a_room_that_changes_all_the_time_is_given_up(web: Browser, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    words, put, n = await said(alice, room, "0"), storage.put, itertools.count(1)

    async def late(key: str, content: object) -> None:
        await put(key, content)
        await service.edit(alice.viewer, int(room), words, str(next(n)))

    monkeypatch.setattr(storage, "put", late)
    row = await exports.ask(alice.viewer, int(room))
    await exports.make(row["id"])
    assert await db.fetch_val("SELECT state FROM room_export") == "failed"
    assert await db.fetch_val("SELECT count(*) FROM notification") == 0


async def test_who_runs_the_room_no_longer_fetches_what_they_asked_for(web: Browser):
    alice, dora = await a_member("alice"), await a_member("dora")
    _slug, room = await a_room(alice, dora, visibility="secret")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", dora.id)
    await said(alice, room, "Between us")
    address = await made(web, dora, room)
    page = await sign_in(web(), dora)
    for change, status in (("role = 'member'", 403), ("state = 'pending', role = 'moderator'", 404)):
        await db.execute(f"UPDATE membership SET {change} WHERE member_id = $1", dora.id)
        assert (await web(token=dora.token).get(f"{address}/file")).status_code == status
        export_id = address.rpartition("/")[2]
        assert (await page.get(f"/chat/{room}/exports/{export_id}/file")).status_code == status
