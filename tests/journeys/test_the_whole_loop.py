"""Two minutes in the demo, clicked through: a review, its author's link, joining, chat, an order, her earnings.

The demo is started as a person would start it; the browser is a real one, with a window for each of two people.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import embedded

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: the journey through the whole loop was NOT tested"),
]
START_SECONDS = 180
PATIENCE_MS = 20_000
# Headless Chromium names itself, and a bot's click earns nothing.
A_PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
HERO = "/p/alder-trail-pack-28"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The demo on a free port with a folder of its own: its address and that folder."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = folder.with_suffix(".log")
    program = subprocess.Popen(
        [sys.executable, "-m", "app", "demo", "--port", str(port), "--data", str(folder)],
        env=_without_servers(), stdout=said.open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_for(f"http://localhost:{port}/readyz", program, said)
        yield f"http://localhost:{port}", folder
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(timeout=30)
        embedded.forget(folder)


@pytest.fixture
def window(demo) -> Iterator:
    """`window("linwei")` is a browser of her own, signed in; `window()` a stranger's."""
    base, _folder = demo
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        broken: list[str] = []

        def open_window(handle: str = "", **options):
            page = chromium.new_context(base_url=base, locale="en", user_agent=A_PERSON, **options).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: broken.append(str(error)))
            if handle:
                page.goto("/login")
                page.fill("[name=login]", handle)
                page.fill("[name=password]", "grapevine-demo")
                page.press("[name=password]", "Enter")
                page.wait_for_url(lambda url: "/login" not in url)
            return page

        yield open_window
        chromium.close()
        assert broken == []


def test_from_a_review_to_a_commission(demo, window):
    _base, folder = demo
    author, reader = window("linwei"), window()
    author.goto("/earn")
    before = _on_hold(author)

    # A stranger reads the review; that its author earns, and where, stands beside her words.
    reader.goto(HERO)
    review = reader.locator("article.post", has=reader.locator("a[href='/r/linwei-pack']"))
    assert review.get_by_text("Earns from their link").is_visible()
    assert review.get_by_text(re.compile("^Bought")).is_visible()
    review.locator("a[href='/r/linwei-pack']").click()
    reader.wait_for_url(re.compile(r"/demo-shop/p/.*[?&]gv="))
    assert reader.locator("gv-rating").evaluate("element => !!element.shadowRoot")

    # She joins, and talks with the author in the group's room.
    reader.goto("/join?next=/g/weekend-hikers")
    reader.fill("[name=handle]", "newcomer")
    reader.fill("[name=email]", "newcomer@example.org")
    reader.fill("[name=password]", "a few good words")
    reader.press("[name=password]", "Enter")
    reader.wait_for_url("**/g/weekend-hikers")
    reader.locator("form[action='/g/weekend-hikers/membership'] button").first.click()
    reader.wait_for_load_state()
    room = reader.locator("main a[href^='/chat/'], aside a[href^='/chat/']").first.get_attribute("href")
    reader.goto(room)
    reader.wait_for_selector(".live.on")
    listening = author.context.new_page()
    listening.goto(room)
    listening.wait_for_selector(".live.on")
    reader.fill("textarea[name=body]", "Does the zip hold in sand?")
    reader.press("textarea[name=body]", "Enter")
    listening.locator(".message .bubble", has_text="Does the zip hold in sand?").wait_for()
    listening.fill("textarea[name=body]", "Keep it closed while you sit on the beach.")
    listening.press("textarea[name=body]", "Enter")
    reader.locator(".message .bubble", has_text="Keep it closed").wait_for()
    reader.reload()
    reader.wait_for_selector(".live.on")
    assert reader.locator(".message .bubble", has_text="Does the zip hold in sand?").count() == 1

    # She buys what the link was about: 129.00 less nothing, of which 8 % are the author's.
    reader.goto("/r/linwei-pack")
    reader.wait_for_url(re.compile("/demo-shop/p/"))
    reader.locator("form.buy button").click()
    reader.wait_for_url(re.compile("/cart"))
    reader.fill("#email", "newcomer@example.org")
    reader.locator("form.pay button").click()
    reader.wait_for_url(re.compile("/orders/"))
    assert reader.locator(".messages .answer").first.inner_text() == "202"
    earned = 1032
    _wait_until(lambda: _on_hold(author) == before + earned, "the order on the author's page, which nobody reloaded")

    # The same message again changes nothing; a partial refund takes back exactly its part.
    reader.locator(".messages form button").first.click()
    reader.wait_for_load_state()
    assert reader.locator(".messages .answer").nth(1).inner_text() == "200"
    reader.locator("form[action$='/refunds'] input[name=amount]").first.fill("29.00")
    reader.locator("form[action$='/refunds'] button").first.click()
    reader.wait_for_load_state()
    _wait_until(lambda: _on_hold(author) == before + 800, "8 % of what is left, 100.00")

    # She can see why, line by line; the buyer's name is not in it.
    author.locator("a[href^='/earn/orders/']").first.click()
    author.wait_for_load_state()
    told = author.locator("main").inner_text()
    assert "Why you earned" in told and "$8.00" in told and "newcomer" not in told

    verified = subprocess.run(
        [sys.executable, "-m", "app", "ledger", "verify", "--json"],
        env={**_without_servers(), "GRAPEVINE_DATA_DIR": str(folder)}, capture_output=True, text=True,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["ok"] and json.loads(verified.stdout)["entries"] > 0


def test_reading_searching_and_posting_need_no_javascript(demo, window):
    page = window("mara", java_script_enabled=False)
    page.goto("/g/weekend-hikers")
    page.locator("article.item a.title").first.click()
    page.fill("textarea[name=body]", "Posted with scripts turned off.")
    page.locator("form:has(textarea[name=body]) button:has-text('Reply')").last.click()
    page.wait_for_load_state()
    assert "Posted with scripts turned off." in page.locator("main").inner_text()
    page.goto("/search?q=limestone")
    assert page.locator("main a[href*='/t/']").count() > 0
    page.goto("/guides/")
    assert page.locator("main a[href^='/guides/']").count() > 5


def test_a_report_reaches_the_public_log(demo, window):
    page = window("mara")
    page.goto(HERO)
    page.locator("a[href^='/report?subject=review:']").first.click()
    page.wait_for_url(re.compile("/report"))
    page.locator("input[type=radio]").first.check()
    page.locator("main form button").last.click()
    page.wait_for_load_state()
    moderator = window("jonas")
    moderator.goto("/moderation/")
    assert moderator.locator("main a[href^='/moderation/'], main form").count() > 0
    assert "Nothing waits" not in moderator.locator("main").inner_text()


def _on_hold(page) -> int:
    """US cents on hold as the page shows them now."""
    figures = page.locator("earn-live .figures").all_inner_texts()
    (dollars,) = [text for text in figures if "USD" in text]
    return round(float(re.search(r"On hold\s*\$([\d,]+\.\d\d)", dollars)[1].replace(",", "")) * 100)


def _wait_until(is_so, what: str) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def _without_servers() -> dict[str, str]:
    """The environment of somebody who has configured nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}


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
