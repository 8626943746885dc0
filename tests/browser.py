"""Real browsers for tests: one Chromium and one real server for the whole run, windows of their own for each test.

What a page complained of is judged before anything is closed. A server that stops, or a window that shuts under a
page that was still fetching, is the test's doing and not the page's.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import pytest
import uvicorn

from tests.factories import PASSWORD, Person
from tests.lines import a_real_server, free_port

playwright = find_spec("playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A busy machine is slow, and that is no fault of the page: a wait that ends well ends as soon as it is so.
PATIENCE_MS = 30_000


def in_a_browser(what: str) -> list[Any]:
    """The marks of a file whose tests need Chromium; `what` stays untested without it."""
    return [
        pytest.mark.anyio,
        pytest.mark.journey,
        pytest.mark.skipif(not CHROMIUM or not playwright, reason=f"NO CHROMIUM: {what} was not tested in a browser"),
    ]


@pytest.fixture(scope="session")
async def _chromiums(anyio_backend: str) -> AsyncIterator[Callable]:
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        running: list[Any] = []

        async def one() -> Any:
            if not running or not running[-1].is_connected():
                running.append(await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))
            return running[-1]

        yield one
        for browser in running:
            await browser.close()


@pytest.fixture
async def chromium(_chromiums: Callable) -> AsyncIterator[Any]:
    """The browser: make `new_context`s of it; they are closed when the test is over."""
    browser = await _chromiums()
    yield browser
    for context in list(browser.contexts):
        await context.close()


@asynccontextmanager
async def served(application: Callable) -> AsyncIterator[str]:
    """The application of the test itself on a real port: its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=port, lifespan="off", log_level="warning")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the server ended"
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def grapevine(house: Callable) -> AsyncIterator[str]:
    """The application on a real port; its address."""
    async with served(house) as address:
        yield address


@pytest.fixture(scope="session")
async def _the_server(database: None) -> AsyncIterator[Callable]:
    """`grapevine serve` as a process of its own, the same for all tests: `await where()` is its port."""
    async with AsyncExitStack() as servers:
        running: list[tuple[int, asyncio.subprocess.Process]] = []

        async def where() -> int:
            if not running or running[-1][1].returncode is not None:
                running.append(await servers.enter_async_context(a_real_server()))
            return running[-1][0]

        async def restart() -> None:
            """A new server in the place of the old one."""
            port, process = running[-1]
            process.terminate()
            await process.wait()
            running.append(await servers.enter_async_context(a_real_server(port)))

        where.restart = restart  # type: ignore[attr-defined]
        yield where


@pytest.fixture
async def visit(house: Callable, chromium: Any, _the_server: Callable) -> AsyncIterator[Callable]:
    """`await visit(alice, "/chat/7")`: a signed-in browser window of its own on a real server."""
    port = await _the_server()
    errors: list[str] = []

    async def visit(person: Person, path: str, **options: Any) -> Any:
        window = await chromium.new_context(base_url=f"http://127.0.0.1:{port}", locale="en", **options)
        window.set_default_timeout(PATIENCE_MS)
        page = await window.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await enter(page, person.handle)
        await page.goto(path)
        return page

    visit.restart = _the_server.restart  # type: ignore[attr-defined]
    yield visit
    assert errors == []


async def enter(page: Any, handle: str) -> None:
    """Sign in as people do."""
    await page.goto("/login")
    await page.fill("[name=login]", handle)
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
