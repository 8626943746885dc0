"""A bot speaks in one room, signed, once for each message; it reads nothing, and is a bot wherever it is seen."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from app import clock, db
from tests.community.test_media import a_picture
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio
API = "/api/v1"


class Bot(msgspec.Struct):
    id: str
    door: str
    secret: str
    room: str


async def a_bot(web: Browser, owner: Person, slug: str, name: str = "Roastery") -> Bot:
    made = await web(token=owner.token).post(f"{API}/groups/{slug}/bots", json={"name": name})
    assert made.status_code == 201, made.text
    bot = made.json()["bot"]
    await run_jobs()
    return Bot(bot["id"], bot["url"].removeprefix("http://test.example"), made.json()["secret"], bot["room_id"])


async def say(
    web: Browser, bot: Bot, text: Any, *, id: str = "msg_1", secret: str = "", at: datetime | None = None
) -> httpx.Response:
    """As the official library signs it."""
    body = json.dumps({"text": text}).encode()
    return await web().post(bot.door, content=body, headers=signed_by(secret or bot.secret, id, body, at))


def signed_by(secret: str, id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body.decode()),
    }


async def messages(web: Browser, reader: Person, room: str) -> list[dict[str, Any]]:
    return (await web(token=reader.token).get(f"{API}/rooms/{room}/messages")).json()["items"]


async def test_a_bot_speaks_and_everybody_sees_that_it_is_one(web: Browser):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    said = await say(web, bot, "The **Yirgacheffe** is out.")
    assert said.status_code == 201 and said.json()["seq"] > 0
    (message,) = await messages(web, bob, bot.room)
    assert message["author"]["name"] == "Roastery" and message["author"]["bot"] is True
    assert "<strong>Yirgacheffe</strong>" in message["html"]
    await say(web, bot, "Plain words", id="msg_2")
    shown = (await (await sign_in(web(), alice)).get(f"/chat/{bot.room}")).text
    line = shown[shown.index("Yirgacheffe") - 2000 : shown.index("Yirgacheffe")]
    assert re.search(r'class="chip[^>]*>\s*Bot', line), "it is labelled"
    assert "/@bot-" not in shown, "it has no page to go to"


async def test_the_same_message_is_said_once_and_other_words_under_its_id_are_refused(web: Browser):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    first, again = await asyncio.gather(say(web, bot, "Once"), say(web, bot, "Once"))
    assert {first.status_code, again.status_code} == {200, 201} and first.json() == again.json()
    other = await say(web, bot, "Twice")
    assert other.status_code == 409 and other.json()["type"].endswith("/same-id-other-body")
    assert [one["body"] for one in await messages(web, alice, bot.room)] == ["Once"]
    # Another bot's ids are its own.
    other_bot = await a_bot(web, alice, await a_group(alice))
    assert (await say(web, other_bot, "Twice")).status_code == 201


async def test_only_what_its_secret_signed_just_now_is_heard(web: Browser):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    stranger = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    now = datetime.now(UTC)
    assert (await say(web, bot, "x", secret=stranger)).status_code == 401
    assert (await say(web, bot, "x", at=now - timedelta(minutes=6))).status_code == 401
    assert (await say(web, bot, "x", at=now + timedelta(minutes=6))).status_code == 401
    body = b'{"text": "x"}'
    assert (await web().post(bot.door, content=body)).status_code == 401
    headers = signed_by(bot.secret, "msg_9", body)
    assert (await web().post(bot.door, content=body + b" ", headers=headers)).status_code == 401
    assert (await web().post("/hooks/rooms/k7m2p9xw4bqd", content=body, headers=headers)).status_code == 404
    assert (await web().post("/hooks/rooms/%00", content=body, headers=headers)).status_code == 404
    assert await messages(web, alice, bot.room) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text": ""}', 422),
        (b'{"text": "   "}', 422),
        (b"{}", 422),
        (b'{"text": 5}', 422),
        (b'{"text": "' + b"x" * 4001 + b'"}', 422),
        (b'{"text": "x", "username": "somebody else"}', 201),
        (b"[]", 400),
        (b"\xc3\x28", 400),
        (b'{"text": "' + b"x" * 70_000 + b'"}', 413),
    ],
    ids=range(9),
)
async def test_odd_bodies_are_refused_in_words(web: Browser, body: bytes, status: int):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    at = datetime.now(UTC)
    try:
        headers = signed_by(bot.secret, "msg_1", body, at)
    except UnicodeDecodeError:
        headers = signed_by(bot.secret, "msg_1", b"", at)
        status = 401
    assert (await web().post(bot.door, content=body, headers=headers)).status_code == status


async def test_a_new_secret_takes_over_while_the_old_one_is_still_taken_for_a_day(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    door = f"{API}/groups/{slug}/bots/{bot.id}/secret"
    fresh = (await web(token=alice.token).post(door, json={})).json()["secret"]
    assert (await say(web, bot, "old", id="a")).status_code == 201
    assert (await say(web, bot, "new", id="b", secret=fresh)).status_code == 201
    clock.travel(timedelta(days=1, seconds=1))
    assert (await say(web, bot, "old", id="c")).status_code == 401
    assert (await say(web, bot, "new", id="d", secret=fresh)).status_code == 201
    leaked = (await web(token=alice.token).post(door, json={"keep_old": False})).json()
    assert leaked["old_until"] is None
    assert (await say(web, bot, "new", id="e", secret=fresh)).status_code == 401
    assert (await say(web, bot, "newest", id="f", secret=leaked["secret"])).status_code == 201
    kept = " ".join([row["secret"] + row["old_secret"] for row in await db.fetch("SELECT * FROM bot")])
    assert fresh not in kept and leaked["secret"] not in kept, "a copy of the database speaks for nobody"


async def test_a_revoked_bot_is_told_so_and_its_words_stay(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    await say(web, bot, "Before")
    gone = await web(token=alice.token).delete(f"{API}/groups/{slug}/bots/{bot.id}")
    assert gone.status_code == 204
    await run_jobs()
    assert (await say(web, bot, "After", id="msg_2")).status_code == 410
    assert [one["body"] for one in await messages(web, alice, bot.room)] == ["Before"]
    assert (await web(token=alice.token).delete(f"{API}/groups/{slug}/bots/{bot.id}")).status_code == 404
    kinds = await db.fetch("SELECT kind FROM room_event WHERE room_id = $1 ORDER BY seq", int(bot.room))
    assert [row["kind"] for row in kinds] == ["join", "message", "leave"], "the room saw it come and go"


async def test_only_those_who_run_the_group_make_and_see_its_bots(web: Browser):
    alice, bob, charlie = await a_member("alice"), await a_member("bob"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    bot = await a_bot(web, alice, slug)
    other = await a_group(bob)
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT id, $2, 'member', 'active', now() FROM groups WHERE slug = $1""",
        slug,
        bob.id,
    )
    for person, status in ((bob, 403), (charlie, 404), (None, 401)):
        client = web(token=person.token) if person else web()
        for method, path, body in (
            ("GET", "", None),
            ("POST", "", {"name": "Mine"}),
            ("PUT", f"/{bot.id}", {"name": "Mine"}),
            ("POST", f"/{bot.id}/secret", {}),
            ("DELETE", f"/{bot.id}", None),
        ):
            answer = await client.request(method, f"{API}/groups/{slug}/bots{path}", json=body)
            assert answer.status_code == status, (person, method, path, answer.text)
    # Bob runs a group of his own: Alice's bot is not to be reached through it.
    assert (await web(token=bob.token).delete(f"{API}/groups/{other}/bots/{bot.id}")).status_code == 404
    assert (await say(web, bot, "Still here")).status_code == 201


