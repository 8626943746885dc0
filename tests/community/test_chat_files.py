"""Pictures and files in rooms: who may bring what, and who gets it."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from app.errors import NotFound
from community.chat import files, service
from community.groups import service as groups
from community.media import storage
from tests.community.test_chat import a_line, a_room
from tests.community.test_media import a_picture
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


async def bring(
    web: Browser, person: Person, room: str, name: str = "beans.png", content: bytes | None = None
) -> httpx.Response:
    content = a_picture() if content is None else content
    return await web(token=person.token).post(f"/api/v1/rooms/{room}/files", files={"file": (name, content)})


async def send(web: Browser, person: Person, room: str, *file_ids: str, body: str = "") -> httpx.Response:
    new = {"client_id": str(uuid.uuid4()), "body": body, "files": list(file_ids)}
    return await web(token=person.token).post(f"/api/v1/rooms/{room}/messages", json=new)


async def test_a_message_may_be_of_pictures_alone(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    his = await a_line(house, bob)
    await his.hello(room)
    one, two = [(await bring(web, alice, room, name)).json() for name in ("one.png", "two.png")]
    sent = await send(web, alice, room, two["id"], one["id"])
    assert sent.status_code == 201, sent.text
    [event] = await his.events(1)
    assert [file["name"] for file in event["files"]] == ["two.png", "one.png"] and not event.get("body")
    assert event["files"][0]["width"] and event["files"][0]["url"] == f"/chat/{room}/files/{two['id']}"
    assert "gone" not in event
    shown = await (await sign_in(web(), bob)).get(event["files"][0]["url"])
    assert shown.headers["content-type"] == "image/webp" and shown.headers["content-disposition"].startswith("inline")
    small = await (await sign_in(web(), bob)).get(event["files"][0]["small_url"])
    assert small.status_code == 200 and len(small.content) <= len(shown.content)
    assert (await send(web, alice, room)).status_code == 422, "nothing at all is not a message"


async def test_without_javascript_words_and_files_come_in_one_form(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    browser, client_id = await sign_in(web(), alice), str(uuid.uuid4())
    for _twice in range(2):
        answer = await submit(
            browser,
            f"/chat/{room}/messages",
            {"client_id": client_id, "body": "The menu"},
            page=f"/chat/{room}",
            files=[("files", ("menu.pdf", PDF)), ("files", ("photo.png", a_picture()))],
        )
        assert answer.status_code == 303, answer.text
    shown = (await browser.get(f"/chat/{room}")).text.split("<template")[0]
    assert shown.count("The menu</p>") == 1 and "menu.pdf" in shown and "size=small" in shown
    assert await db.fetch_val("SELECT count(*) FROM chat_file WHERE message_id IS NULL") == 0


async def test_a_file_is_saved_never_run(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    file = (await bring(web, alice, room, '表格 "1".pdf', PDF)).json()
    answer = await web(token=alice.token).get(f"/api/v1/rooms/{room}/files/{file['id']}")
    assert answer.content == PDF and answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E8%A1%A8")
    assert (
        answer.headers["x-content-type-options"] == "nosniff" and "sandbox" in answer.headers["content-security-policy"]
    )
    for name, content in (
        ("run.exe", b"MZ\x90"),
        ("page.html", b"<script>alert(1)</script>"),
        ("drawing.svg", b"<svg onload=alert(1)>"),
        ("menu.pdf", b"<script>alert(1)</script>"),
        ("notes.txt", b"text\x00binary"),
        ("empty.txt", b""),
        ("photo.png", b"not a picture"),
    ):
        refused = await bring(web, alice, room, name, content)
        assert refused.status_code == 422, (name, refused.text)
    too_large = await bring(web, alice, room, "big.txt", b"x" * (files.MOST_BYTES + 1))
    assert too_large.status_code == 413


async def test_only_who_may_read_the_room_now_gets_the_file(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    moderator = await a_member("mod", role="moderator")
    slug, room = await a_room(alice, bob, visibility="secret")
    _other, elsewhere = await a_room(carol)
    file = (await bring(web, alice, room, "plan.pdf", PDF)).json()
    address = f"/api/v1/rooms/{room}/files/{file['id']}"
    assert (await web(token=bob.token).get(address)).status_code == 404, "not sent yet"
    sent = (await send(web, alice, room, file["id"])).json()
    assert (await web(token=bob.token).get(address)).status_code == 200
    bobs = await sign_in(web(), bob)
    kept = await bobs.get(file["url"])
    again = {"If-None-Match": kept.headers["etag"]}
    assert kept.headers["cache-control"] == "private, no-cache"
    assert (await bobs.get(file["url"], headers=again)).status_code == 304
    for other in (web(token=carol.token), web(token=moderator.token), web()):
        assert (await other.get(address)).status_code == 404
    assert (await web(token=carol.token).get(f"/api/v1/rooms/{elsewhere}/files/{file['id']}")).status_code == 404
    key = await db.fetch_val("SELECT key FROM chat_file WHERE id = $1", int(file["id"]))
    assert (await web(token=alice.token).get(f"/media/{key}")).status_code == 404, "the storage has no door of its own"
    await groups.leave(bob.viewer, slug)
    assert (await web(token=bob.token).get(address)).status_code == 404
    assert (await bobs.get(file["url"], headers=again)).status_code == 404, (
        "what a browser kept may not be shown either"
    )
    await service.delete(alice.viewer, int(room), int(sent["id"]))
    await run_jobs()
    assert (await web(token=alice.token).get(address)).status_code == 404
    with pytest.raises(NotFound):
        await storage.get(key)


async def test_what_moderators_withheld_is_handed_to_nobody(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    file = (await bring(web, alice, room)).json()
    sent = (await send(web, alice, room, file["id"])).json()
    case = await db.fetch_val(
        """INSERT INTO moderation_case (subject_kind, subject_id, url, excerpt, opened_at, state)
           VALUES ('message', $1, '/', '', now(), 'hidden') RETURNING id""",
        int(sent["id"]),
    )
    await db.execute(
        """INSERT INTO hiding (subject_kind, subject_id, case_id, by_id, reason, created_at)
           VALUES ('message', $1, $2, $3, 'spam', now())""",
        int(sent["id"]),
        case,
        alice.id,
    )
    assert (await web(token=bob.token).get(f"/api/v1/rooms/{room}/files/{file['id']}")).status_code == 404
    listed = (await web(token=bob.token).get(f"/api/v1/rooms/{room}/messages")).json()["items"]
    assert listed[-1]["gone"] is True and "files" not in listed[-1]


async def test_nobody_sends_another_ones_file_nor_one_twice(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    _slug, other = await a_room(alice)
    file = (await bring(web, alice, room)).json()
    assert (await send(web, bob, room, file["id"])).status_code == 422
    assert (await send(web, alice, other, file["id"])).status_code == 422
    answers = await asyncio.gather(*(send(web, alice, room, file["id"]) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422]
    seqs = [row["seq"] for row in await db.fetch("SELECT seq FROM room_event WHERE room_id = $1 ORDER BY 1", int(room))]
    assert seqs == list(range(1, len(seqs) + 1)), "a refusal leaves no hole"


async def test_the_same_client_id_with_the_same_files_says_it_once(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    file = (await bring(web, alice, room)).json()
    new = {"client_id": str(uuid.uuid4()), "files": [file["id"]]}
    door = web(token=alice.token)
    first = await door.post(f"/api/v1/rooms/{room}/messages", json=new)
    again = await door.post(f"/api/v1/rooms/{room}/messages", json=new)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    other = await door.post(f"/api/v1/rooms/{room}/messages", json={**new, "files": [], "body": "x"})
    assert other.status_code == 409


async def test_what_was_brought_in_and_never_sent_goes_after_a_day(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    _waiting, sent = [(await bring(web, alice, room)).json() for _ in range(2)]
    await send(web, alice, room, sent["id"])
    clock.travel(timedelta(hours=23))
    assert await files.forget_waiting() == 0
    clock.travel(timedelta(hours=2))
    assert await files.forget_waiting() == 1
    assert (await web(token=alice.token).get(f"/api/v1/rooms/{room}/files/{sent['id']}")).status_code == 200
    withdrawn = (await bring(web, alice, room)).json()
    door = f"/api/v1/rooms/{room}/files/{withdrawn['id']}"
    assert (await web(token=alice.token).delete(door)).status_code == 204
    assert (await web(token=alice.token).get(door)).status_code == 404
    assert (await web(token=alice.token).delete(f"/api/v1/rooms/{room}/files/{sent['id']}")).status_code == 404


async def test_who_may_not_write_brings_nothing(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice)
    assert (await bring(web, bob, room)).status_code == 403
    assert (await bring(web, bob, "999999")).status_code == 404
    assert (await web().post(f"/api/v1/rooms/{room}/files", files={"file": ("a.png", a_picture())})).status_code == 401


async def test_one_member_does_not_fill_the_house(web: Browser, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    monkeypatch.setattr(files, "MOST_A_DAY", 100)
    assert (await bring(web, alice, room, "a.txt", b"x" * 90_000)).status_code == 201
    full = await bring(web, alice, room, "b.txt", b"x" * 90_000)
    assert full.status_code == 429 and int(full.headers["retry-after"]) > 0
    monkeypatch.setattr(files, "MOST_AN_HOUR", 1)
    assert (await bring(web, alice, room, "c.txt", b"x")).status_code == 429
