"""A bot's words as they come into an open room."""

from collections.abc import Callable

from tests.community.test_bots import a_bot, say
from tests.community.test_chat_browser import is_live, pytestmark, visit
from tests.factories import Browser, a_group, a_member

__all__ = ["pytestmark", "visit"]


async def test_a_bots_words_come_live_and_are_labelled(web: Browser, visit: Callable):
    alice = await a_member("alice", name="Alice")
    slug = await a_group(alice)
    bot = await a_bot(web, alice, slug)
    page = await visit(alice, f"/chat/{bot.room}")
    await is_live(page)
    await say(web, bot, "The **roast** is out.")
    line = page.locator(".log .message", has_text="The roast is out.")
    await line.wait_for()
    for _ in range(2):
        assert await line.locator(".by .chip.bot").is_visible() and await line.locator(".bubble strong").count() == 1
        assert await line.locator(".by a").get_attribute("href") is None, "a bot has no page"
        assert await line.locator(".face").get_attribute("href") is None
        assert "me" not in ((await line.get_attribute("class")) or "").split(), "not even for who made it"
        await page.reload()
        await line.wait_for()
    await page.fill("textarea[name=body]", "Thank you")
    await page.press("textarea[name=body]", "Enter")
    own = page.locator(".log .message.me", has_text="Thank you")
    await own.wait_for()
    assert not await own.locator(".by .chip.bot").is_visible()
