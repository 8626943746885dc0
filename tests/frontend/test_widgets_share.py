"""<gv-share> on a shop's own page: one button to a link of one's own, and what will stand beside it."""

import gzip
from collections.abc import Callable

import pytest

from frontend.pages.embed import SCRIPT
from tests.factories import Browser
from tests.frontend.test_widgets_browser import CHROMIUM, a_shop_page, grapevine, playwright, until, visit
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_product, a_shop

__all__ = ["grapevine", "visit"]
pytestmark = pytest.mark.anyio
DOOR = "/embed/v1/products/north/SKU-1"
in_a_browser = pytest.mark.skipif(
    not CHROMIUM or not playwright or not SCRIPT.is_file(), reason="NO CHROMIUM or no front-end build"
)


async def test_the_door_says_what_sharing_pays_and_what_the_market_wants(web: Browser):
    await a_paying_shop(currency="CNY", rate_bps=750)
    told = (await web().get(DOOR)).json()
    assert (told["percent"], told["mark"], told["gift"]) == ("7.5", "广告", "")
    assert told["share_url"] == "http://test.example/share?target=product%3Atrail-pack"
    assert (await web().get("/share", params={"target": "product:trail-pack"})).status_code == 303


async def test_the_same_answer_stands_for_readers_of_any_language(web: Browser):
    """It is kept by caches that do not know the language, so nothing in it may depend on it."""
    from tests.content.people import say
    from tests.factories import a_member

    await a_paying_shop()
    await say(await a_member("mara"), "trail-pack", 4, "By http://test.example/r/mara")
    answers = [await web().get(f"{DOOR}?limit=3", headers={"Accept-Language": lang}) for lang in ("en", "zh-CN")]
    assert answers[0].content == answers[1].content and "(#ad)" in answers[0].json()["reviews"][0]["text"]


async def test_a_shop_without_a_programme_gets_a_plain_share_button(web: Browser):
    await a_product(await a_shop())
    told = (await web().get(DOOR)).json()
    assert (told["percent"], told["gift"], told["mark"]) == ("", "", "")


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
        from app import db

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
