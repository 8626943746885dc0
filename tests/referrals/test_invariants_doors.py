"""What holds for whatever anybody sends: no message that was touched on its way counts, nobody is led elsewhere, one
key is for one request. Generated, as test_invariants.py is."""

import asyncio
import itertools
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import db, valkey
from tests.factories import Browser, a_member, run_jobs
from tests.referrals.cast import CHROME, a_paying_shop
from tests.referrals.quick import generated
from tests.storefront.providers import TELLERS, Message, Sale
from tests.storefront.shop import Shop, a_shop

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


# --- what was touched on its way, is old, or was there before, changes nothing ---


def _touched(kind: str, where: int, message: Message, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """The message with one byte of it, or of a header its signature stands on, another one."""
    body = message.body
    signs = [name for name in headers if "ignature" in name or "Hmac" in name]
    at = where % len(body)
    match kind:
        case "flip":
            return body[:at] + bytes([body[at] ^ (1 << where % 7)]) + body[at + 1 :], headers
        case "cut":
            return body[:at], headers
        case "grow":
            return body[:at] + b" " + body[at:], headers
        case "unsigned":
            return body, {name: value for name, value in headers.items() if name not in signs}
        case _:
            value = headers[signs[0]]
            # Another letter, within the signature that counts, and not at its end, where base64 holds idle bits.
            at = (value.index("v1") + 3 if value.startswith(("v1,", "t=")) else 0) + where % 40
            other = "a" if value[at] != "a" else "b"
            return body, {**headers, signs[0]: value[:at] + other + value[at + 1 :]}


touches = st.tuples(st.sampled_from(["flip", "cut", "grow", "unsigned", "sign"]), st.integers(0, 10**6))


@pytest.fixture
async def told_shops(house: object) -> dict[str, tuple[Shop, Message]]:
    """One shop per provider, and an order it tells of."""
    return {
        provider: (
            await a_shop(f"the-{provider}-shop", provider=provider, secret=teller.SECRET),
            teller.order(Sale())[0],
        )
        for provider, teller in TELLERS.items()
    }


@generated(60)
@given(provider=st.sampled_from(list(TELLERS)), touch=touches, first=st.booleans())
async def test_a_message_that_was_touched_or_comes_again_changes_nothing(
    web: Browser, told_shops: dict[str, Any], provider: str, touch: tuple[str, int], first: bool
):
    shop, message = told_shops[provider]
    headers = TELLERS[provider].headers(shop.secret, message, event_id=f"told-by-{provider}")
    client, address = web(), f"/webhooks/{shop.slug}"
    await valkey.client().flushdb()
    if first:
        assert (await client.post(address, content=message.body, headers=headers)).status_code in (200, 202)
        await run_jobs()
    before = await _facts(shop)
    body, given = _touched(*touch, message, headers)
    answer = await client.post(address, content=body, headers=given)
    assert answer.status_code == 401, (touch, answer.text)
    if first:
        again = await client.post(address, content=message.body, headers=headers)
        assert again.status_code == 200, "known already"
    await run_jobs()
    assert await _facts(shop) == before


async def _facts(shop: Shop) -> list[tuple[Any, ...]]:
    rows = await db.fetch(
        """SELECT 'inbox' AS what, id, state, '' AS more FROM inbox WHERE store_id = $1
           UNION ALL SELECT 'order', id, number, source_updated_at::text FROM orders WHERE store_id = $1
           UNION ALL SELECT 'refund', id, external_id, kind FROM refund WHERE store_id = $1
           UNION ALL SELECT 'line', l.id, l.external_id, l.gross::text
             FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.store_id = $1
            ORDER BY 1, 2""",
        shop.id,
    )
    return [tuple(row) for row in rows]


# --- where a link leads ---

odd = st.sampled_from(
    [
        "",
        "/",
        "//",
        "\\",
        "@",
        ":",
        "?",
        "#",
        "%2f",
        "%5c",
        "%00",
        " ",
        "\t",
        "\n",
        ".",
        "..",
        "，",
        "。",
        "／",
        "\u202e",
    ]
)
hosts = st.sampled_from(
    ["north.example", "NORTH.example", "evil.example", "north.example.evil.example", "evil.example#north.example",
     "north.example@evil.example", "evil.example\\@north.example", "north.example:443", "north.example:", "[::1]",
     "127.0.0.1", "xn--nrth-5qa.example", "test.example", "test.example.evil.example", "nоrth.example"]
)  # fmt: skip
schemes = st.sampled_from(["https://", "http://", "HTTPS://", "//", "///", "/", "https:/", "javascript:", "data:", ""])
addresses = st.one_of(
    st.builds(lambda *parts: "".join(parts), schemes, odd, hosts, odd, st.sampled_from(["", "/p/1", "?next=//x"]), odd),
    st.text(max_size=40),
    st.text(max_size=20).map(lambda text: "/" + text),
    st.text(max_size=20).map(lambda text: "https://north.example/" + text),
    st.text(max_size=20).map(lambda text: "page:/" + text),
)


@pytest.fixture
async def sharer(house: object, web: Browser) -> Any:
    mara = await a_member("mara")
    await a_paying_shop()
    return web(token=mara.token)


@generated(150)
@given(target=addresses, door=st.sampled_from(["share", "ext", "route"]))
@example(target="https://north.example@evil.example/", door="share")
@example(target="//evil.example", door="route")
@example(target="page://evil.example", door="ext")
async def test_a_link_leads_here_or_to_a_vouched_shop_whatever_is_asked(
    web: Browser, sharer: Any, target: str, door: str
):
    await valkey.client().flushdb()
    name = f"n{next(_numbers)}"
    if door == "share":
        answer = await sharer.post("/api/v1/links", json={"target": target, "placement": name})
    elif door == "ext":
        answer = await sharer.put(f"/api/v1/links/ext/{name}", json={"target": target})
    else:
        made = await sharer.post("/api/v1/links", json={"target": "product:trail-pack", "placement": name})
        routes = {"rules": [{"when": {"language": ["de"]}, "to": target}], "split": []}
        answer = await sharer.put(f"/api/v1/links/{made.json()['code']}/routes", json=routes)
    assert answer.status_code in (200, 201, 400, 404, 422), (target, answer.status_code, answer.text)
    if answer.status_code >= 400:
        return
    code = made.json()["code"] if door == "route" else answer.json()["code"]
    led = await web().get(f"/r/{code}", headers={"user-agent": CHROME, "accept-language": "de"})
    assert led.status_code == 302, (target, led.text)
    where = led.headers["location"]
    assert all(letter > " " and letter != "\x7f" for letter in where) and "\\" not in where
    assert not where.startswith("//"), where
    parts = urlsplit(where)
    if parts.netloc:
        assert (parts.scheme, parts.netloc.lower()) == ("https", "north.example"), (target, where)
    else:
        assert where.startswith("/") and not parts.scheme, (target, where)


# --- one key, one request ---

placements = st.sampled_from(["a", "b", "c"])


@generated(40)
@given(asked=st.lists(placements, min_size=2, max_size=6), at_once=st.booleans())
async def test_a_key_is_for_one_request_and_another_body_writes_nothing(sharer: Any, asked: list[str], at_once: bool):
    await valkey.client().flushdb()
    key, name = uuid4().hex, next(_numbers)

    async def ask(placement: str) -> Any:
        body = {"target": "page:/p/", "placement": f"{placement}{name}"}
        return await sharer.post("/api/v1/links", json=body, headers={"Idempotency-Key": key})

    before = await db.fetch_val("SELECT count(*) FROM link")
    answers = await asyncio.gather(*map(ask, asked)) if at_once else [await ask(one) for one in asked]
    made = [(one, answer) for one, answer in zip(asked, answers, strict=True) if answer.status_code < 400]
    # Whoever came first (alone: the first) has the key; the same body hears the same, any other 409.
    assert made and len({one for one, _answer in made}) == 1 and len({answer.text for _one, answer in made}) == 1
    winner = made[0][0]
    assert at_once or winner == asked[0]
    for one, answer in zip(asked, answers, strict=True):
        assert answer.status_code in (200, 201) if one == winner else answer.status_code == 409, answer.text
    assert await db.fetch_val("SELECT count(*) FROM link") == before + 1
