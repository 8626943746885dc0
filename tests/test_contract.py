"""The surface that other programs rely on, tried from outside: doors, shapes, errors, pages, commands."""

import re
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner

from tests.api_world import API, a_world, lie_in, made, the_document
from tests.factories import Browser, a_group, a_member, sign_in

pytestmark = pytest.mark.anyio

DOORS = """
POST /members
GET /me
POST /tokens
POST /groups
GET /groups/{slug}
PUT /groups/{slug}/membership
DELETE /groups/{slug}/membership
POST /groups/{slug}/topics
GET /groups/{slug}/topics
GET /topics/{topic_id}
GET /topics/{topic_id}/posts
POST /topics/{topic_id}/posts
PUT /posts/{post_id}/reactions/{emoji}
DELETE /posts/{post_id}/reactions/{emoji}
POST /flags
GET /rooms/{room_id}/messages
POST /rooms/{room_id}/messages
POST /live/ticket
PUT /stores/{slug}/products/{external_id}
GET /products/{slug}
GET /products/{slug}/reviews
POST /products/{slug}/reviews
PUT /reviews/{review_id}/vote
DELETE /reviews/{review_id}/vote
POST /reviews/{review_id}/reply
GET /products/{slug}/questions
POST /products/{slug}/questions
POST /questions/{question_id}/answers
POST /guides
GET /guides/{slug}
POST /links
GET /links
GET /earn/summary
GET /earn/commissions
GET /earn/orders/{ref}/why
GET /search
POST /uploads
"""
PAGES = """
/ /join /login /@ada-o /g/ /g/coffee /g/coffee/t/{topic} /chat/{room} /p/hand-grinder-38-mm /guides/ /guides/{guide}
/search?q=grinder /earn /notifications /settings/profile /moderation/log /healthz /readyz /metrics /schema
/sitemap.xml /feeds/guides.atom /robots.txt /oembed?url=http://test.example/p/hand-grinder-38-mm /embed/v1.js
"""
# The command, and whether it speaks --json.
COMMANDS = {
    "demo": False,
    "serve": False,
    "worker": False,
    "migrate": True,
    "doctor": True,
    "member create": True,
    "token create": True,
    "store create": True,
    "program create": True,
    "import products": True,
    "import reviews": True,
    "export member": True,
    "erase member": True,
    "ledger verify": True,
    "search reindex": True,
    "webhooks replay": True,
    "backup": True,
    "restore": True,
}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


async def test_every_door_of_the_contract_is_in_the_document(web: Browser):
    paths = (await the_document(web))["paths"]
    asked = [line.split() for line in DOORS.split("\n") if line]
    assert [f"{method} {path}" for method, path in asked if method.lower() not in paths.get(API + path, {})] == []


async def test_every_page_of_the_contract_is_there_and_answers_head_without_a_body(web: Browser):
    world = await a_world(web)
    browser = await sign_in(web(), world.ada)
    for page in PAGES.split():
        address = page.format(topic=f"{world.topic}-which-grinder", room=world.room, guide=world.guide)
        client = web() if address in ("/join", "/login") else browser
        shown = await client.get(address)
        assert shown.status_code == 200, (address, shown.status_code)
        head = await client.head(address)
        assert (head.status_code, head.content) == (200, b""), address
        assert head.headers["content-type"] == shown.headers["content-type"]
    assert (await web().head("/g/nowhere")).status_code == 404
    assert (await web().head("/r/ada-here")).status_code == 302


