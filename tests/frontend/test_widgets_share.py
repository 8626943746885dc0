"""<gv-share> on a shop's own page: one button to a link of one's own, and what will stand beside it."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest

from app import clock, db
from frontend.pages.embed import SCRIPT
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Exclusion, Terms, as_json
from referrals.programs.terms import Rule as TermRule
from tests.content.people import say
from tests.factories import Browser, a_member
from tests.frontend.test_widgets_browser import CHROMIUM, a_shop_page, grapevine, playwright, until, visit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, tell
from tests.storefront.shop import Shop, a_product, a_shop, line, order

__all__ = ["grapevine", "visit"]
pytestmark = pytest.mark.anyio
DOOR = "/embed/v1/products/north/SKU-1"
in_a_browser = pytest.mark.skipif(
    not CHROMIUM or not playwright or not SCRIPT.is_file(), reason="NO CHROMIUM or no front-end build"
)


async def test_the_door_says_what_sharing_pays_and_what_the_market_wants(web: Browser):
    await a_paying_shop(currency="CNY", rate_bps=750)
    told = (await web().get(DOOR)).json()
    assert (told["pays"], told["mark"], told["gift"]) == ("7.5%", "广告", "")
    assert told["share_url"] == "http://test.example/share?target=product%3Atrail-pack"
    assert (await web().get("/share", params={"target": "product:trail-pack"})).status_code == 303


async def test_the_same_answer_stands_for_readers_of_any_language(web: Browser):
    """It is kept by caches that do not know the language, so nothing in it may depend on it."""
    await a_paying_shop()
    await say(await a_member("mara"), "trail-pack", 4, "By http://test.example/r/mara")
    answers = [await web().get(f"{DOOR}?limit=3", headers={"Accept-Language": lang}) for lang in ("en", "zh-CN")]
    assert answers[0].content == answers[1].content and "(#ad)" in answers[0].json()["reviews"][0]["text"]


async def test_no_button_promises_what_the_rules_do_not_pay(web: Browser):
    """The figure comes from the reckoning that settles orders: a rule, an amount, or nothing for what is denied."""
    shop = await a_paying_shop()
    await a_product(shop, "CARD", title="Gift card", category="Gift cards")
    await a_product(shop, "TENT", title="Tent", brand="Alder")
    rules = Terms(
        currency="USD",
        rules=[
            TermRule("Tents", scope="brand", value="Alder", rate_bps=1250),
            TermRule("Packs", scope="product", value="SKU-1", kind="flat", amount=500),
        ],
        deny=[Exclusion("category", "Gift cards")],
    )
    await db.execute(
        "INSERT INTO program_version"
        " (program_id, version, rate_bps, hold_days, window_days, model, terms, published_at)"
        " SELECT program_id, 2, 0, 14, 30, 'last', $1, now() - interval '1 second' FROM program_version",
        as_json(rules),
    )
    for product, slug, pays, words in (
        ("SKU-1", "trail-pack", "$5.00", "Share &amp; earn $5.00"),
        ("TENT", "tent", "12.5%", "Share &amp; earn 12.5%"),
        ("CARD", "gift-card", "", "Share"),
    ):
        assert (await web().get(f"/embed/v1/products/north/{product}")).json()["pays"] == pays
        page = (await web().get(f"/p/{slug}", headers={"Accept-Language": "en"})).text
        assert f"</svg>{words}</a>" in page, slug
    # Whoever has a link is said to earn, though the plain rate pays nothing.
    mara = await a_member("mara")
    await a_link(web, mara)
    await say(mara, "trail-pack", 5, "Good.")
    assert "Earns from their link" in (await web().get("/p/trail-pack", headers={"Accept-Language": "en"})).text


async def test_a_shop_without_a_programme_gets_a_plain_share_button(web: Browser):
    await a_product(await a_shop())
    told = (await web().get(DOOR)).json()
    assert (told["pays"], told["gift"], told["mark"]) == ("", "", "")


def test_the_script_stays_small():
    if not SCRIPT.is_file():
        pytest.skip("THE FRONT END IS NOT BUILT: run bin/setup")
    assert len(SCRIPT.read_bytes()) < 15 * 1024 and len(gzip.compress(SCRIPT.read_bytes(), 9)) < 6 * 1024


@in_a_browser
@pytest.mark.parametrize(
    ("lang", "words", "label"), [("en", "Share & earn 10%", "#ad"), ("zh-Hans", "分享赚 10%", "广告")]
)
async def test_a_foreign_shop_shows_the_button_under_a_strict_policy(
    web: Browser, grapevine: str, visit: Callable, lang: str, words: str, label: str
):
    async with a_shop_page(grapevine, lang) as origin:
        await a_paying_shop()
        await db.execute("UPDATE store SET origin = $1", origin)
        page = await visit(origin)
        await page.evaluate(
            "const share = document.createElement('gv-share'); share.setAttribute('store', 'north');"
            "share.setAttribute('product', 'SKU-1'); document.body.append(share)"
        )
        button = "document.querySelector('gv-share').shadowRoot.querySelector('a')"
        await until(page, f"{button} !== null")
        assert await page.evaluate(f"{button}.textContent") == words
        assert await page.evaluate(f"{button}.href") == "http://test.example/share?target=product%3Atrail-pack"
        shown = await page.evaluate("document.querySelector('gv-share').shadowRoot.textContent")
        assert label in shown
        assert await page.context.cookies() == []
        assert await page.evaluate("getComputedStyle(" + button + ").fontWeight") == "600"


EARN = "/embed/v1/earn/north"


def token_of(shop: Shop, email: str = "mara@example.org", seconds: int = 600, secret: str = "", **head: str) -> str:
    """As the shop's server would make it, by the standard's own words (RFC 7519, 7515)."""

    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": "customer-1", "email": email, "exp": int(clock.now().timestamp()) + seconds}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', **head})}.{part(claims)}"
    mac = hmac.new((secret or shop.secret).encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


async def test_a_customer_sees_in_the_shop_what_they_earn_there_and_nothing_else(web: Browser):
    mara = await a_member("mara")
    for slug in ("north", "south"):
        shop = await a_paying_shop(slug) if slug == "north" else await a_shop("south")
        if slug == "south":
            await a_product(shop, title="Other pack")
            await publish_rules("south", Rules(rate_bps=2000))
        target = "product:trail-pack" if slug == "north" else "product:other-pack"
        gv = await click(web(), (await a_link(web, mara, target))["code"])
        await tell(web, shop, "order.paid", order(f"{slug}-1", gv=gv, lines=[line(gross=10_000, discount=0)]))
    north = Shop(
        0, "north", await db.fetch_val("SELECT secret FROM store WHERE slug = 'north'"), "", "https://north.example"
    )
    answer = await web().post(EARN, content=token_of(north), headers={"Origin": "https://north.example"})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://north.example"
    assert answer.headers["cache-control"] == "private, no-store" and "set-cookie" not in answer.headers
    told = answer.json()
    assert (told["is_member"], told["people"], told["orders"], told["pays"]) == (True, 1, 1, "10%")
    (sums,) = told["sums"]
    assert (sums["pending"], sums["available"], sums["pending_text"]) == (1000, 0, "$10.00")
    assert "mara" not in answer.text
    stranger = await web().post(EARN, content=token_of(north), headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers
    await books_are_right()


async def test_only_a_proven_address_is_anybodys(web: Browser):
    shop = await a_paying_shop()
    await a_member("mara", email_is_proven=False)
    for email in ("mara@example.org", "nobody@example.org", ""):
        told = (await web().post(EARN, content=token_of(shop, email))).json()
        assert told["is_member"] is False and told["sums"] == [] and told["earn_url"].endswith("/join?next=/earn")


async def test_a_token_that_is_not_the_shops_own_opens_nothing(web: Browser):
    shop = await a_paying_shop()
    await a_member("mara")
    good = token_of(shop)
    head, claims, mac = good.split(".")
    other = await a_shop("south")
    bad = [
        "",
        "x.y.z",
        good[:-2],
        f"{head}.{claims}.",
        f"{head}.{claims}",
        f"{head}.{token_of(shop, 'eve@example.org').split('.')[1]}.{mac}",
        token_of(shop, secret=other.secret),
        token_of(shop, alg="none"),
        token_of(shop, alg="HS512"),
        token_of(shop, seconds=-60),
        token_of(shop, seconds=7200),
        good + "." + good,
        "a" * 5000,
    ]
    for token in bad:
        answer = await web().post(EARN, content=token)
        assert answer.status_code == 401, token
    assert (await web().post(EARN, content=b"\xff\xfe")).status_code == 400
    assert (await web().post("/embed/v1/earn/nowhere", content=good)).status_code == 404
    assert (await web().post(EARN, content=good)).status_code == 200


@in_a_browser
async def test_the_earner_sees_their_figures_on_the_shops_page(web: Browser, grapevine: str, visit: Callable):
    async with a_shop_page(grapevine) as origin:
        shop = await a_paying_shop()
        await db.execute("UPDATE store SET origin = $1", origin)
        mara = await a_member("mara")
        gv = await click(web(), (await a_link(web, mara, "page:/p/trail-pack"))["code"])
        await tell(web, shop, "order.paid", order("1", gv=gv, lines=[line(gross=10_000, discount=0)]))
        page = await visit(origin)
        await page.evaluate(
            "token => { const earn = document.createElement('gv-earn'); earn.setAttribute('store', 'north');"
            "earn.setAttribute('token', token); document.body.append(earn) }",
            token_of(shop),
        )
        text = "document.querySelector('gv-earn').shadowRoot.textContent"
        await until(page, f"{text}.includes('On hold')")
        shown = await page.evaluate(text)
        assert "$10.00" in shown and "Your whole account" in shown and "#ad" in shown
        assert await page.context.cookies() == []
