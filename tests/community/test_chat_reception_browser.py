"""A room on a train: pieces of the page that do not come at first."""

from collections.abc import Callable

from tests.browser import in_a_browser, visit
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import is_live, until, write
from tests.factories import a_member

__all__ = ["visit"]
pytestmark = in_a_browser("bad reception")


async def test_what_could_not_be_fetched_comes_when_the_network_is_back(visit: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, "/chat/")
    lost: list[str] = []

    async def lose(route) -> None:
        lost.append(route.request.url)
        await route.abort()

    await page.route("**/components/chat-acts*", lose)
    await page.goto(f"/chat/{room}")
    await is_live(page)
    await write(page, "In a tunnel")
    await until(page, ["In a tunnel"])
    assert lost and await page.locator(".sheet.placed").count() == 0
    await page.unroute("**/components/chat-acts*")
    await page.evaluate("dispatchEvent(new Event('online'))")
    # Its menus are put in their place by the piece that was missing.
    await page.wait_for_function(
        """() => {
             const menu = document.querySelector(".log .message details.more")
             menu.open = !menu.open
             return menu.querySelector(".sheet").classList.contains("placed")
           }"""
    )
