"""The page of one's phone in a browser: on a phone without JavaScript, and moving by itself with it."""

from typing import Any

import pytest

from app import db
from tests.browser import PATIENCE_MS, enter, grapevine, in_a_browser  # noqa: F401
from tests.community.test_phones import MINE, a_gateway, the_code
from tests.factories import a_member

pytestmark = in_a_browser("the page of one's phone")


async def test_a_phone_is_proven_on_a_phone_without_javascript(grapevine: str, chromium: Any):  # noqa: F811
    ann = await a_member("ann")
    window = await chromium.new_context(
        base_url=grapevine, java_script_enabled=False, viewport={"width": 390, "height": 780}, locale="zh-CN"
    )
    window.set_default_timeout(PATIENCE_MS)
    page = await window.new_page()
    await enter(page, ann.handle)
    await page.goto("/settings/")
    await page.click("a[href='/settings/phone']")
    await page.fill("[name=number]", MINE)
    await page.click("form[action='/settings/phone/codes'] button")
    await page.fill("[name=code]", await page.inner_text("#demo-code"))
    await page.click("form[action='/settings/phone'] button")
    await page.wait_for_selector("text=这个号码属于您")
    assert await db.fetch_val("SELECT member_id FROM member_phone") == ann.id
    await page.click("summary:has-text('移除')")
    await page.click("form[action='/settings/phone/removal'] button")
    await page.wait_for_selector("text=号码已移除")
    assert await db.fetch_val("SELECT count(*) FROM member_phone") == 0


async def test_who_waits_sees_by_itself_that_it_could_not_be_sent_and_keeps_what_they_typed(
    grapevine: str,  # noqa: F811
    chromium: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    a_gateway(monkeypatch, "https://gateway.example/")
    ann = await a_member("ann")
    window = await chromium.new_context(base_url=grapevine, viewport={"width": 390, "height": 780}, locale="en")
    window.set_default_timeout(PATIENCE_MS)
    page = await window.new_page()
    await enter(page, ann.handle)
    await page.goto("/settings/phone")
    await page.fill("[name=number]", MINE)
    await page.click("form[action='/settings/phone/codes'] button")
    await page.wait_for_selector("text=Six digits are on their way")
    await page.fill("[name=code]", "12")
    await db.execute("UPDATE phone_code SET state = 'sent'")
    await page.wait_for_selector("text=Six digits were sent to")
    assert await page.input_value("[name=code]") == "12"
    await db.execute("UPDATE phone_code SET state = 'asked'")
    await page.reload()
    await page.wait_for_selector("text=Six digits are on their way")
    await db.execute("UPDATE phone_code SET state = 'failed', why = 'http_503'")
    await page.wait_for_selector("text=could not be sent. Please try again.")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await the_code(ann) not in await page.content()
