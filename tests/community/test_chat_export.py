"""A room's history as files, for those who run it."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from community.chat import exports, reactions, service
from community.groups import service as groups
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import Browser, a_member, run_jobs, sign_in, submit

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
