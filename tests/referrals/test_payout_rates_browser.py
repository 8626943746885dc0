"""Both amounts and the rate between them, on the smallest phone, in both languages and in the dark."""

from pathlib import Path
from typing import Any

import pytest

from app import clock
from referrals.payouts import batches
from tests.factories import PASSWORD, Browser, run_jobs
from tests.frontend.test_pages_browser import SMALLEST, grapevine
from tests.frontend.test_pages_browser import pytestmark as pytestmark
from tests.referrals.payees import a_house, earn
from tests.referrals.test_payout_rates import HERE, an_account_in, ask, rate

__all__ = ["grapevine"]
SHOTS: Path | None = None


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh-Hans", "dark")])
async def test_the_pages_with_rates_fit_the_smallest_phone(
    web: Browser, grapevine: str, chromium: Any, lang: str, scheme: str
) -> None:
    house = await a_house()
    ada = house.ada
    for who, order_id in ((ada, "1001"), (house.ben, "1002")):
        await earn(web, house.shop, who, order_id, 50_000)
        await an_account_in("EUR", who)
    await rate(house, "USD", "EUR", "0.9217334455")
    payout_id = await ask(house, ada)
    batch_id = await batches.request_batch(house.owner.viewer, "north", "USD", clock.now(), 1)
    await run_jobs()
    await earn(web, house.shop, ada, "1003", 70_000)
    wrong: list[str] = []
    context = await chromium.new_context(base_url=grapevine, viewport=SMALLEST, locale=lang, color_scheme=scheme)
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    await page.goto("/login")
    await page.fill("[name=login]", ada.handle)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_selector("#bell")
    for number, address in enumerate(
        (
            f"{HERE}/rates",
            f"{HERE}/{batch_id}",
            f"{HERE}/new",
            "/earn/payouts",
            "/earn/payouts/new?store=north&currency=USD&rail=bank",
            f"/earn/payouts/{payout_id}",
            "/earn/payouts/methods",
        )
    ):
        answer = await page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if "earn/payouts/" in address:
            # The sums are what this page is for: none may lie beyond the edge of its table.
            hidden = await page.evaluate(
                "[...document.querySelectorAll('main .table')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
            )
            wrong += [f"{address}: a table is wider than the phone"] if hidden else []
        if answer.status != 200 or wide > SMALLEST["width"]:
            wrong.append(f"{address}: {answer.status}, {wide} px wide")
        if SHOTS:
            await page.screenshot(path=SHOTS / f"{number}-{lang}-{scheme}-phone.png", full_page=True)
            await page.set_viewport_size({"width": 1280, "height": 900})
            await page.screenshot(path=SHOTS / f"{number}-{lang}-{scheme}-wide.png", full_page=True)
            await page.set_viewport_size(SMALLEST)
    assert not wrong, "\n".join(wrong)
