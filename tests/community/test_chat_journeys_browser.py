"""Whole ways through the chat: two on their phones in Chinese; a shop's room; who runs a group's room."""

import re
from typing import Any

import httpx
import pytest

from app import db
from app.money import Money
from tests.browser import in_a_browser
from tests.community.hand import PHONE, Sit, grapevine, is_ready, sit
from tests.community.receiver import Receiver, a_receiver
from tests.community.test_bots import signed_by
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.community.test_media import a_picture
from tests.community.test_webhooks_out import deliver
from tests.factories import a_member, run_jobs
from tests.storefront.shop import a_product, a_shop

__all__ = ["grapevine", "sit"]
pytestmark = in_a_browser("a way through the chat")


async def fits(page: Any) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


async def write(page: Any, text: str) -> None:
    await page.fill("textarea[name=body]", text)
    await page.tap("form.say button.main")


async def open_menu_of(page: Any, message: Any) -> None:
    """As a keyboard or a screen reader does on a phone; the finger's long press has a test of its own."""
    await message.locator(".more summary").focus()
    await page.keyboard.press("Enter")
    await message.locator("details[open] .sheet").wait_for()


async def test_two_strangers_on_their_phones_in_chinese(sit: Sit):
    lin, wei = await a_member("lin", name="林薇"), await a_member("wei", name="王伟")
    hers = await sit(lin, "/@wei", lang="zh-Hans", **PHONE)
    await hers.get_by_role("link", name="写私信").tap()
    await hers.fill("[name=body]", "磨豆机还在吗？")
    await hers.get_by_role("button", name="请求聊聊").tap()
    await hers.wait_for_url(re.compile(r"/chat/\d+"))
    await hers.get_by_text("对方回应之后，你才能继续在这里写。").first.wait_for()
    await fits(hers)
    room = re.search(r"/chat/\d+", hers.url)[0]  # type: ignore[index]

    his = await sit(wei, "/chat/", lang="zh-Hans", **PHONE)
    await his.locator("a.asking").tap()
    await his.wait_for_url("**/chat/requests")
    await fits(his)
    await his.get_by_role("button", name="接受").tap()
    await his.wait_for_url(re.compile(room))
    await is_ready(his)
    await hers.wait_for_selector(".say textarea")
    await is_ready(hers)

    await his.set_input_files(
        "input[name=files]", {"name": "磨豆机.png", "mimeType": "image/png", "buffer": a_picture()}
    )
    await his.wait_for_selector(".tray li.here")
    await write(his, "就是这台")
    picture = hers.locator(".message:has-text('就是这台')")
    await picture.locator(".files .picture img").wait_for()
    await hers.wait_for_function("() => document.querySelector('.files .picture img').naturalWidth > 0")
    await fits(hers)
    await open_menu_of(hers, picture)
    await hers.tap("details[open] .signs .reaction[value='❤️']")
    await his.locator(".message.me .reactions .reaction[value='❤️']").wait_for()
    await his.locator(".message.me .seen", has_text="已读").wait_for()
    await write(hers, "好的，骗你的，先付钱到这个账号")
    await his.locator(".log .message", has_text="先付钱到这个账号").wait_for()

    await his.get_by_label("关于这个聊天室的更多操作").tap()
    await his.get_by_role("link", name="在聊天室中搜索").tap()
    await his.wait_for_url("**/search?*")
    await his.fill("main [name=q]", "付钱")
    await his.locator("main form").get_by_role("button", name="搜索").tap()
    found = his.locator(".hit")
    await found.locator("mark", has_text="付钱").wait_for()
    await fits(his)
    await found.locator("a.title").tap()
    await his.wait_for_selector(".message:target:has-text('付钱')")
    await is_ready(his)
    bad = his.locator(".message:target")
    await open_menu_of(his, bad)
    await bad.locator("details[open] .report").tap()
    await his.wait_for_url(re.compile("/report"))
    await fits(his)
    await his.locator("main input[name=reason]").first.check()
    await his.locator("main form button.main").tap()
    await his.wait_for_url(lambda url: "/report?" not in url)
    assert await db.fetch_val("SELECT count(*) FROM flag") == 1


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_the_room_of_a_product_is_opened_talked_in_and_left(sit: Sit, lang: str):
    slug = await a_product(await a_shop(), title="Hand grinder", price=Money(8900, "USD"))
    ines, bob = await a_member("ines", name="Ines"), await a_member("bob", name="Bob")
    hers = await sit(ines, f"/p/{slug}", lang=lang, **PHONE)
    await hers.locator(f"form[action='/p/{slug}/room'] button").tap()
    await hers.wait_for_url(re.compile(r"/chat/\d+"))
    await is_ready(hers)
    await fits(hers)
    await write(hers, "Does it fit a moka pot? 适合摩卡壶吗？")
    await hers.wait_for_selector(".message.me[data-seq]")
    his = await sit(bob, f"/p/{slug}", lang=lang, **PHONE)
    await his.locator(f"form[action='/p/{slug}/room'] button").tap()
    await his.wait_for_url(re.compile(r"/chat/\d+"))
    await is_ready(his)
    await his.locator(".log .message", has_text="适合摩卡壶吗？").wait_for()
    await write(his, "It does. 可以的。")
    await hers.locator(".log .message", has_text="可以的。").wait_for()
    await his.locator("a[href^='/p/room/']").first.tap()
    await his.wait_for_url(re.compile(f"/p/{slug}"))
    await fits(his)


