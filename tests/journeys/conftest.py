"""One demo, started as a person would start it, for all journeys; and windows of a real browser into it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from app import embedded
from tests.journeys.steps import PATIENCE_MS, a_person, sign_in, without_servers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_SECONDS = 240
_numbers = count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.slow)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason=f"NO CHROMIUM: {item.name} was NOT tested"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The demo on a free port with a folder of its own: its address and that folder.

    `GRAPEVINE_JOURNEYS_AT="http://localhost:8000 var"` takes one that is running already: quicker while writing.
    """
    if running := os.environ.get("GRAPEVINE_JOURNEYS_AT"):
        address, _, at = running.partition(" ")
        yield address, Path(at)
        return
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = folder.with_suffix(".log")
    program = subprocess.Popen(
        [sys.executable, "-m", "app", "demo", "--port", str(port), "--data", str(folder)],
        env=without_servers(), stdout=said.open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_for(f"http://localhost:{port}/readyz", program, said)
        yield f"http://localhost:{port}", folder
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(timeout=30)
        embedded.forget(folder)


@pytest.fixture
def window(demo) -> Iterator[Callable]:
    """`window("linwei")` is a browser of her own, signed in; `window()` a stranger's.

    Each window is another browser, as its name says: whoever clicks in the sharer's own earns nobody anything.
    `like=page` is another window of the same browser.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    base, _folder = demo
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        broken: list[str] = []
        agents: dict = {}

        def open_window(handle: str = "", like=None, **options):
            # Headless Chromium names itself, and a bot's click earns nothing.
            agent = agents[like] if like else a_person(120 + next(_numbers))
            page = chromium.new_context(base_url=base, locale="en", user_agent=agent, **options).new_page()
            agents[page] = agent
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: broken.append(str(error)))
            if handle:
                sign_in(page, handle, "grapevine-demo")
            return page

        yield open_window
        chromium.close()
        assert broken == []


def _wait_for(url: str, program: subprocess.Popen, said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert program.poll() is None, said.read_text()
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the demo did not start")
