"""Every page of groups, conversations, live events and one's settings, taken from the routes, on the smallest phone."""

import re
from typing import Any

import pytest
from litestar import Litestar

from app.main import build
from tests.api_world import World, a_world
from tests.factories import Browser
from tests.frontend.test_earning_pages_browser import what_is_wrong
from tests.frontend.test_pages_browser import grapevine, pytestmark

__all__ = ["grapevine", "pytestmark"]
ROOMS = ("/chat", "/g", "/live", "/settings", "/notifications")
# Files, what only leads elsewhere, and the parts that a page fetches.
NO_PAGE = re.compile(
    r"\.ics$|/files?$|/files/|/(events|names|versions|reactions|order|stage|strip|latest)$|/desk/(now|products)$"
    r"|/live/room/|/settings/email/|/notifications/|/messages/\{message_id\}$"
)
AT = {
    "/live/{slug}/edit": "to-change",
    "/live/{slug}/replay": "is-over",
}


def _addresses(world: World) -> list[str]:
    """Each page's address; one with a new kind of place in it fails here until the world has such a thing."""
    framework = build()
    assert isinstance(framework, Litestar)
    pages = {
        route.path_format
        for route in framework.routes
        if "GET" in getattr(route, "methods", ()) and f"{route.path_format}/".startswith(tuple(f"{x}/" for x in ROOMS))
    }
    return [_address(page, world) for page in sorted(pages) if not NO_PAGE.search(page)]


def _address(page: str, world: World) -> str:
    # A group's bots and webhooks have pages at the group; those of other rooms are at the room.
    if page.startswith(("/chat/{room_id}/bots", "/chat/{room_id}/webhooks")):
        return page.format(**{name: world.crediting[f"kept_{name}"] for name in re.findall(r"\{(\w+)\}", page)}) + "?"
    slug = AT.get(page, "is-on" if page.startswith("/live/") else "coffee")
    thread = {"thread": f"{world.topic}-which-grinder"}
    given = {
        name: {"slug": slug, **thread}.get(name) or world.path(f"{{{name}}}") for name in re.findall(r"\{(\w+)\}", page)
    }
    return f"{page.format(**given)}?"


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_every_page_of_rooms_fits_the_smallest_phone(
    web: Browser, grapevine: str, chromium: Any, lang: str
) -> None:
    world = await a_world(web)
    addresses = _addresses(world)
    assert len(addresses) > 20
    wrong = await what_is_wrong(chromium, grapevine, lang, addresses)
    assert not wrong, wrong
