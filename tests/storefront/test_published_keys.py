"""Saleor signs with a key that it publishes. Which one counts is the operator's word, never the message's."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from functools import cache, partial
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from app import clock, db, http
from app.errors import Invalid
from storefront.connectors import api, jws, key_sets, refusals
from storefront.connectors.schemas import BadSignature
from storefront.stores.queries import store_by_slug
from storefront.stores.service import believe_keys_of
from tests.factories import Browser, run_jobs
from tests.storefront.providers import Message, Sale, saleor
from tests.storefront.shop import a_shop
from tests.storefront.test_connectors import standing

pytestmark = pytest.mark.anyio
API = "https://north.saleor.example/graphql/"
PLAIN = {"typ": "JWT", "alg": "RS256", "kid": "1", "b64": False}


@cache
def a_key(name: str) -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def published(*names: str, **changes: Any) -> dict[str, Any]:
    keys = []
    for name in names:
        numbers = a_key(name).public_key().public_numbers()
        n, e = (_packed(part.to_bytes(256 if part > 65537 else 3, "big")) for part in (numbers.n, numbers.e))
        keys.append({"kty": "RSA", "key_ops": ["verify"], "n": n, "e": e, "use": "sig", "kid": name, **changes})
    return {"keys": keys}


def signature(body: bytes, header: dict[str, Any] | None = None, key: RSAPrivateKey | None = None) -> str:
    head = _packed(json.dumps(header or PLAIN, separators=(",", ":")).encode())
    signed = (key or a_key("1")).sign(head.encode() + b"." + body, PKCS1v15(), SHA256())
    return f"{head}..{_packed(signed)}"


def secret_key() -> dict[str, str]:
    """The first key as a JSON Web Key, for others to sign with."""
    private = a_key("1").private_numbers()
    numbers = {
        "d": private.d,
        "p": private.p,
        "q": private.q,
        "dp": private.dmp1,
        "dq": private.dmq1,
        "qi": private.iqmp,
    }
    parts = {name: _packed(part.to_bytes((part.bit_length() + 7) // 8, "big")) for name, part in numbers.items()}
    return published("1")["keys"][0] | {"key_ops": ["sign"]} | parts


def a_token() -> tuple[str, str]:
    """What a customer's token of the same shop makes: its middle part as the body, and the rest as its signature."""
    body = _packed(b'{"sub":"bob"}')
    return body, signature(body.encode(), {"alg": "RS256", "kid": "1", "typ": "JWT"})


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Publisher:
    """Where the keys stand: what it answers next, and everything it was asked."""

    def __init__(self) -> None:
        self.answer: http.Answer | http.CannotFetch = self.of(published("1"))
        self.asked: list[str] = []

    @staticmethod
    def of(told: Any, status: int = 200) -> http.Answer:
        return http.Answer(status, {}, json.dumps(told).encode())

    async def fetch(self, method: str, url: str, **_how: Any) -> http.Answer:
        self.asked.append(f"{method} {url}")
        await asyncio.sleep(0)
        if isinstance(self.answer, http.CannotFetch):
            raise self.answer
        return self.answer