async def test_who_runs_a_room_takes_it_along_makes_a_bot_and_tells_an_address(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    slug, room = await a_room(alice, bob)
    await said(bob, room, "The first word")
    page = await sit(alice, f"/chat/{room}")
    await is_ready(page)

    # The room as files.
    await page.get_by_label("More about this room").click()
    await page.click(f"a[href='/chat/{room}/exports']")
    await page.get_by_role("button", name="Begin an export").click()
    await page.wait_for_selector("main .list .item")
    await run_jobs()
    await page.reload()
    async with page.expect_download() as saving:
        await page.click("a[href$='/file']")
    saved = await (await saving.value).path()
    assert saved.read_bytes()[:2] == b"PK"

    # A bot: its secret is shown once, and what it signs is heard.
    await page.goto(f"/g/{slug}/bots")
    await page.fill("form[action$='/bots'] [name=name]", "Roaster")
    await page.get_by_role("button", name="Make the bot").click()
    copied = page.locator("#secret copy-button")
    secret, address = [await copied.nth(n).locator("input, code, output").first.evaluate(
        "found => found.value || found.textContent") for n in range(2)]  # fmt: skip
    await page.goto(f"/g/{slug}/bots")
    assert secret.strip() not in await page.content(), "not shown again"
    async with a_receiver(monkeypatch) as receiver:
        await tell(page, slug, receiver)
        await page.goto(f"/chat/{room}")
        await is_ready(page)
        body = b'{"text":"The roast is out."}'
        path = re.sub(r"^https?://[^/]+", "", address.strip())
        async with httpx.AsyncClient(base_url=re.match(r"https?://[^/]+", page.url)[0]) as outside:  # type: ignore[index]
            answer = await outside.post(path, content=body, headers=signed_by(secret.strip(), "msg_1", body))
        assert answer.is_success, answer.text
        await page.locator(".message", has_text="The roast is out.").locator(".chip.bot").wait_for()
        await deliver()
        assert "The roast is out." in str(receiver.messages)


async def tell(page: Any, slug: str, receiver: Receiver) -> None:
    """A webhook of the group, made on its page."""
    await page.goto(f"/g/{slug}/webhooks")
    await page.fill("[name=url]", receiver.url)
    await page.get_by_role("button", name="Tell it from now on").click()
    await page.get_by_text(receiver.url).first.wait_for()
