"""Rooms in real browsers, served by the test's own process: what happens here is told to the pages at once."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import PATIENCE_MS, enter, grapevine
from tests.factories import Person

__all__ = ["grapevine", "sit"]
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}


@pytest.fixture
async def sit(grapevine: str, chromium: Any) -> Any:
    """`await sit(alice, "/chat/7")`: she is signed in and there, in a window of her own."""
    complaints: list[str] = []

    async def sit(person: Person, path: str, *, lang: str = "en", **options: Any) -> Any:
        window = await chromium.new_context(base_url=grapevine, locale=lang, **options)
        window.set_default_timeout(PATIENCE_MS)
        page = await window.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await enter(page, person.handle)
        await page.goto(path)
        return page

    yield sit
    assert complaints == []


async def is_ready(page: Any) -> None:
    """The line is open, and what is fetched after the first look is there too."""
    await page.wait_for_selector(".live.on")
    await page.wait_for_selector(".say .tray, .say:not(:has(.attach))", state="attached")


Sit = Callable[..., Any]