async def test_a_bot_is_nobody_to_sign_in_as_or_to_look_up(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    handle, email = await db.fetch_one("SELECT handle, email FROM member WHERE kind = 'bot'")
    for login in (handle, email):
        for password in ("", bot.secret, "correct horse battery"):
            answer = await web().post(f"{API}/tokens", json={"login": login, "password": password})
            assert answer.status_code in (401, 403, 422), answer.text
    assert (await web().get(f"/@{handle}")).status_code == 404
    assert (await web(token=bot.secret).get(f"{API}/rooms/{bot.room}/messages")).status_code == 401
    assert (await web().get(bot.door)).status_code in (404, 405), "nothing is read there"
    assert (await web(token=alice.token).get(f"{API}/groups/{slug}")).json()["member_count"] == 1, "people only"


async def test_what_holds_for_members_holds_for_bots(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    said = (await say(web, bot, "Take me back")).json()["id"]
    assert (await web(token=alice.token).delete(f"{API}/rooms/{bot.room}/messages/{said}")).status_code == 204
    assert [one["body"] for one in await messages(web, alice, bot.room) if one.get("body")] == []
    await db.execute("UPDATE room SET frozen_at = now() WHERE id = $1", int(bot.room))
    frozen = await say(web, bot, "Into the ice", id="msg_2")
    assert frozen.status_code == 403, frozen.text
    assert (await say(web, bot, "Take me back")).status_code == 200, "what was said before was said"
    await db.execute("UPDATE room SET frozen_at = NULL, slow_seconds = 60 WHERE id = $1", int(bot.room))
    assert (await say(web, bot, "One", id="msg_3")).status_code == 201
    slow = await say(web, bot, "Two", id="msg_4")
    assert slow.status_code == 429 and int(slow.headers["retry-after"]) <= 60


async def test_a_chatty_bot_is_slowed_down_and_a_forger_does_not_silence_it(web: Browser):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    forged = [await say(web, bot, "x", id=f"f{n}", secret="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD") for n in range(62)]
    assert {one.status_code for one in forged} == {401, 429}
    answers = [await say(web, bot, f"{n}", id=f"m{n}") for n in range(61)]
    assert [one.status_code for one in answers[:60]] == [201] * 60
    assert answers[60].status_code == 429 and int(answers[60].headers["retry-after"]) <= 60


async def test_all_of_it_works_on_a_page_without_javascript(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    browser = await sign_in(web(), alice)
    made = await submit(browser, f"/g/{slug}/bots", {"name": "烘焙房"}, page=f"/g/{slug}/bots")
    assert made.status_code == 200 and made.headers["cache-control"] == "private, no-store"
    secret = re.search(r'value="(whsec_[^"]+)"', made.text)[1]
    bot_id, key = await db.fetch_one("SELECT id, key FROM bot")
    bot = Bot(str(bot_id), f"/hooks/rooms/{key}", secret, "")
    assert (await say(web, bot, "您好")).status_code == 201
    again = await browser.get(f"/g/{slug}/bots")
    assert "烘焙房" in again.text and "whsec_" not in again.text, "the secret is shown once"
    picture = await submit(
        browser,
        f"/g/{slug}/bots/{bot_id}/picture",
        {},
        page=f"/g/{slug}/bots",
        files={"avatar": ("x.png", a_picture())},
    )
    assert picture.status_code == 303
    wrong = await submit(browser, f"/g/{slug}/bots", {"name": " "}, page=f"/g/{slug}/bots")
    assert wrong.status_code == 422 and "whsec_" not in wrong.text
    renewed = await submit(browser, f"/g/{slug}/bots/{bot_id}/secret", {}, page=f"/g/{slug}/bots")
    assert (await say(web, bot, "old", id="b")).status_code == 401, "the box was not ticked: it leaked"
    bot.secret = re.search(r'value="(whsec_[^"]+)"', renewed.text)[1]
    assert (await say(web, bot, "new", id="c")).status_code == 201
    members = (await browser.get(f"/g/{slug}/members")).text
    assert (
        "烘焙房" in members
        and f"/@{(await db.fetch_val('SELECT handle FROM member WHERE kind = $1', 'bot'))}" not in members
    )
    assert (await submit(browser, f"/g/{slug}/bots/{bot_id}/end", {}, page=f"/g/{slug}/bots")).status_code == 303
    assert (await say(web, bot, "gone", id="d")).status_code == 410
    assert (await (await sign_in(web(), bob)).get(f"/g/{slug}/bots")).status_code == 403
    assert (await web().get(f"/g/{slug}/bots")).status_code in (303, 401)


async def test_a_bot_calls_one_member_but_never_the_whole_room(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug = await a_group(alice)
    for person in (bob, carol):
        await web(token=person.token).put(f"{API}/groups/{slug}/membership")
    bot = await a_bot(web, alice, slug)
    await say(web, bot, "@room The build is red")
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification") == 0
    await say(web, bot, "@bob it was yours", id="msg_2")
    await run_jobs()
    told = await db.fetch("SELECT member_id, data ->> 'name' AS name FROM notification")
    assert [(row["member_id"], row["name"]) for row in told] == [(bob.id, "Roastery")]


async def test_its_words_can_be_reported_and_hidden_like_anybodys(web: Browser):
    alice, bob, mod = await a_member("alice"), await a_member("bob"), await a_member("mod", role="moderator")
    bot = await a_bot(web, alice, await a_group(alice))
    said = (await say(web, bot, "Buy cheap watches")).json()["id"]
    flag = {"subject": f"message:{said}", "reason": "spam"}
    assert (await web(token=bob.token).post(f"{API}/flags", json=flag)).status_code == 201
    case_id = await db.fetch_val("SELECT id FROM moderation_case")
    from community.moderation import service as moderation

    await moderation.hide(mod.viewer, case_id, "Spam, plainly.")
    await run_jobs()
    (message,) = await messages(web, bob, bot.room)
    assert message["gone"] is True and "watches" not in json.dumps(message)


async def test_nobody_outside_sees_anything_of_a_secret_rooms_bot(web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    bot = await a_bot(web, alice, slug, "Xylophone")
    await say(web, bot, "Psst, saxophone")
    await run_jobs()
    for path in (
        f"{API}/rooms/{bot.room}/messages",
        f"{API}/groups/{slug}",
        f"{API}/groups/{slug}/bots",
        f"{API}/search?q=xylophone",
        f"{API}/search?q=saxophone",
    ):
        answer = await web(token=charlie.token).get(path)
        assert "ylophone" not in answer.text.replace("q=xylophone", "") and "Psst" not in answer.text, path
    for path in (f"/g/{slug}/bots", f"/g/{slug}/members", f"/chat/{bot.room}", f"/hooks/rooms/{bot.door}"):
        assert "Xylophone" not in (await web().get(path)).text


async def test_a_bot_that_was_banned_is_silent_and_its_makers_see_why(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    await say(web, bot, "Before")
    handle = await db.fetch_val("SELECT handle FROM member WHERE kind = 'bot'")
    measure = {"kind": "ban", "member": handle, "reason": "Too loud, really."}
    answer = await web(token=alice.token).post(f"{API}/rooms/{bot.room}/measures", json=measure)
    assert answer.is_success, answer.text
    await run_jobs()
    assert (await say(web, bot, "After", id="msg_2")).status_code == 403
    group = (await web(token=alice.token).get(f"{API}/groups/{slug}")).json()
    assert group["member_count"] == 1, "it was never counted"
    (listed,) = (await web(token=alice.token).get(f"{API}/groups/{slug}/bots")).json()["items"]
    assert listed["may_speak"] is False
    assert "shown out" in (await (await sign_in(web(), alice)).get(f"/g/{slug}/bots")).text


async def test_a_bot_goes_on_in_a_thread_of_its_own(web: Browser):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    first = (await say(web, bot, "Build 7 began")).json()["id"]
    body = json.dumps({"text": "Build 7 is green", "reply_to": first}).encode()
    again = await web().post(bot.door, content=body, headers=signed_by(bot.secret, "msg_2", body))
    assert again.status_code == 201
    assert (await messages(web, alice, bot.room))[1]["reply_to"]["id"] == first
    elsewhere = await a_bot(web, alice, await a_group(alice))
    foreign = await web().post(elsewhere.door, content=body, headers=signed_by(elsewhere.secret, "msg_2", body))
    assert foreign.status_code == 422, "not to a message of another room"


async def test_a_bot_is_called_otherwise_also_beside_what_it_said(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    await say(web, bot, "Hello")
    renamed = await web(token=alice.token).put(f"{API}/groups/{slug}/bots/{bot.id}", json={"name": "Oven"})
    assert renamed.json()["name"] == "Oven"
    assert (await messages(web, alice, bot.room))[0]["author"]["name"] == "Oven"
    browser = await sign_in(web(), alice)
    home = f"/g/{slug}/bots"
    assert (await submit(browser, f"{home}/{bot.id}/name", {"name": "Roaster"}, page=home)).status_code == 303
    assert (await submit(browser, f"{home}/{bot.id}/name", {"name": " "}, page=home)).status_code == 422
    assert "Roaster" in (await browser.get(home)).text


# --- its own words ---


async def do(web: Browser, bot: Bot, id: str = "msg_2", **what: Any) -> httpx.Response:
    body = json.dumps(what).encode()
    return await web().post(bot.door, content=body, headers=signed_by(bot.secret, id, body))


async def test_a_bot_changes_and_takes_back_what_it_said(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    bot = await a_bot(web, alice, await a_group(alice))
    said = (await say(web, bot, "Roast at nine")).json()
    changed = await do(web, bot, edit=said["id"], text="Roast at **ten**")
    assert changed.status_code == 201 and changed.json()["id"] == said["id"]
    (message,) = await messages(web, bob, bot.room)
    assert "<strong>ten</strong>" in message["html"] and message["edited"] is True
    again = await do(web, bot, edit=said["id"], text="Roast at **ten**")
    assert again.status_code == 200 and again.json() == changed.json()
    assert (await do(web, bot, edit=said["id"], text="Roast at noon")).status_code == 409, "one id, one change"
    gone = await do(web, bot, "msg_3", delete=said["id"])
    assert gone.status_code == 201
    assert (await do(web, bot, "msg_3", delete=said["id"])).json() == gone.json()
    (message,) = await messages(web, bob, bot.room)
    assert message["gone"] and "Roast at" not in str(message)
    assert (await do(web, bot, "msg_4", edit=said["id"], text="Back")).status_code == 404


async def test_a_change_that_is_sent_again_later_brings_no_old_words_back(web: Browser):
    """Whoever overheard it has five minutes in which its signature holds."""
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    said = (await say(web, bot, "One")).json()["id"]
    await do(web, bot, "msg_2", edit=said, text="Two")
    await do(web, bot, "msg_3", edit=said, text="Three")
    assert (await do(web, bot, "msg_2", edit=said, text="Two")).status_code == 200
    assert (await messages(web, alice, bot.room))[0]["body"] == "Three"
    assert (await say(web, bot, "Two", id="msg_2")).status_code == 409, "an id names one thing, whatever it is"
    assert (await do(web, bot, "msg_1", edit=said, text="Four")).status_code == 409


async def test_of_two_equal_changes_at_once_one_is_told(web: Browser):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    said = (await say(web, bot, "One")).json()["id"]
    first, again = await asyncio.gather(*(do(web, bot, edit=said, text="Two") for _ in range(2)))
    assert sorted([first.status_code, again.status_code]) == [200, 201] and first.json() == again.json()
    assert await db.fetch_val("SELECT count(*) FROM room_event WHERE kind = 'edit'") == 1


async def test_a_bot_changes_nothing_that_is_anothers(web: Browser):
    alice = await a_member("alice")
    slug, other_slug = await a_group(alice), await a_group(alice)
    bot, twin = await a_bot(web, alice, slug), await a_bot(web, alice, slug, "Twin")
    elsewhere = await a_bot(web, alice, other_slug, "Elsewhere")
    theirs = [(await say(web, one, "Theirs")).json()["id"] for one in (twin, elsewhere)]
    hers = await web(token=alice.token).post(
        f"{API}/rooms/{bot.room}/messages",
        json={"client_id": "0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e51", "body": "Hers"},
    )
    for n, message in enumerate([*theirs, hers.json()["id"], "999999"]):
        for m, what in enumerate(({"edit": message, "text": "Mine"}, {"delete": message})):
            assert (await do(web, bot, f"msg_{n}_{m}", **what)).status_code in (403, 404), (n, what)
    assert await db.fetch_val("SELECT count(*) FROM room_event WHERE kind IN ('edit', 'delete')") == 0
    assert await db.fetch_val("SELECT count(*) FROM bot_deed") == 0


@pytest.mark.parametrize(
    "what", [{"edit": "1", "delete": "1"}, {"delete": "1", "text": "x"}, {"edit": "1"}, {"edit": "x", "text": "x"}, {}]
)
async def test_an_odd_change_is_refused_in_words(web: Browser, what: dict[str, str]):
    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    said = (await say(web, bot, "One")).json()["id"]
    refused = await do(web, bot, **{name: said if given == "1" else given for name, given in what.items()})
    assert refused.status_code == 422 and refused.json()["detail"]


async def test_a_bot_that_was_shown_out_revoked_or_silenced_changes_nothing(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice, visibility="secret")
    bot = await a_bot(web, alice, slug)
    said = (await say(web, bot, "One")).json()["id"]
    handle = await db.fetch_val("SELECT handle FROM member WHERE kind = 'bot'")
    door = f"{API}/rooms/{bot.room}/measures"
    silenced = await web(token=alice.token).post(
        door, json={"kind": "silence", "member": handle, "minutes": 5, "reason": "loud"}
    )
    assert silenced.status_code == 201, silenced.text
    assert (await do(web, bot, edit=said, text="Two")).status_code == 403
    banned = await web(token=alice.token).post(door, json={"kind": "ban", "member": handle, "reason": "still loud"})
    assert banned.status_code == 201, banned.text
    assert (await do(web, bot, "msg_3", delete=said)).status_code == 403
    await web(token=alice.token).delete(f"{API}/groups/{slug}/bots/{bot.id}")
    assert (await do(web, bot, "msg_4", delete=said)).status_code == 410
    assert (await messages(web, alice, bot.room))[-1]["body"] == "One"


async def test_deeds_are_forgotten_after_a_month(web: Browser):
    from community.bots.jobs import forget_old_deeds

    alice = await a_member("alice")
    bot = await a_bot(web, alice, await a_group(alice))
    await do(web, bot, edit=(await say(web, bot, "One")).json()["id"], text="Two")
    clock.travel(timedelta(days=29))
    await forget_old_deeds()
    assert await db.fetch_val("SELECT count(*) FROM bot_deed") == 1
    clock.travel(timedelta(days=31))
    await forget_old_deeds()
    assert await db.fetch_val("SELECT count(*) FROM bot_deed") == 0


async def test_the_owner_hears_that_a_bot_has_fallen_silent(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await web(token=bob.token).put(f"{API}/groups/{slug}/membership")
    await web(token=alice.token).get(f"{API}/me")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", bob.id)
    await a_bot(web, bob, slug, "Roastery <b>")
    await web(token=bob.token).delete(f"{API}/groups/{slug}/membership")
    await run_jobs()
    bell = await db.fetch_one("SELECT member_id, kind, url FROM notification WHERE kind = 'bot_voided'")
    assert (bell["member_id"], bell["url"]) == (alice.id, f"/g/{slug}/bots")
    shown = (await (await sign_in(web(), alice)).get("/notifications")).text
    assert "“Roastery &lt;b&gt;” is silent" in shown
    zh = (await (await sign_in(web(), alice)).get("/notifications?lang=zh-Hans")).text
    assert "已停用" in zh


async def test_many_bots_come_in_pages(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    for n in range(5):
        await a_bot(web, alice, slug, f"Bot {n}")
    names, after = [], ""
    while after is not None:
        page = (
            await web(token=alice.token).get(f"{API}/groups/{slug}/bots?limit=2{after and '&after='}{after}")
        ).json()
        names += [bot["name"] for bot in page["items"]]
        after = page["next"]
    assert names == [f"Bot {n}" for n in (4, 3, 2, 1, 0)]
