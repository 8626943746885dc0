"""Everything about earning, and everything about a shop's programme, is in sight from each of its pages."""

import re

import pytest
from litestar import Litestar

from app.main import build
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import a_link, a_paying_shop, click, tell
from tests.storefront.shop import a_shop, order

pytestmark = pytest.mark.anyio

# Reached from the page above them, which stays marked.
BELOW = {"/admin/programs/{slug}/payouts/new": "/payouts"}
ELSEWHERE = {"/earn/payouts/new", "/earn/live"}


def _pages(start: str) -> list[str]:
    """The addresses of pages that need no more than the store, taken from the routes: a new page is looked at here."""
    framework = build()
    assert isinstance(framework, Litestar)
    return sorted(
        route.path_format
        for route in framework.routes
        if "GET" in getattr(route, "methods", ())
        and (route.path_format + "/").startswith(start)
        and "{" not in route.path_format.replace("{slug}", "", 1 if "{slug}" in start else 0)
        and not route.path_format.endswith(".csv")
    )


def _nav(html: str) -> str:
    found = re.search(r'<nav class="places".*?</nav>', html, re.S)
    assert found, "the page has no places"
    return found[0]


async def test_each_page_of_a_programme_says_where_one_is_and_leads_to_all_others(web: Browser):
    olive = await a_member("olive")
    await a_shop("north", owner_id=olive.id)
    await publish_rules("north", Rules(rate_bps=1000))
    browser = await sign_in(web(), olive)
    pages = _pages("/admin/programs/{slug}/")
    assert len(pages) > 15
    titles = []
    for path in pages:
        address = path.format(slug="north")
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        html = answer.text
        tabs, _, chips = _nav(html).partition('<div class="chips">')
        marked = re.findall(r'href="([^"]+)" aria-current', tabs)
        assert len(marked) == 1, f"{address} marks {marked}"
        at = re.findall(r'href="([^"]+)" aria-current', chips) or marked
        assert at == [f"/admin/programs/north{BELOW[path]}" if path in BELOW else address], address
        if path not in BELOW:
            titles.append(re.search(r"<title>(.*?)</title>", html, re.S)[1])
    assert len(set(titles)) == len(titles), "each names itself in the browser's tab"


async def test_a_shop_without_a_programme_is_led_to_its_first_rules_from_everywhere(web: Browser):
    olive, alice = await a_member("olive"), await a_member("alice")
    await a_shop("north", owner_id=olive.id)
    browser, stranger = await sign_in(web(), olive), await sign_in(web(), alice)
    for path in (one for one in _pages("/admin/programs/{slug}/") if one not in BELOW):
        answer = await browser.get(path.format(slug="north"))
        led = (answer.status_code, answer.headers.get("location")) == (303, "/admin/programs/north/rules")
        assert led or answer.status_code == 200, path
    assert (await stranger.get("/admin/programs/north/rules")).status_code in (403, 404)


async def test_each_page_of_earning_says_where_one_is(web: Browser):
    browser = await sign_in(web(), await a_member("mara"))
    for address in (one for one in _pages("/earn/") if one not in ELSEWHERE):
        tabs, _, chips = _nav((await browser.get(address)).text).partition('<div class="chips">')
        assert (re.findall(r'href="([^"]+)" aria-current', chips or tabs)) == [address]


async def test_the_shop_is_beside_every_page_of_its_owner(web: Browser):
    olive, alice = await a_member("olive"), await a_member("alice")
    await a_shop("north", owner_id=olive.id)

    async def rail(person: Person) -> str:
        return re.search(r'<nav class="rail".*?</nav>', (await (await sign_in(web(), person)).get("/")).text, re.S)[0]

    assert 'href="/admin/programs/north"' in await rail(olive) and "/admin/" not in await rail(alice)


async def test_why_nothing_is_earned_yet_from_an_order_in_doubt_is_said(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await tell(web, shop, "order.paid", order(gv=await click(web(), (await a_link(web, mara))["code"])))
    browser, doubt = await sign_in(web(), mara), "The store’s figures do not add up"
    assert doubt not in (await browser.get("/earn/orders/1001/why")).text
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order("1002", gv=gv, total=99_999))
    assert doubt in (await browser.get("/earn/orders/1002/why")).text
