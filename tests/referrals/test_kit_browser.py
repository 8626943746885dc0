"""The share kit under a person's fingers: copying, and the phone's own way to share."""

from collections.abc import Callable

import pytest

from tests.factories import PASSWORD, Browser, a_member
from tests.frontend.test_widgets_browser import CHROMIUM, grapevine, playwright, until, visit
from tests.referrals.cast import a_link, a_paying_shop

__all__ = ["grapevine", "visit"]
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM or not playwright, reason="NO CHROMIUM: the share kit was not tried in a browser"),
]

PHONE = """navigator.canShare = (what) => what.files.length === 1
navigator.share = async ({ text, files: [file] }) => { window.shared = [text, file.name, file.type, file.size] }
navigator.clipboard.writeText = async (text) => { window.copied = text }"""


async def the_kit(web: Browser, grapevine: str, visit: Callable, *, with_phone: bool = True, **options: object):
    mara = await a_member("mara", name="Mara Keller")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    page = await visit(f"{grapevine}/login", **options)
    if with_phone:
        await page.add_init_script(PHONE)
    await page.fill("[name=login]", "mara")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.goto(f"{grapevine}/share/{code}/kit")
    return page, code


async def test_text_and_picture_go_to_the_phone_at_once(web: Browser, grapevine: str, visit: Callable):
    page, code = await the_kit(web, grapevine, visit, viewport={"width": 390, "height": 800}, locale="en")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("#for-whatsapp share-button button")
    await until(page, "window.shared !== undefined")
    text, name, kind, size = await page.evaluate("window.shared")
    assert text.startswith("#ad Trail pack $129.00\n") and name == f"{code}-square.png"
    assert kind == "image/png" and size > 10_000
    await page.click("#for-weibo copy-button button")
    await until(page, "window.copied !== undefined")
    assert (await page.evaluate("window.copied")).startswith("#ad Trail pack $129.00\n")


async def test_where_the_phone_cannot_share_the_button_stays_away(web: Browser, grapevine: str, visit: Callable):
    page, _code = await the_kit(web, grapevine, visit, with_phone=False, locale="zh-CN", color_scheme="dark")
    await until(page, "document.querySelector('copy-button button').hidden === false")
    assert await page.evaluate("[...document.querySelectorAll('share-button')].every(button => button.hidden)")
    assert await page.evaluate("document.querySelector('#for-wechat textarea').value.startsWith('广告')")


async def test_without_scripts_everything_but_copying_by_button_is_there(web: Browser, grapevine: str, visit: Callable):
    page, code = await the_kit(web, grapevine, visit, with_phone=False, java_script_enabled=False, locale="en")
    assert await page.locator("a[download]:visible").count() == 16
    assert await page.locator("textarea[readonly]:visible").count() == 8
    async with page.expect_download() as saving:
        await page.locator("figcaption a[download]").first.click()
    assert (await saving.value).suggested_filename == f"{code}-poster.png"
