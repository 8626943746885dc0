"""The programs that have a key to one's account: seen, made, revoked, and then shut out at once."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db, live, live_tickets
from app.auth import Viewer
from community.sessions import tokens
from community.sessions.queries import shut_out
from community.sessions.service import make_token
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import PASSWORD, Browser, Person, a_member, sign_in, submit
from tests.lines import Line

pytestmark = pytest.mark.anyio
API = "/api/v1"
SETTINGS = "/settings/tokens"


async def made(web: Browser, person: Person, **more: object) -> str:
    answer = await web().post(f"{API}/tokens", json={"login": person.handle, "password": PASSWORD, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


async def listed(web: Browser, token: str) -> list[dict]:
    return (await web(token=token).get(f"{API}/tokens")).json()["items"]


async def a_line_by(web: Browser, house: Callable, token: str) -> Line:
    ticket = (await web(token=token).post(f"{API}/live/ticket")).json()["ticket"]
    return await Line(house).open(ticket=ticket, origin=None)


# --- seeing and making ---


async def test_a_member_sees_which_programs_have_a_key_and_when_it_was_used(web: Browser):
    alice = await a_member("alice")
    await db.execute("DELETE FROM api_token")
    browser = await sign_in(web(), alice)
    assert "No program has a key" in (await browser.get(SETTINGS)).text
    form = {"name": "Nightly <export>", "scopes": ["read"], "password": PASSWORD}
    shown = await submit(browser, SETTINGS, form)
    assert shown.status_code == 200 and "no-store" in shown.headers["cache-control"]
    (token,) = re.findall(r'value="(gv_[\w-]+)"', shown.text)
    again = (await browser.get(SETTINGS)).text
    assert token not in again and "Nightly &lt;export&gt;" in again and "never used" in again
    client = web(token=token)
    assert (await client.get(f"{API}/me")).json()["handle"] == "alice"
    assert "127.0.0.0/24" in (await browser.get(SETTINGS)).text, "roughly from where, and no more"
    assert (await client.post(f"{API}/groups", json={"slug": "tea", "name": "Tea"})).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'TokenMade' AND actor_id = $1", alice.id) == 1


async def test_a_browser_left_open_makes_no_key_without_the_password(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    for form in (
        {"name": "Mine", "scopes": ["read"], "password": "not hers at all"},
        {"name": "Mine", "scopes": ["read"]},
        {"name": "", "scopes": ["read"], "password": PASSWORD},
        {"name": "Mine", "password": PASSWORD},
        {"name": "Mine", "scopes": ["read", "admin"], "password": PASSWORD},
        {"name": "Mine", "scopes": ["moderate"], "password": PASSWORD},
        {"name": "Mine", "scopes": ["everything"], "password": PASSWORD},
    ):
        answer = await submit(browser, SETTINGS, form)
        assert answer.status_code == 422 and 'value="gv_' not in answer.text and PASSWORD not in answer.text, form
    assert await db.fetch_val("SELECT count(*) FROM api_token WHERE member_id = $1", alice.id) == 1
    answers = [await submit(browser, SETTINGS, {"name": "x", "password": f"guess {n}"}) for n in range(11)]
    assert answers[-1].status_code == 429, "guessing is slowed down"


async def test_a_token_carries_the_scopes_one_names_and_never_more_than_one_has(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    usual, reading = await made(web, alice), await made(web, alice, name="Reader", scopes=["read"])
    scopes = {one["name"]: one["scopes"] for one in await listed(web, usual)}
    assert scopes[""] == ["read", "write"] or scopes["Reader"] == ["read"]
    assert scopes["Reader"] == ["read"]
    assert [one["name"] for one in await listed(web, reading) if one["is_this"]] == ["Reader"]
    refused = await web().post(
        f"{API}/tokens", json={"login": "alice", "password": PASSWORD, "scopes": ["read", "moderate"]}
    )
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "scopes"
    assert await made(web, mod, scopes=["moderate"])
    assert 'value="moderate"' in (await (await sign_in(web(), mod)).get(SETTINGS)).text


async def test_many_tokens_come_in_pages(web: Browser):
    alice = await a_member("alice")
    for n in range(6):
        await make_token(alice.id, ["read"], name=f"Program {n}")
    client, names, after = web(token=alice.token), [], ""
    while after is not None:
        answer = (await client.get(f"{API}/tokens?limit=3{after and '&after='}{after}")).json()
        names += [one["name"] for one in answer["items"]]
        after = answer["next"]
    assert names == [f"Program {n}" for n in (5, 4, 3, 2, 1, 0)] + [""]


async def test_when_it_was_used_costs_one_write_in_five_minutes(web: Browser):
    alice = await a_member("alice")
    client = web(token=alice.token)
    first = None
    for _ in range(3):
        with db.watch_queries() as asked:
            await client.get(f"{API}/me")
        writes = [sql for sql in asked if "UPDATE api_token" in sql]
        first = len(writes) if first is None else first
    assert (first, writes) == (1, [])
    clock.travel(timedelta(minutes=6))
    with db.watch_queries() as asked:
        await client.get(f"{API}/me")
    assert any("UPDATE api_token" in sql for sql in asked)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("unknown", ""),
    ],
)
def test_an_address_is_remembered_roughly(address: str, network: str):
    assert tokens.rough_network_of(address) == network


# --- revoking ---


async def test_a_revoked_token_opens_nothing_from_the_next_request_and_frame_on(web: Browser, house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice, visibility="secret")
    token, other = await made(web, alice, name="Stolen"), await made(web, alice, name="Mine")
    waiting = (await web(token=token).post(f"{API}/live/ticket")).json()["ticket"]
    stolen, hers = await a_line_by(web, house, token), await a_line_by(web, house, other)
    for line in (stolen, hers):
        await line.hello(room)
    (theirs,) = [one["id"] for one in await listed(web, other) if one["name"] == "Stolen"]
    assert (await web(token=other).delete(f"{API}/tokens/{theirs}")).status_code == 204
    await said(alice, room, "Only for me")
    assert (await hers.next("events"))["events"][0]["body"] == "Only for me"
    assert await stolen.closes() == 4401
    assert "Only for me" not in str(list(stolen.from_server._queue)), "not even the next frame"
    assert (await web(token=token).get(f"{API}/me")).status_code == 401
    late = await Line(house).open(ticket=waiting, origin=None)
    assert await late.closes() == 4401, "a ticket asked for before is worth no more than its token"
    assert (await web(token=other).delete(f"{API}/tokens/{theirs}")).status_code == 404, "again"
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'TokensRevoked'") == 1


async def test_nobody_revokes_what_is_anothers(web: Browser):
    alice, eve = await a_member("alice"), await a_member("eve")
    hers = (await listed(web, alice.token))[0]["id"]
    assert (await web(token=eve.token).delete(f"{API}/tokens/{hers}")).status_code == 404
    browser = await sign_in(web(), eve)
    assert (await submit(browser, f"{SETTINGS}/{hers}/end", {}, page=SETTINGS)).status_code == 404
    assert (await submit(browser, f"{SETTINGS}/{2**64}/end", {}, page=SETTINGS)).status_code == 404
    reader = await make_token(alice.id, ["read"])
    assert (await web(token=reader).delete(f"{API}/tokens/{hers}")).status_code == 403
    assert (await web(token=reader).delete(f"{API}/tokens")).status_code == 403
    assert len(await listed(web, alice.token)) == 2
    assert (await web().get(SETTINGS)).status_code == 303 and (await web().get(f"{API}/tokens")).status_code == 401


async def test_revoking_all_leaves_nobody_but_the_one_who_asks(web: Browser, house: Callable):
    alice = await a_member("alice")
    here, elsewhere = await sign_in(web(), alice), await sign_in(web(), alice)
    cookie = f"gv_session={elsewhere.cookies['gv_session']}"
    open_page, program = await Line(house).open(cookie=cookie), await a_line_by(web, house, alice.token)
    mine = await Line(house).open(cookie=f"gv_session={here.cookies['gv_session']}")
    for line in (open_page, program, mine):
        await line.send("ping")
        assert await line.next() == {"type": "pong"}
    assert (await submit(here, f"{SETTINGS}/end", {}, page=SETTINGS)).status_code == 303
    assert [await open_page.closes(), await program.closes()] == [4401, 4401]
    await mine.send("ping")
    assert await mine.next() == {"type": "pong"}
    assert (await elsewhere.get(SETTINGS)).status_code == 303 and (await here.get(SETTINGS)).status_code == 200
    assert (await web(token=alice.token).get(f"{API}/me")).status_code == 401


async def test_by_json_all_others_are_revoked(web: Browser):
    alice = await a_member("alice")
    browser, mine = await sign_in(web(), alice), await made(web, alice, name="Mine")
    assert (await web(token=mine).delete(f"{API}/tokens")).status_code == 204
    assert [one["name"] for one in await listed(web, mine)] == ["Mine"]
    assert (await web(token=alice.token).get(f"{API}/me")).status_code == 401
    assert (await browser.get(SETTINGS)).status_code == 303


async def test_a_revocation_that_no_signal_told_of_is_found_by_looking_around(web: Browser, house: Callable):
    """Another process revoked it while Valkey was away."""
    alice = await a_member("alice")
    line = await a_line_by(web, house, alice.token)
    await db.execute("UPDATE api_token SET revoked_at = $1", clock.now())
    await live.look_around(shut_out)
    assert await line.closes() == 4401


async def test_a_device_that_is_signed_out_hears_nothing_more(web: Browser, house: Callable):
    alice = await a_member("alice")
    here, lost = await sign_in(web(), alice), await sign_in(web(), alice)
    line = await Line(house).open(cookie=f"gv_session={lost.cookies['gv_session']}")
    await line.send("ping")
    await line.next()
    (session_id,) = re.findall(r"/settings/sessions/(\d+)/end", (await here.get("/settings/sessions")).text)
    await submit(here, f"/settings/sessions/{session_id}/end", {}, page="/settings/sessions")
    assert await line.closes() == 4401


async def test_a_new_password_takes_the_tokens_along_unless_their_owner_vouches_for_them(web: Browser):
    """Whoever knew the old password could make one, and kept it for ever."""
    alice, bob = await a_member("alice"), await a_member("bob")
    change = {"current": PASSWORD, "password": "another few good words"}
    for person, more, status in ((alice, {}, 401), (bob, {"keep_tokens": "on"}, 200)):
        browser = await sign_in(web(), person)
        assert (await submit(browser, "/settings/password", change | more)).status_code == 303
        assert (await web(token=person.token).get(f"{API}/me")).status_code == status


async def test_who_comes_back_by_a_mailed_link_has_the_account_alone(web: Browser, house: Callable):
    from community.sessions import passwords

    alice = await a_member("alice")
    line = await a_line_by(web, house, alice.token)
    token = passwords.address_of_reset(await passwords._credential(alice.id)).rpartition("/")[2]
    await passwords.reset(token, "another few good words")
    assert (await web(token=alice.token).get(f"{API}/me")).status_code == 401
    assert await line.closes() == 4401


async def test_of_two_who_revoke_at_once_one_does(web: Browser):
    alice = await a_member("alice")
    token_id = await db.fetch_val("SELECT id FROM api_token")
    viewer = Viewer(member_id=alice.id, handle="alice")
    done = await asyncio.gather(*(tokens.revoke(viewer, token_id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "NotFound"]
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'TokensRevoked'") == 1


async def test_a_ticket_of_before_is_still_understood(house: Callable):
    """One that was given out by a process that knew of no tokens, while this one starts."""
    alice = await a_member("alice")
    line = await Line(house).open(ticket=live_tickets.issue(alice.viewer), origin=None)
    await line.send("ping")
    assert await line.next() == {"type": "pong"}
