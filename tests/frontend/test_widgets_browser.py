"""The widgets in a real browser, on the page of a shop that lives somewhere else and trusts nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from frontend.pages.embed import SCRIPT
from storefront.stores.schemas import NewStore
from storefront.stores.service import open_store
from tests.browser import CHROMIUM, PATIENCE_MS, grapevine, in_a_browser, playwright
from tests.factories import a_member

__all__ = ["CHROMIUM", "grapevine", "playwright"]
pytestmark = [
    *in_a_browser("the widgets"),
    pytest.mark.skipif(not SCRIPT.is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup"),
]

PAGE = """<!doctype html><html lang="{lang}"><title>A shop</title>
<script>window.seen = []; for (const name of ["gv:ready", "gv:error"])
  addEventListener(name, event => seen.push([name, event.target.localName]))</script>
<script type="module" async src="{grapevine}/embed/v1.js"></script>
<gv-rating store="north" product="SKU-1"><a href="{grapevine}/p/pack">Reviews</a></gv-rating>
<gv-reviews store="north" product="SKU-1" limit="2"><a href="{grapevine}/p/pack">All reviews</a></gv-reviews>
<gv-rating id="lost" store="north" product="NONE"><a href="{grapevine}/">Nothing here</a></gv-rating>"""

ARTICLES = "document.querySelector('gv-reviews').shadowRoot.querySelectorAll('article').length"


@asynccontextmanager
async def a_shop_page(grapevine: str, lang: str = "en") -> AsyncIterator[str]:
    """The shop's own web server on another port, with a policy as strict as shops have; its origin."""
    policy = f"script-src 'self' 'unsafe-inline' {grapevine}; connect-src {grapevine}; style-src 'none'"
    html = PAGE.format(grapevine=grapevine, lang=lang).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(html)}\r\n"
    head += f"Content-Security-Policy: {policy}; require-trusted-types-for 'script'\r\nConnection: close\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + html)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def visit(chromium: Any) -> Callable:
    """`await visit(url)`: a page in a fresh browser."""

    async def visit(url: str, **options):
        page = await (await chromium.new_context(**options)).new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(url)
        return page

    return visit


async def a_reviewed_pack(origin: str) -> None:
    from app.money import Money
    from content.reviews.schemas import NewReview
    from content.reviews.service import write
    from storefront.catalog.schemas import ProductDetails
    from storefront.catalog.service import upsert_product
    from storefront.stores.queries import store_by_slug

    await open_store(NewStore("north", "North", "generic", "USD", origin))
    pack = ProductDetails("Pack", f"{origin}/p/pack", Money(12_900, "USD"))
    slug = (await upsert_product(await store_by_slug("north"), "SKU-1", pack)).slug
    for handle, stars, words in (
        ("alice", 5, "Carries well."),
        ("bob", 2, "Zip sticks <img src=x onerror=seen.push('hacked')>"),
        ("chen", 4, "背负舒服。"),
    ):
        await write((await a_member(handle, name=handle.title())).viewer, slug, NewReview(stars, words, "In short"))


async def shown(page, element: str) -> str:
    return await page.evaluate("name => document.querySelector(name).shadowRoot.textContent", element)


async def until(page, truth: str) -> None:
    """Wait for it. Playwright's own waiting needs eval, which the shop's policy forbids."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not await page.evaluate(truth):
            await asyncio.sleep(0.05)


async def told(page) -> list[str]:
    await until(page, "seen.length >= 3")
    return sorted(" ".join(event) for event in await page.evaluate("seen"))


async def test_a_foreign_shop_shows_rating_and_reviews_under_a_strict_policy(grapevine: str, visit: Callable):
    async with a_shop_page(grapevine) as origin:
        await a_reviewed_pack(origin)
        page = await visit(origin)
        assert await told(page) == ["gv:error gv-rating", "gv:ready gv-rating", "gv:ready gv-reviews"]
        assert await shown(page, "gv-rating") == "3.73 reviews"
        reviews = await shown(page, "gv-reviews")
        assert "3 reviews, all published" in reviews and "Chen" in reviews and "All 3 reviews" in reviews
        assert await page.get_by_role("img", name="3.7 of 5 stars").count() == 2
        assert (
            await page.evaluate("document.querySelector('gv-reviews').shadowRoot.querySelectorAll('article').length")
            == 2
        )


async def test_words_of_a_review_never_become_markup(grapevine: str, visit: Callable):
    async with a_shop_page(grapevine) as origin:
        await a_reviewed_pack(origin)
        page = await visit(origin)
        await page.evaluate("document.querySelector('gv-reviews').setAttribute('limit', '20')")
        await until(page, f"{ARTICLES} === 3")
        assert "<img src=x" in await shown(page, "gv-reviews")
        assert "hacked" not in str(await page.evaluate("seen"))


async def test_a_page_of_somebody_else_gets_the_plain_links(grapevine: str, visit: Callable):
    """Another origin may load the script, but its browser refuses what the door did not offer to it."""
    async with a_shop_page(grapevine) as origin:
        await a_reviewed_pack("https://the-real-shop.example")
        page = await visit(origin)
        assert await told(page) == ["gv:error gv-rating", "gv:error gv-rating", "gv:error gv-reviews"]
        assert await page.get_by_role("link", name="All reviews").is_visible()


async def test_what_is_not_there_keeps_its_link(grapevine: str, visit: Callable):
    async with a_shop_page(grapevine) as origin:
        await a_reviewed_pack(origin)
        page = await visit(origin)
        await told(page)
        assert await page.get_by_role("link", name="Nothing here").is_visible()
        without = await visit(origin, java_script_enabled=False)
        assert await without.get_by_role("link", name="All reviews").is_visible()


async def test_a_chinese_page_has_chinese_widgets_and_the_page_decides_on_the_dark(grapevine: str, visit: Callable):
    async with a_shop_page(grapevine, lang="zh-Hans") as origin:
        await a_reviewed_pack(origin)
        page = await visit(origin, color_scheme="dark")
        await told(page)
        assert "3 条评价，全部公开" in await shown(page, "gv-reviews")
        ink = "getComputedStyle(document.querySelector('gv-reviews')).color"
        assert await page.evaluate(ink) == "rgb(35, 26, 34)", "the shop says nothing of a dark theme, so it is light"
        await page.evaluate("document.querySelector('gv-reviews').setAttribute('theme', 'dark')")
        assert await page.evaluate(ink) == "rgb(242, 236, 239)"
