"""What members and operators are shown of clicks."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.cli import main
from referrals.clicks import days
from tests.factories import Browser, a_member, sign_in, submit
from tests.referrals.cast import CHROME, IPHONE, a_link, a_paying_shop, click

pytestmark = pytest.mark.anyio


async def test_a_click_is_on_the_earners_page_at_once(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    reader = await sign_in(web(), mara)
    for _ in range(3):
        await click(web(), code, agent=IPHONE)
    await click(web(), code, agent=CHROME)
    shown = (await reader.get("/earn")).text
    assert "2 people came by your links · 4 visits" in shown
    summary = (await web(token=mara.token).get("/api/v1/earn/summary")).json()
    assert (summary["clicks_30_days"], summary["people_30_days"]) == (4, 2)


async def test_the_operator_drops_old_days_and_checks_the_counts(database: None, web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    await click(web(), code)
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    long_ago = clock.now() - timedelta(days=500)
    await db.execute(
        "INSERT INTO click (id, link_id, occurred_at, kind) VALUES (gen_random_uuid(), $1, $2, 'human')",
        link_id,
        long_ago,
    )
    assert (await said("check"))[0] == 1, "a click that nobody counted is found"
    await said("recount")
    assert (await said("check"))[0] == 0
    await days.make_ahead()
    code_, words = await said("drop", "--keep-days", "400")
    assert code_ == 0 and "Dropped 1 clicks" in words
    assert (await said("drop", "--keep-days", "10"))[0] == 1
    assert await db.fetch_val("SELECT count(*) FROM click") == 1 and (await said("check"))[0] == 0


async def said(*words: str) -> tuple[int, str]:
    """A command of its own, as the operator runs it."""
    import os
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "clicks", *words,
        env=dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    assert process.returncode is not None
    return process.returncode, output


def test_the_commands_explain_themselves():
    group = main.commands["clicks"]
    assert {"drop", "check", "recount"} <= set(group.commands)  # type: ignore[attr-defined]


async def test_a_visitor_decides_whether_their_visits_are_recognised(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = web()
    await click(browser, code)
    assert browser.cookies.get("gv")
    answer = await submit(browser, "/privacy/visits", {"consent": "denied"})
    assert answer.status_code == 303 and not browser.cookies.get("gv")
    assert "You are counted, and not recognised." in (await browser.get("/privacy/visits")).text
    followed = await browser.get(f"/r/{code}", headers={"user-agent": CHROME})
    assert "gv=" not in followed.headers["location"]
    await submit(browser, "/privacy/visits", {"consent": "granted"})
    followed = await browser.get(f"/r/{code}", headers={"user-agent": CHROME, "sec-gpc": "1"})
    assert "gv=" in followed.headers["location"]
    assert (await submit(browser, "/privacy/visits", {"consent": "perhaps"})).status_code == 422
    heeded = (await web().get("/privacy/visits", headers={"sec-gpc": "1"})).text
    assert "Your browser asks sites not to recognise you" in heeded
