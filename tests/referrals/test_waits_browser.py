"""Holds and kinds of conversions in a real browser: on the smallest phone, in both languages, without JavaScript."""

from pathlib import Path
from typing import Any

import pytest

from app import db
from referrals.programs.terms import EventPay, Release, Terms, Wait
from tests.factories import PASSWORD, Browser, a_member, run_jobs
from tests.frontend.test_pages_browser import SMALLEST, grapevine
from tests.frontend.test_pages_browser import pytestmark as pytestmark
from tests.referrals.test_kinds import TRIAL
from tests.referrals.test_waits import a_golden, a_shop_with_sofas, four_lines
from tests.referrals.till import a_click, sell

__all__ = ["grapevine"]
SHOTS: Path | None = None


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh-Hans", "dark")])
async def test_holds_and_kinds_fit_the_smallest_phone(
    web: Browser, grapevine: str, chromium: Any, lang: str, scheme: str
) -> None:
    long = "Furniture / Sofas / Corner sofas with a very long name"
    terms = Terms(
        currency="USD",
        events=[EventPay("trial_started", amount=200)],
        release=Release("delivered", 14, 60),
        waits=[Wait(90, "category", "Furniture / Sofas", "Gold"), Wait(30, "category", long), Wait(7, tier="Gold")],
        kinds=[TRIAL],
    )
    shop = await a_shop_with_sofas(terms)
    golden = await a_golden("mara")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", golden.id, shop.id)
    await sell(shop, await a_click(web, golden, shop), "1", *four_lines())
    client = web(token=golden.token)
    for n, kind in enumerate(("signup", "something_nobody_declared_at_all_yet_x")):
        told = {"store": "north", "id": f"e{n}", "kind": kind}
        assert (await client.post("/api/v1/conversions", json=told)).status_code == 201
    await run_jobs()
    number = await db.fetch_val("SELECT min(id) FROM commission")
    base = "/admin/programs/north"
    addresses = [f"{base}/rules", f"{base}/conversions", "/earn/orders/1/why", f"/earn/commissions/{number}"]
    context = await chromium.new_context(base_url=grapevine, viewport=SMALLEST, locale=lang, color_scheme=scheme)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    await page.goto("/login")
    await page.fill("[name=login]", "mara")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_selector("#bell")
    for place, address in enumerate([*addresses, f"{base}/quote"]):
        answer = await page.goto(f"{address}?lang={lang}")
        if address.endswith("/quote"):
            await page.fill("[name=cart]", "SKU-2 1 900.00")
            await page.fill("[name=currency]", "USD")
            await page.select_option("[name=tier]", "Gold")
            await page.click("main form .main")
            await page.wait_for_selector("main table")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if answer.status != 200 or wide > SMALLEST["width"]:
            wrong.append(f"{address}: {answer.status}, {wide} px wide")
        if SHOTS:
            await page.screenshot(path=SHOTS / f"{place}-{lang}-{scheme}-phone.png", full_page=True)
            await page.set_viewport_size({"width": 1280, "height": 900})
            await page.screenshot(path=SHOTS / f"{place}-{lang}-{scheme}-wide.png", full_page=True)
            await page.set_viewport_size(SMALLEST)
    assert not wrong, "\n".join(wrong)


async def test_the_owner_writes_holds_and_kinds_without_javascript(web: Browser, grapevine: str, chromium: Any) -> None:
    owner = await a_member("mara")
    shop = await a_shop_with_sofas(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    context = await chromium.new_context(base_url=grapevine, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", "mara")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.goto("/admin/programs/north/rules")
    for name, typed in (("waits", "category: Sofas = many"), ("kinds", "trial_started: plan! basic|pro")):
        await page.locator(f"details:has([name={name}]) > summary").click()
        await page.fill(f"[name={name}]", typed)
    await page.click("main form button.main")
    assert "0 to 365 days" in await page.inner_text("#waits-error")
    assert await page.input_value("[name=kinds]") == "trial_started: plan! basic|pro"
    await page.fill("[name=waits]", "category: Sofas = 60")
    await page.click("main form button.main")
    assert "It waits 60 days instead for the category Sofas." in await page.inner_text("main")
    await page.click("main form button.main")
    told = (await web(token=owner.token).get("/api/v1/stores/north/program")).json()["terms"]
    assert told["waits"] == [{"days": 60, "scope": "category", "value": "Sofas"}]
    assert told["kinds"][0]["fields"] == [{"name": "plan", "one_of": ["basic", "pro"], "required": True}]