@pytest.fixture
async def publisher(house: Any, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    key_sets.forget()
    there = Publisher()
    monkeypatch.setattr(key_sets, "fetch", there.fetch)
    await a_shop("north", provider="saleor", secret=saleor.SECRET)
    await believe_keys_of(await store_by_slug("north"), API)
    return there


async def send(web: Browser, body: bytes, signed: str, **more: str) -> httpx.Response:
    headers = saleor.named(Message("", body)) | {"Saleor-Signature": signed} | more
    return await web().post("/webhooks/north", content=body, headers=headers)


def an_order(**changes: Any) -> bytes:
    return saleor.order(Sale(**changes))[0].body


@pytest.mark.parametrize("header", [PLAIN, PLAIN | {"crit": ["b64"]}], ids=["as it was", "as RFC 7797 has it"])
async def test_an_order_signed_with_the_published_key_counts(
    web: Browser, publisher: Publisher, header: dict[str, Any]
):
    body = an_order()
    assert (await send(web, body, signature(body, header))).status_code == 202
    assert (await send(web, body, signature(body, header))).status_code == 200
    await run_jobs()
    known = await standing()
    assert (known["order"], known["gv"], known["codes"]) == ("5001", Sale().gv, ["MARA10"])
    assert publisher.asked == ["GET https://north.saleor.example/.well-known/jwks.json"], "and only once"
    assert [row["topic"] for row in await db.fetch("SELECT topic FROM inbox")] == ["OrderUpdated"]


async def test_nobody_but_the_key_signs(web: Browser, publisher: Publisher):
    """Also not: with the key as a password, with none at all, or with a token that the same key has signed."""
    body = an_order()
    token_body, token_signature = a_token()
    head, good = _packed(json.dumps(PLAIN).encode()), signature(body)
    unsigned = _packed(b'{"alg":"none","kid":"1","b64":false}')
    by_password = _packed(b'{"alg":"HS256","kid":"1","b64":false}')
    public_key = json.dumps(published("1")).encode()
    as_password = _packed(hmac.digest(public_key, by_password.encode() + b"." + body, hashlib.sha256))
    tries = {
        "another's key": (body, signature(body, key=a_key("another"))),
        "another body": (body.replace(b"5001", b"5002"), good),
        "a sign more": (body + b" ", good),
        "no algorithm": (body, f"{unsigned}.."),
        "the public key as a password": (body, f"{by_password}..{as_password}"),
        "another algorithm's name": (body, signature(body, PLAIN | {"alg": "RS512"})),
        "a token of the shop": (token_body.encode(), token_signature),
        "a body that it says is packed": (body, signature(body, PLAIN | {"b64": True})),
        "a body within": (body, good.replace("..", f".{_packed(body)}.")),
        "something else that is critical": (body, signature(body, PLAIN | {"crit": ["b64", "exp"]})),
        "without a name": (body, signature(body, {"alg": "RS256", "b64": False})),
        "a name of another kind": (body, signature(body, PLAIN | {"kid": 1})),
        "a name that nobody has": (body, signature(body, PLAIN | {"kid": "2"})),
        "two parts": (body, good.replace("..", ".")),
        "nothing": (body, ""),
        "no base64": (body, f"{head}..===="),
        "without end": (body, f"{head}..{'A' * 5000}"),
        "the older way, with the secret": (body, saleor.headers(saleor.SECRET, Message("", body))["Saleor-Signature"]),
    }
    for name, (content, signed) in tries.items():
        answer = await send(web, content, signed)
        assert answer.status_code == 401, (name, answer.text)
        assert answer.json()["type"].endswith("/bad-signature")
        clock.travel(timedelta(seconds=61))
    assert not await db.fetch_val("SELECT count(*) FROM inbox")


async def test_the_message_does_not_choose_who_vouches_for_it(web: Browser, publisher: Publisher):
    """Not by its headers, and not by what the signature says of itself."""
    body, evil = an_order(), "https://evil.example"
    header = PLAIN | {
        "jku": f"{evil}/jwks.json", "x5u": f"{evil}/x5u", "jwk": published("another")["keys"][0] | {"kid": "1"},
    }  # fmt: skip
    signed = signature(body, header, a_key("another"))
    named = {"Saleor-Api-Url": f"{evil}/graphql/", "Saleor-Domain": "evil.example"}
    assert (await send(web, body, signed, **named)).status_code == 401
    assert publisher.asked == ["GET https://north.saleor.example/.well-known/jwks.json"]


async def test_a_new_key_is_found_and_names_made_up_cost_one_look_a_minute(web: Browser, publisher: Publisher):
    body = an_order()
    assert (await send(web, body, signature(body))).status_code == 202
    publisher.answer = publisher.of(published("1", "2"))
    second = an_order(id="5002")
    by_new = signature(second, PLAIN | {"kid": "2"}, a_key("2"))
    # Within the minute nobody can say: the shop is asked to send it again, and does.
    early = await send(web, second, by_new)
    assert early.headers["retry-after"] == "60"
    assert (early.status_code, early.json()["type"].rsplit("/", 1)[1]) == (503, "keys-unavailable")
    clock.travel(timedelta(seconds=61))
    assert (await send(web, second, by_new)).status_code == 202 and len(publisher.asked) == 2
    answers = [await send(web, body, signature(body, PLAIN | {"kid": f"made-up-{n}"})) for n in range(20)]
    assert {answer.status_code for answer in answers} == {503} and len(publisher.asked) == 2
    clock.travel(timedelta(seconds=61))
    answers = [await send(web, body, signature(body, PLAIN | {"kid": f"made-up-{n}"})) for n in range(20)]
    assert answers[0].status_code == 401 and len(publisher.asked) == 3
    # Those whose key is known are not kept waiting by it.
    third = an_order(id="5003")
    assert (await send(web, third, signature(third))).status_code == 202 and len(publisher.asked) == 3


async def test_another_key_under_the_same_name_counts_at_once_and_the_one_before_no_more(
    web: Browser, publisher: Publisher
):
    """Saleor calls every key “1”. It sends nothing again that was answered with a 401."""
    body = an_order()
    assert (await send(web, body, signature(body))).status_code == 202
    renamed = published("another")
    renamed["keys"][0]["kid"] = "1"
    publisher.answer = publisher.of(renamed)
    second = an_order(id="5002")
    by_new = signature(second, key=a_key("another"))
    assert (await send(web, second, by_new)).status_code == 503, "within the minute nobody can say"
    clock.travel(timedelta(seconds=61))
    assert (await send(web, second, by_new)).status_code == 202 and len(publisher.asked) == 2
    clock.travel(timedelta(seconds=61))
    third = an_order(id="5003")
    assert (await send(web, third, signature(third))).status_code == 401
    clock.travel(timedelta(seconds=61))
    publisher.answer = http.CannotFetch("timeout", API)
    assert (await send(web, third, signature(third))).status_code == 503


async def test_what_cannot_be_checked_is_counted_for_the_owner_and_has_a_measure(
    web: Browser, publisher: Publisher, monkeypatch: Any
):
    monkeypatch.setattr(api, "MOST_UNCHECKED_A_MINUTE", 5)
    await refusals.gather()
    body = an_order()
    assert (await send(web, body, signature(body))).status_code == 202
    made_up = [await send(web, body, signature(body, PLAIN | {"kid": f"made-up-{n}"})) for n in range(7)]
    assert [answer.status_code for answer in made_up] == [503] * 5 + [429] * 2
    await refusals.gather()
    (row,) = await refusals.refused_at((await store_by_slug("north"))["id"])
    assert (row["kind"], row["many"], row["reason"]) == ("signature", 7, "unchecked")
    assert (await send(web, body, signature(body))).status_code == 200, "what fits goes on being heard"


def test_of_two_keys_under_one_name_the_one_that_signs_is_known():
    able, unable = published("1")["keys"][0], published("1", use="enc")["keys"][0]
    for keys in ([able, unable], [unable, able]):
        assert list(jws.read_keys(json.dumps({"keys": keys}).encode())) == ["1"]


@pytest.mark.parametrize("signed", ["+/8", "A A", "A\n"])
def test_a_sign_that_is_not_of_base64url_makes_no_signature(signed: str):
    head = _packed(json.dumps(PLAIN).encode())
    with pytest.raises(BadSignature):
        jws.read_signature(f"{head}..{signed}")


async def test_a_key_that_was_withdrawn_counts_for_an_hour_at_most(web: Browser, publisher: Publisher):
    body, later = an_order(), an_order(id="5002")
    assert (await send(web, body, signature(body))).status_code == 202
    publisher.answer = publisher.of(published("2"))
    clock.travel(timedelta(minutes=61))
    assert (await send(web, later, signature(later))).status_code == 401


@pytest.mark.parametrize("how", ["silent", "an error", "no key set", "no keys", "a short key", "for encryption"])
async def test_keys_that_cannot_be_read_are_no_reason_to_lose_an_order(web: Browser, publisher: Publisher, how: str):
    """Saleor sends again what was answered with a 503, and not what was answered with a 401."""
    body = an_order()
    publisher.answer = {
        "silent": http.CannotFetch("timeout", API),
        "an error": publisher.of({}, 502),
        "no key set": publisher.of(["1"]),
        "no keys": publisher.of({"keys": []}),
        "a short key": publisher.of({"keys": [published("1")["keys"][0] | {"n": "wQ"}]}),
        "for encryption": publisher.of(published("1", use="enc")),
    }[how]
    refused = await send(web, body, signature(body))
    assert refused.status_code == (503 if how in ("silent", "an error", "no key set") else 401)
    assert not await db.fetch_val("SELECT count(*) FROM inbox")
    publisher.answer = publisher.of(published("1"))
    clock.travel(timedelta(seconds=61))
    assert (await send(web, body, signature(body))).status_code == 202
    # Known keys outlast a shop that says nothing, for a day.
    publisher.answer = http.CannotFetch("timeout", API)
    for hours, status in ((2, 202), (20, 202), (30, 503)):
        clock.travel(timedelta(hours=hours))
        told = an_order(id=f"60{hours}")
        assert (await send(web, told, signature(told))).status_code == status


async def test_sixty_four_at_once_ask_for_the_keys_once(web: Browser, publisher: Publisher):
    body = an_order()
    signed = signature(body)
    answers = await asyncio.gather(*(send(web, body, signed) for _ in range(64)))
    assert sorted(answer.status_code for answer in answers) == [200] * 63 + [202]
    assert len(publisher.asked) == 1


async def test_keys_are_never_asked_for_within_our_own_network(web: Browser, publisher: Publisher, monkeypatch: Any):
    async def inwards(_host: str, _port: int) -> list[str]:
        return ["169.254.169.254"]

    monkeypatch.setattr(key_sets, "fetch", partial(http.fetch, resolver=inwards))
    body = an_order()
    assert (await send(web, body, signature(body))).status_code == 503


async def test_where_keys_stand_is_an_address_over_tls_of_a_shop_that_has_some(publisher: Publisher):
    store = await store_by_slug("north")
    for wrong in ("http://north.saleor.example", "north", "https://a:b@north.example", "https://[", "ftp://x.example"):
        with pytest.raises(Invalid):
            await believe_keys_of(store, wrong)
    assert (await store_by_slug("north"))["keys_origin"] == "https://north.saleor.example"
    await a_shop("south")
    with pytest.raises(Invalid, match="sign with a secret"):
        await believe_keys_of(await store_by_slug("south"), API)


async def test_the_operator_says_where_the_keys_are_and_takes_it_back(web: Browser, publisher: Publisher):
    from tests.storefront.test_commands import grapevine

    body = an_order()
    by_secret = saleor.headers(saleor.SECRET, Message("", body))["Saleor-Signature"]
    code, out, _ = await grapevine("store", "secret", "--slug", "north", "--secret", saleor.SECRET)
    assert code == 0 and "store keys --slug north --by-secret" in out, "it does not count yet"
    assert (await grapevine("store", "keys", "--slug", "north"))[0] == 2, "which of both has to be said"
    code, out, _ = await grapevine("store", "keys", "--slug", "north", "--at", "https://127.0.0.1:9")
    assert code == 0 and "could not be read" in out
    code, out, _ = await grapevine("store", "keys", "--slug", "north", "--by-secret", "--json")
    assert (code, json.loads(out)["keys_origin"]) == (0, "")
    assert (await send(web, body, signature(body))).status_code == 401
    assert (await send(web, body, by_secret)).status_code == 202
    code, out, _ = await grapevine(
        "store", "create", "--slug", "east", "--name", "East", "--provider", "saleor", "--currency", "EUR",
        "--origin", "https://east.example", "--keys-at", "https://east.saleor.example:8443/graphql/",
    )  # fmt: skip
    assert code == 0 and "the key the shop publishes" in out
    assert (await store_by_slug("east"))["keys_origin"] == "https://east.saleor.example:8443"


def test_the_query_of_the_docs_is_the_one_that_the_nightly_look_asks_as_well():
    from pathlib import Path

    from storefront.connectors.saleor.query import ORDERS, SUBSCRIPTION
    from tests.storefront.selections import selected

    docs = (Path(__file__).parents[2] / "docs" / "SHOPS.md").read_text()
    assert f"```graphql\n{SUBSCRIPTION}```" in docs
    event = selected(SUBSCRIPTION)["event"]
    assert event["... on OrderPaid"]["order"] == selected(ORDERS)["orders"]["edges"]["node"]