@pytest.mark.parametrize(
    ("method", "address", "content", "status", "kind"),
    [
        ("POST", "/groups", b"{", 400, "malformed"),
        ("POST", "/groups", b"[]", 400, "malformed"),
        ("POST", "/groups", b'{"slug":"\xff"}', 400, "malformed"),
        ("GET", "/groups/coffee/topics?after=nonsense", b"", 400, "malformed"),
        ("GET", "/links?limit=many", b"", 400, "malformed"),
        ("GET", "/groups/nowhere", b"", 404, "not-found"),
        ("GET", "/nowhere", b"", 404, "not-found"),
        ("GET", "/topics/seven", b"", 404, "not-found"),
        ("DELETE", "/groups", b"", 405, "method"),
        ("POST", "/groups", b'{"slug":"coffee","name":"Again"}', 409, "conflict"),
        ("POST", "/groups", b'{"slug":"tea","name":"' + b"x" * 1_100_000 + b'"}', 413, "too-large"),
        ("POST", "/groups", b'{"slug":"tea"}', 422, "invalid"),
        ("POST", "/groups", b'{"slug":"tea","name":"Tea","colour":"green"}', 422, "invalid"),
        ("POST", "/groups", b'{"slug":"tea","name":7}', 422, "invalid"),
    ],
)
async def test_every_refusal_is_a_problem_with_a_stable_type(
    web: Browser, method: str, address: str, content: bytes, status: int, kind: str
):
    alice = await a_member("alice")
    await a_group(alice, "coffee")
    answer = await web(token=alice.token).request(method, API + address, content=content)
    problem = problem_of(answer, status, kind)
    if status == 422:
        assert {field["field"] for field in problem["errors"]} <= {"name", "colour"} and problem["errors"]


