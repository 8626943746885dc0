"""Every main page in a real browser: on the smallest phone, in both languages, calm, quiet and at home."""

from typing import Any

import pytest

from app.web import FRONTEND
from tests.browser import CHROMIUM, grapevine, in_a_browser, playwright
from tests.content.people import say
from tests.factories import PASSWORD, Browser, a_group, a_member
from tests.storefront.shop import a_product, a_shop

__all__ = ["CHROMIUM", "grapevine", "playwright"]
pytestmark = [
    *in_a_browser("every page"),
    pytest.mark.skipif(
        not (FRONTEND / "static/build/vendor/htmx.js").is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup"
    ),
]

SMALLEST = {"width": 360, "height": 740}
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
OPEN_TO_ALL = [
    "/",
    "/join",
    "/login",
    "/g/",
    "/p/",
    "/guides/",
    "/search?q=pack",
    "/search?q=nothing",
    "/moderation/log",
    "/earn",
]
FOR_MEMBERS = [
    "/g/new", "/guides/new", "/chat/", "/earn/links", "/earn/commissions", "/share", "/notifications",
    "/settings/", "/settings/profile", "/settings/sessions", "/moderation/", "/moderation/decided",
]  # fmt: skip
MOVED = """new Promise(done => {
  let moved = 0
  new PerformanceObserver(list => list.getEntries().forEach(shift => moved += shift.hadRecentInput ? 0 : shift.value))
    .observe({type: "layout-shift", buffered: true})
  setTimeout(() => done(moved), 100)
})"""


async def a_lived_in_place(web: Browser) -> list[str]:
    """Words as long and as foreign as they come; the addresses that show them."""
    alice, bob = await a_member("alice", role="admin", name=LONG[:58]), await a_member("bob")
    slug = await a_group(alice, name=f"{LONG} hikers"[:80])
    new = {"title": f"南方人在北方 {LONG}", "body": f"`{LONG * 3}` https://example.org/{LONG * 3}"}
    topic = (await web(token=alice.token).post(f"/api/v1/groups/{slug}/topics", json=new)).json()
    product = await a_product(await a_shop(), title=f"Pack {LONG}")
    review_id = await say(bob, product, title=LONG, body=LONG * 2)
    return [f"/g/{slug}", f"/g/{slug}/members", f"/g/{slug}/new", topic["url"], f"/p/{product}", f"/p/{product}/review",
            f"/p/{product}/reviews/{review_id}", "/@alice", f"/report?subject=review:{review_id}"]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_pages_fit_the_smallest_phone_and_ask_nobody_else_for_anything(
    web: Browser, grapevine: str, chromium: Any, lang: str
) -> None:
    shown = await a_lived_in_place(web)
    wrong: list[str] = []
    context = await chromium.new_context(base_url=grapevine, viewport=SMALLEST, locale=lang)
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((grapevine, "data:", "blob:")) else wrong.append(asked.url),
    )

    async def look_at(address: str) -> None:
        answer = await page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
        wide, moved = await page.evaluate("document.documentElement.scrollWidth"), await page.evaluate(MOVED)
        if answer.status != 200 or wide > SMALLEST["width"] or moved > 0.05:
            wrong.append(f"{address}: {answer.status}, {wide} px wide, moved by {moved:.3f}")

    for address in OPEN_TO_ALL:
        await look_at(address)
    await page.goto("/login")
    await page.fill("[name=login]", "alice")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_selector("#bell")
    for address in [*shown, *FOR_MEMBERS, "/", "/earn"]:
        await look_at(address)
    assert not wrong, "\n".join(wrong)
