"""The OpenAPI document is true: each door says what it takes, gives and refuses, and does what it says."""

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar

from app import errors, openapi
from app.main import build
from tests.api_world import World, a_token_id, a_world, fault_in, lie_in, the_document
from tests.community.test_bots import signed_by
from tests.community.test_media import a_picture
from tests.factories import Browser, a_member
from tests.storefront.shop import signed

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def framework(database: None) -> Litestar:
    return build()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, said) for path, doors in document["paths"].items() for method, said in doors.items()]


async def test_it_is_served_and_knows_every_json_door(web: Browser):
    served = await web().get("/schema")
    assert served.status_code == 200 and served.json()["openapi"].startswith("3.1")
    assert (await web().get("/schema/openapi.json")).json() == served.json()
    api = [path for path in served.json()["paths"] if path.startswith("/api/v1/")]
    assert len(api) >= 30 and "/webhooks/{store}" in served.json()["paths"]


async def test_each_door_has_words_types_errors_and_an_example(web: Browser):
    document = await the_document(web)
    missing = [
        f"{method} {path}: {lack}"
        for method, path, said in operations(document)
        for lack in _lacks(document, method, path, said)
    ]
    assert missing == []
    names = [said["operationId"] for _, _, said in operations(document)]
    assert len(set(names)) == len(names)


def _lacks(document: dict[str, Any], method: str, path: str, said: dict[str, Any]) -> list[str]:
    known = {tag["name"] for tag in document["tags"]}
    lacks = [] if len(said["summary"]) > 4 else ["a summary"]
    lacks += [] if set(said["tags"]) & known else ["a tag"]
    lacks += [] if "security" in said or not path.startswith("/api/") else ["security"]
    good = [answer for status, answer in said["responses"].items() if status.startswith("2")]
    bad = [status for status in said["responses"] if status.startswith("4")]
    lacks += [] if good else ["an answer"]
    lacks += [] if len(bad) >= 2 and "default" in said["responses"] else ["its errors"]
    bodies = [content for answer in good for content in answer.get("content", {}).values()]
    if not bodies and "204" not in said["responses"]:
        lacks.append("a typed answer")
    bodies += list(said.get("requestBody", {}).get("content", {}).values())
    for body in bodies:
        if body.get("example") is None:
            lacks.append("an example")
        elif fault := fault_in(document, body["schema"], body["example"]):
            lacks.append(f"a true example ({fault})")
    return lacks


def test_the_body_in_the_document_is_the_one_that_the_door_reads(framework: Litestar):
    for (method, path), handler in openapi.doors_of(framework).items():
        read = re.findall(r"json_body\(request, (\w+)\)", inspect.getsource(inspect.unwrap(handler.fn)))
        said = openapi.door_of(handler)
        if path.startswith("/api/"):
            assert read == ([type(said.takes).__name__] if said.takes else []), (method, path)


def test_the_answer_in_the_document_is_the_one_that_the_door_gives(framework: Litestar):
    for (method, path), handler in openapi.doors_of(framework).items():
        kind, said = openapi.answer_type(handler), openapi.door_of(handler)
        assert (kind is None) == (said.gives is None), (method, path)
        if kind:
            msgspec.convert(msgspec.to_builtins(said.gives), kind)


def test_what_heeds_an_idempotency_key_says_so(framework: Litestar):
    for (method, path), handler in openapi.doors_of(framework).items():
        heeds = bool(re.search(r"\bonce\(|_flag\(", inspect.getsource(inspect.unwrap(handler.fn))))
        assert heeds == openapi.door_of(handler).once, (method, path)


async def test_every_example_is_taken_and_answered_as_documented(web: Browser):
    world = await a_world(web)
    document = await the_document(web)
    # What takes away comes last, so that there is something to take away.
    for method, path, said in sorted(operations(document), key=lambda door: door[0] == "delete"):
        answer = await _send_example(web, world, method, path, said)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        assert lie_in(document, method, path, answer) == ""


async def _send_example(web: Browser, world: World, method: str, path: str, said: dict[str, Any]) -> Any:
    content = said.get("requestBody", {}).get("content", {})
    who = world.ada
    if path == "/api/v1/reviews/{review_id}" or path.endswith("membership"):
        who = world.bob
    elif path.endswith("/overrides/{override_id}"):
        who = await a_member(role="admin")  # who may gain by it has no say
    elif path.endswith("/phone/codes"):
        who = await a_member()  # Ada asked a moment ago
    elif path.endswith("/vote") or (method, path) == ("post", "/api/v1/products/{slug}/reviews"):
        who = await a_member()  # neither the shop nor somebody who has reviewed it
    if path == "/api/v1/groups":
        content["application/json"]["example"]["slug"] = "coffee-again"
    if path == "/api/v1/tokens/{token_id}":
        world.crediting["token_id"] = await a_token_id(world.ada)  # the door before revoked every other one
    if (method, path) == ("post", "/api/v1/tokens"):
        content["application/json"]["example"]["login"] = world.ada.handle
    client, address = web(token=who.token), world.path(path)
    if path.startswith("/webhooks/"):
        body = msgspec.json.encode(content["application/json"]["example"])
        return await web().post(address, content=body, headers=signed(world.shop, body))
    if path.startswith("/hooks/"):
        body = msgspec.json.encode(content["application/json"]["example"])
        headers = signed_by(world.crediting["bot_secret"], "msg_1", body)
        return await web().post(address, content=body, headers=headers)
    if "multipart/form-data" in content:
        return await client.post(address, files={"file": ("x.png", a_picture())})
    if path.endswith("/dwell"):
        client.headers["origin"] = "https://north.example"  # only a page tells it
    if content:
        return await client.request(method, address, json=world.body(content["application/json"]["example"]))
    return await client.request(method, address, params={"q": "grinder"} if path.endswith("/search") else None)


async def test_each_door_that_asks_for_a_scope_turns_away_who_lacks_it(web: Browser):
    from community.sessions.service import make_token

    world = await a_world(web)
    document = await the_document(web)
    tokens = {"read": await make_token(world.ada.id, ["write"]), "write": await make_token(world.ada.id, ["read"])}
    for method, path, said in operations(document):
        scopes = [scope for one in said.get("security", []) for scope in one.get("bearer", [])]
        if scopes:
            content = said.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = {"json": world.body(content["example"])} if content else {}
            stranger = await web().request(method, world.path(path), **body)
            assert stranger.status_code == 401, (method, path, stranger.text)
            assert lie_in(document, method, path, stranger) == ""
            lacking = await web(token=tokens[scopes[0]]).request(method, world.path(path), **body)
            assert lacking.status_code == 403, (method, path, lacking.text)
            assert lie_in(document, method, path, lacking) == ""


async def test_every_problem_has_a_stable_type_and_stands_in_the_page_of_types():
    page = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
    for kind in openapi.all_problems():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.type) and 400 <= kind.status < 600
        assert f"| `{kind.type}` | {kind.status} |" in page, kind.type
    assert "| `crash` | 500 |" in page and errors.Problem.type == "problem"
