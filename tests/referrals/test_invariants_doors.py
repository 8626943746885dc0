"""What holds for whatever anybody sends or does: nobody earns from themselves, nobody is led elsewhere, no message that
was touched on its way counts, two levels and no circle, one key for one request. Generated, as test_invariants.py is."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app import clock, db, valkey
from referrals.clicks.service import claim
from referrals.commissions.recruiting import note_recruiter
from referrals.commissions.release import release_due
from referrals.commissions.service import settle
from referrals.programs.terms import Recruiting, Terms
from storefront.orders.fingerprints import instrument_fingerprint
from storefront.orders.schemas import CustomerTold, OrderTold
from storefront.orders.service import apply_order
from storefront.stores.queries import store_by_slug
from tests.conftest import examples
from tests.factories import Browser, Person, a_member, run_jobs
from tests.referrals.cast import CHROME, a_paying_shop, books_are_right
from tests.referrals.quick import a_quick_click, a_quick_shop, cheap_passwords, forget_jobs, run_jobs_of
from tests.referrals.till import a_line
from tests.storefront.providers import TELLERS, Message, Sale
from tests.storefront.shop import Shop, a_shop

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


def generated(usual: int) -> Callable:
    return settings(
        max_examples=examples(usual),
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture
async def quick(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    cheap_passwords(monkeypatch)
    yield
    clock.travel_home()
    await books_are_right()


# --- nobody earns from what they bought themselves, or with a card of their own ---

OWN_WAYS = ["as_written", "loud", "plus", "dots", "signed_in"]
purchases = st.lists(
    st.tuples(st.sampled_from([*OWN_WAYS, "own_card", "stranger", "stranger"]), st.sampled_from([1, 333, 9_999])),
    min_size=1,
    max_size=6,
)


@generated(25)
@given(told=purchases)
@example(told=[("stranger", 9_999), *((way, 9_999) for way in [*OWN_WAYS, "own_card"])])
async def test_nobody_earns_from_themselves_whatever_they_call_themselves(quick: None, told: list[tuple[str, int]]):
    name = f"some.one{next(_numbers)}"
    mara, shop = await a_member(name.replace(".", "-")), await a_quick_shop()
    # A mailbox that has many spellings.
    await db.execute("UPDATE member SET email = $2 WHERE id = $1", mara.id, f"{name}@gmail.com")
    card = instrument_fingerprint(f"card-of-{name}")
    await buy(shop, "own", f"{name}@gmail.com", card=card)
    expected: dict[str, str] = {}
    try:
        for number, (way, gross) in enumerate(told):
            gv = await a_quick_click(shop, mara)
            if way == "signed_in":
                assert await claim(mara.id, gv.hex)
            stranger = f"s{number}-{name}@example.net"
            addresses = {
                "as_written": f"{name}@gmail.com",
                "loud": f" {name.upper()}@GMail.com ",
                "plus": f"{name}+deal{number}@googlemail.com",
                "dots": f"{name.replace('.', '')}@gmail.com",
            }
            used = card if way == "own_card" else instrument_fingerprint(f"card-{number}-{name}")
            await buy(shop, str(number), addresses.get(way, stranger), gv=gv, gross=gross, card=used)
            expected[str(number)] = {"own_card": "held", "stranger": "approved"}.get(way, "nothing")
        await run_jobs_of("referrals")
        clock.travel(timedelta(days=60))
        await release_due()
        await run_jobs_of("referrals")
        rows = await db.fetch(
            """SELECT o.external_id, c.state, c.granted FROM commission c JOIN orders o ON o.id = c.order_id
                WHERE o.store_id = $1 AND c.granted > 0""",
            shop.id,
        )
        earned = {row["external_id"]: row["state"] for row in rows}
        paying = {ref: state for ref, state in expected.items() if state != "nothing" and told[int(ref)][1] >= 5}
        assert earned == paying
    finally:
        clock.travel_home()
        await forget_jobs()


async def buy(shop: Shop, ref: str, email: str, *, gv: UUID | None = None, gross: int = 10_000, card: str = "") -> None:
    at = clock.now()
    told = OrderTold(
        happening="paid",
        happened_at=at,
        external_id=ref,
        updated_at=at,
        currency="USD",
        lines=[a_line(gross=gross)],
        customer=CustomerTold(f"c-{ref}-{uuid4().hex}", email),
        placed_at=at,
        paid_at=at,
        gv=gv,
        instrument=card,
    )
    await apply_order(await store_by_slug(shop.slug), told)
    found = await db.fetch_val("SELECT id FROM orders WHERE store_id = $1 AND external_id = $2", shop.id, ref)
    await settle(found)


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


# --- who recruited whom: two levels, no circle ---

CREW = 5


@pytest.fixture
async def crew(quick: None) -> list[Person]:
    return [await a_member(f"crew-{n}") for n in range(CREW)]


people = st.integers(0, CREW - 1)
brought = st.lists(st.tuples(people, people).filter(lambda two: two[0] != two[1]), max_size=8)


@generated(40)
@given(brought=brought, earning=st.lists(people, min_size=1, max_size=10), at_once=st.booleans())
@example(brought=[(1, 0), (2, 1), (0, 2)], earning=[2, 1, 0], at_once=True)
async def test_recruiting_has_two_levels_and_no_circle(
    crew: list[Person], brought: list[tuple[int, int]], earning: list[int], at_once: bool
):
    """Whoever brought whom to the community, and whoever earns first, or all of them in the same moment."""
    shop = await a_quick_shop()
    await db.execute("DELETE FROM signup_referral")
    for member, by in brought:
        await db.execute(
            """INSERT INTO signup_referral (member_id, referrer_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING""",
            crew[member].id, crew[by].id, clock.now(),
        )  # fmt: skip
    rules = await _recruiting_rules(shop)

    async def earns(member: int) -> None:
        async with db.transaction():
            await note_recruiter(crew[member].id, rules)

    if at_once:
        await asyncio.gather(*map(earns, earning))
    else:
        for member in earning:
            await earns(member)
    rows = await db.fetch(
        "SELECT member_id, recruiter_id FROM recruit WHERE program_id = $1 ORDER BY id", rules["program_id"]
    )
    below = {row["member_id"]: row["recruiter_id"] for row in rows}
    assert not set(below) & set(below.values()), "somebody was recruited and recruits: a third level, or a circle"
    who = {person.id: n for n, person in enumerate(crew)}
    first = {member: by for member, by in reversed(brought)}
    assert all(first[who[member]] == who[by] for member, by in below.items())
    # And nobody was passed over who could have been taken: the one who earns first finds nobody in the way.
    if not at_once and earning[0] in first:
        assert crew[earning[0]].id in below


async def _recruiting_rules(shop: Shop) -> asyncpg.Record:
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules

    terms = Terms(currency="USD", market="GB", recruiting=Recruiting(share_bps=500))
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=terms)
    row = await db.fetch_one(
        """SELECT v.* FROM program_version v JOIN program p ON p.id = v.program_id
            WHERE p.store_id = $1 ORDER BY v.id DESC LIMIT 1""",
        shop.id,
    )
    assert row is not None
    return row


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
     "127.0.0.1", "xn--nrth-5qa.example", "test.example", "test.example.evil.example", "nоrth.example"]  # noqa: RUF001
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
