"""What people do in a browser, step by step."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_MS = 60_000


def a_person(version: int) -> str:
    return (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    )


def sign_in(page, handle: str, password: str) -> None:
    page.goto("/login")
    page.fill("[name=login]", handle)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def join(page, handle: str, password: str = "a few good words") -> None:
    page.goto("/join")
    page.fill("[name=handle]", handle)
    page.fill("[name=email]", f"{handle}@example.org")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/join" not in url)


def make_link(page, target: str, code: str) -> str:
    page.goto("/share")
    page.fill("[name=target]", target)
    page.fill("[name=code]", code)
    page.get_by_role("button", name="Make the link").click()
    page.wait_for_url(re.compile(f"/share/{code}"))
    return code


def buy(page, email: str, *, code: str = "") -> None:
    """What is on the shop's page that is open, paid for; ends on the order."""
    page.locator("form.buy button").click()
    page.wait_for_url(re.compile("/cart"))
    page.fill("#email", email)
    if code:
        page.fill("#code", code)
    page.locator("form.pay button").click()
    page.wait_for_url(re.compile("/orders/"))


def press(page, name: str) -> None:
    """A button by its words, and the page that follows."""
    page.get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def until(is_so: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def python(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command],
        env={**without_servers(), "GRAPEVINE_DATA_DIR": str(folder)}, capture_output=True, text=True,
    )  # fmt: skip


def without_servers() -> dict[str, str]:
    """The environment of somebody who has configured nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}


# The chore that the worker runs each hour, run now.
_HOLDS_END = """
import asyncio, sys
from pathlib import Path
from app import db, embedded, features
from referrals.commissions.release import release_due
async def main(url):
    await db.open(url, max_size=2)
    print(await release_due())
    await db.close()
with embedded.servers(Path(sys.argv[1])) as urls:
    asyncio.run(main(urls.database_url))
"""


def holds_end(folder: Path) -> int:
    """How many commissions left their hold."""
    done = python(folder, "-c", _HOLDS_END, str(folder))
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def books_are_right(folder: Path) -> None:
    done = python(folder, "-m", "app", "ledger", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
