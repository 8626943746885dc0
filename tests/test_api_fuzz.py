"""Whatever JSON comes to a door, the answer is one the document knows: never a crash, never a half-done thing."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import msgspec
import pytest

from app import db, jobs, valkey
from tests.api_world import World, a_world, lie_in, the_document
from tests.factories import Browser, run_jobs
from tests.referrals.cast import books_are_right
from tests.storefront.shop import line, order, refund, signed

pytestmark = pytest.mark.anyio

SECONDS = 7.0
TRIES = 45
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**53, 2**63, 10**40, "", " ", "\x00", "\ud7ff", "😀" * 50, "a" * 5000,
    "<script>alert(1)</script>", "javascript:alert(1)", "//evil.example", "../../etc/passwd", "'; DROP TABLE post; --",
    "%s%n{}{0}", "post:99999999999999999999", "product:", ":", "0", "-5", "９", [], {}, [[]], [None], {"": ""},
    {"amount": -1, "currency": "USD"}, {"amount": 1, "currency": "XXX"}, {"amount": 2**70, "currency": "JPY"},
    "2026-02-30T25:61:00Z", "not-a-uuid", "\u202e\u200b", "![x](javascript:1)", "[" * 500, "@" * 300, "#" * 300,
]  # fmt: skip
RAW = [b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"{}" * 2, b'{"a":' * 2000, b'{"slug":"a","slug":"b"}', b"NaN"]


async def test_no_json_crashes_a_door(web: Browser):
    """Every body door, its own example with something odd in it, as its rightful sender, for a few seconds."""
    world = await a_world(web)
    document = await the_document(web)
    doors = [
        (method, path, said["requestBody"]["content"]["application/json"]["example"])
        for path, methods in document["paths"].items()
        for method, said in methods.items()
        if "application/json" in said.get("requestBody", {}).get("content", {}) and path.startswith("/api/")
    ]
    assert len(doors) >= 14
    dice = random.Random(20260314)
    bodies = [(door, content) for door in doors for content in _contents(world, door[2], dice)]
    dice.shuffle(bodies)
    lies, statuses = await _try_all(web(token=world.ada.token), world, document, bodies)
    assert lies == []
    assert statuses[422] > 50 and statuses[400] > 5 and sum(statuses.values()) > 200, statuses


async def test_no_message_of_a_shop_breaks_the_worker(web: Browser):
    """Signed nonsense is kept and applied, flagged or ignored; no job fails for good, and the books still hold."""
    world = await a_world(web)
    dice = random.Random(41)
    told = {
        "type": "order.paid",
        "timestamp": "2026-03-14T09:26:53Z",
        "data": order("2002", lines=[line(), line("l2")]),
    }
    repaid = {"type": "order.refunded", "timestamp": "2026-03-14T09:26:53Z", "data": refund(order_id="1001")}
    client = web()
    for number in range(70):
        body = msgspec.json.encode(_with_odd(dice.choice([told, repaid]), dice)) if number % 10 else dice.choice(RAW)
        if body.isascii():
            answer = await client.post("/webhooks/north", content=body, headers=signed(world.shop, body))
            assert answer.status_code == 202, (body[:300], answer.text)
    await run_jobs()
    assert [job["reason"] for job in await jobs.held()] == []
    assert await db.fetch_val("SELECT count(*) FROM inbox WHERE state = 'received'") == 0
    await books_are_right()


async def _try_all(client: Any, world: World, document: Any, bodies: list) -> tuple[list[str], Counter[int]]:
    lies: set[str] = set()
    statuses: Counter[int] = Counter()
    ends = time.monotonic() + SECONDS
    for number, ((method, path, _), content) in enumerate(bodies):
        if time.monotonic() > ends:
            break
        if number % 15 == 0:
            await valkey.client().flushdb()  # the rate limits: it is the doors behind them that are tried
        answer = await asyncio.wait_for(client.request(method, world.path(path), content=content), 10)
        statuses[answer.status_code] += 1
        if answer.status_code == 500 or (lie := lie_in(document, method, path, answer)):
            lies.add(
                f"{content[:200]!r} -> {answer.status_code} {answer.text[:300] if answer.status_code == 500 else lie}"
            )
    return sorted(lies), statuses


def _contents(world: World, example: dict[str, Any], dice: random.Random) -> list[bytes]:
    """The example with one value, here or there, replaced; with too much; with too little; and what is no JSON."""
    body = world.body(example)
    made = [msgspec.json.encode({**body, key: odd}) for key in body for odd in dice.sample(ODD, 12)]
    made += [msgspec.json.encode(_with_odd(body, dice)) for _ in range(8)]
    made += [msgspec.json.encode({k: v for k, v in body.items() if k != gone}) for gone in body]
    made += [msgspec.json.encode({**body, "surplus": 1}), *RAW]
    return dice.sample(made, min(TRIES, len(made)))


def _with_odd(value: Any, dice: random.Random) -> Any:
    """The value with something odd somewhere deep in it."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        return {**value, key: _with_odd(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.7:
        at = dice.randrange(len(value))
        return [*value[:at], _with_odd(value[at], dice), *value[at + 1 :]]
    return dice.choice(ODD)