def problem_of(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
    problem = answer.json()
    assert problem["type"] == f"http://test.example/problems/{kind}" and problem["status"] == status
    assert len(problem["detail"]) > 10 and problem["title"]
    assert isinstance(problem["errors"], list) and problem["request_id"] == answer.headers["x-request-id"]
    return problem


async def test_who_you_are_is_said_by_the_token_alone(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    refused = await browser.get(f"{API}/me")
    assert refused.headers["www-authenticate"] == "Bearer"
    explained = await web().get(problem_of(refused, 401, "sign-in")["type"])
    assert explained.status_code == 200 and "Please sign in" in explained.text
    body = {"slug": "tea", "name": "Tea"}
    problem_of(await browser.post(f"{API}/groups", json=body), 401, "sign-in")
    problem_of(await web(token="gv_made-up").get(f"{API}/search?q=tea"), 401, "sign-in")
    assert (await web(token=alice.token).get(f"{API}/me")).json()["handle"] == "alice"


async def test_a_token_without_the_scope_is_refused(web: Browser):
    from community.sessions.service import make_token

    alice = await a_member("alice")
    reads = web(token=await make_token(alice.id, ["read"]))
    assert (await reads.get(f"{API}/me")).status_code == 200
    problem_of(await reads.post(f"{API}/groups", json={"slug": "tea", "name": "Tea"}), 403, "forbidden")


async def test_who_is_too_fast_hears_when_to_come_back(web: Browser):
    for _ in range(40):
        answer = await web().post(f"{API}/tokens", json={"login": "nobody", "password": "nothing at all"})
        if answer.status_code == 429:
            break
    problem_of(answer, 429, "too-many")
    assert 0 < int(answer.headers["retry-after"]) <= 300


async def test_the_same_request_under_the_same_key_happens_once(web: Browser):
    world = await a_world(web)
    document = await the_document(web)
    keyed = [
        (path, said)
        for path, doors in document["paths"].items()
        for method, said in doors.items()
        if method == "post" and any(one["name"] == "Idempotency-Key" for one in said.get("parameters", []))
    ]
    assert len(keyed) >= 8
    for path, said in keyed:
        who = await a_member() if path.endswith("/reviews") else world.ada
        client = web(token=who.token, **{"Idempotency-Key": path})
        body = world.body(said["requestBody"]["content"]["application/json"]["example"])
        if path == f"{API}/groups":
            body["slug"] = "tea"
        first = await client.post(world.path(path), json=body)
        again = await client.post(world.path(path), json=body)
        assert first.is_success and again.is_success and again.content == first.content, (path, first.text, again.text)
        other = await client.post(world.path(path), json={**body, **_other(body)})
        problem_of(other, 409, "key-reused")
        assert lie_in(document, "POST", path, other) == ""


CHANGED = ("body", "title", "name", "note", "placement", "rail", "answers", "source")


def _other(body: dict[str, Any]) -> dict[str, Any]:
    """The same with another word in it."""
    return {
        key: value + " too" if isinstance(value, str) else value[1:] for key, value in body.items() if key in CHANGED
    }


async def test_lists_have_items_and_next_and_a_limit_of_a_hundred(web: Browser):
    world = await a_world(web)
    document = await the_document(web)
    lists = []
    for path, doors in document["paths"].items():
        answer = doors.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        if "items" in answer.get("example", {}):
            lists.append(path)
    assert len(lists) >= 8
    client = web(token=world.ada.token)
    for path in lists:
        for limit in ("1000", "0", "-1", "1"):
            asked = {"limit": limit, "q": "grinder"} if path.endswith("/search") else {"limit": limit}
            answer = await client.get(world.path(path), params=asked)
            assert answer.status_code == 200 and "next" in answer.json(), (path, limit, answer.text)
            said = answer.json()
            assert isinstance(said["items"], list) and (said["next"] is None or isinstance(said["next"], str))
            assert len(said["items"]) <= (100 if limit == "1000" else 1)


async def test_a_limit_beyond_a_hundred_is_answered_like_a_hundred(web: Browser):
    alice = await a_member("alice")
    await a_group(alice, "coffee")
    client = web(token=alice.token)
    for number in range(103):
        await made(client, "/groups/coffee/topics", {"title": f"Topic {number}", "body": "Words enough."})
    first = (await client.get(f"{API}/groups/coffee/topics", params={"limit": 1000, "sort": "new"})).json()
    assert len(first["items"]) == 100
    more = {"limit": 1000, "sort": "new", "after": first["next"]}
    rest = (await client.get(f"{API}/groups/coffee/topics", params=more)).json()
    assert len(rest["items"]) == 3 and rest["next"] is None
    assert len({topic["id"] for topic in first["items"] + rest["items"]}) == 103


async def test_times_are_utc_money_is_minor_units_and_ids_are_strings(web: Browser):
    world = await a_world(web)
    document = await the_document(web)
    seen: set[str] = set()
    for path, doors in document["paths"].items():
        if "get" in doors:
            params = {"q": "grinder"} if path.endswith("/search") else None
            answer = await web(token=world.ada.token).get(world.path(path), params=params)
            assert lie_in(document, "get", path, answer) == ""
            assert _misshapen(answer.json(), seen) == [], path
    assert {"id", "created_at", "at", "hold_until", "amount", "price"} <= seen


def _misshapen(value: Any, seen: set[str], name: str = "") -> list[str]:
    """Names of what is an id, a time or money by its name, and is not by its shape."""
    seen.add(name)
    if isinstance(value, list):
        return [fault for one in value for fault in _misshapen(one, seen, name)]
    if isinstance(value, dict):
        if value.keys() == {"amount", "currency"}:
            right = type(value["amount"]) is int and re.fullmatch("[A-Z]{3}", value["currency"])
            return [] if right else [name]
        if name in ("price", "amount", "granted"):
            return [name]
        return [fault for key, one in value.items() for fault in _misshapen(one, seen, key)]
    if name in ("price", "amount", "granted") and value is not None:
        return [name]
    if (name == "id" or name.endswith("_id")) and value is not None and not isinstance(value, str):
        return [name]
    if (name == "at" or name.endswith(("_at", "_until"))) and value is not None and not UTC_TIME.fullmatch(value):
        return [f"{name}={value}"]
    return []


def test_every_command_of_the_contract_shows_an_example_and_speaks_json():
    from app.cli import main

    for name, speaks_json in COMMANDS.items():
        shown = CliRunner().invoke(main, [*name.split(), "--help"])
        assert shown.exit_code == 0 and "Example" in shown.output, (name, shown.output)
        assert speaks_json == ("--json" in shown.output), name
    unknown = CliRunner().invoke(main, ["no-such-command"])
    assert unknown.exit_code == click.UsageError.exit_code == 2
