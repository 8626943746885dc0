"""Talk and its moderation as people do them: in real browsers, with and without scripts."""

from collections.abc import Callable
from typing import Any

import pytest

from app.web import FRONTEND
from tests.browser import PATIENCE_MS, enter, grapevine, in_a_browser
from tests.community.test_topics import a_topic, in_group
from tests.factories import Browser, a_group, a_member, run_jobs

__all__ = ["grapevine"]
pytestmark = [
    *in_a_browser("talk"),
    pytest.mark.skipif(
        not (FRONTEND / "static/build/vendor/htmx.js").is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup"
    ),
]


@pytest.fixture
def signed_in(grapevine: str, chromium: Any) -> Callable:
    """`await signed_in("alice")`: a page in a fresh browser in which she is signed in."""

    async def window(handle: str, **options):
        context = await chromium.new_context(base_url=grapevine, locale="en-US", **options)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        await enter(page, handle)
        return page

    return window


async def a_thread(web: Browser) -> dict:
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    return await a_topic(web, alice, slug)


async def test_a_reply_appears_in_place_and_the_other_sees_it_after_a_reload(web: Browser, signed_in: Callable):
    topic = await a_thread(web)
    alice, bob = await signed_in("alice"), await signed_in("bob")
    complaints: list[str] = []
    bob.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await alice.goto(topic["url"])
    await bob.goto(topic["url"])
    await bob.fill("#composer [name=body]", "Shoes, **half a size up**.")
    await bob.click("#composer .scripted")
    await bob.wait_for_selector("#preview strong")
    await bob.click("#composer .main")
    await bob.wait_for_selector("#post-2 strong")
    assert await bob.input_value("#composer [name=body]") == ""
    await bob.fill("#composer [name=body]", "And gaiters.")
    await bob.click("#composer .main")
    await bob.wait_for_selector("#post-3")
    assert await bob.locator("article.post").count() == 3
    await bob.click("#post-1 summary.reaction")
    await bob.click("#post-1 .signs [value='🎉']")
    await bob.wait_for_selector("#post-1 [aria-pressed=true]")
    await alice.reload()
    assert await alice.locator("article.post").count() == 3
    assert "1" in await alice.inner_text("#post-1 [value='🎉'][aria-pressed=false]")
    await bob.click("#post-1 [aria-pressed=true]")
    await bob.wait_for_selector("#post-1 [aria-pressed=true]", state="detached")
    assert complaints == []


async def test_a_report_ends_in_the_public_log_and_the_moderator_needs_no_mouse(web: Browser, signed_in: Callable):
    topic = await a_thread(web)
    await a_member("mod", role="moderator", name="Mod")
    bob, mod = await signed_in("bob"), await signed_in("mod")
    await bob.goto(topic["url"])
    await bob.click("#post-1 .acts > .menu > summary")
    await bob.click("#post-1 a[href^='/report']")
    await bob.check("[name=reason][value=misleading]")
    await bob.fill("[name=note]", "Nobody walks there")
    await bob.click("main button.main")
    await bob.wait_for_selector("text=A moderator will look at it")
    await mod.goto("/moderation/")
    assert "Nobody walks there" in await mod.inner_text(".case")
    for key in "jkjr":
        await mod.keyboard.press(key)
    await mod.keyboard.type("Just not true, kindly")
    assert await mod.input_value(".case [name=reason]") == "Just not true, kindly"
    await mod.keyboard.press("Tab")
    await mod.keyboard.press("Tab")
    await mod.keyboard.press("Enter")
    await mod.wait_for_selector("text=Nothing waits")
    await run_jobs()
    await bob.goto(topic["url"])
    assert "Hidden by a moderator: Just not true, kindly" in await bob.inner_text("#post-1")
    await bob.goto("/moderation/log")
    assert "Just not true, kindly" in await bob.inner_text("main")
    await bob.goto("/notifications/")
    assert "What you reported was hidden" in await bob.inner_text("main")


async def test_all_of_it_works_without_scripts(web: Browser, signed_in: Callable):
    await a_thread(web)
    bob = await signed_in("bob", java_script_enabled=False)
    await bob.goto("/g/")
    await bob.click("main h2 a")
    await bob.click("text=Open a topic")
    assert not await bob.is_visible(".scripted")
    await bob.fill("[name=title]", "Gaiters, then?")
    await bob.check("[name=kind][value=question]")
    await bob.fill("[name=body]", "Below the tree line.")
    await bob.click("main button.main")
    assert "Gaiters, then?" in await bob.inner_text("h1")
    await bob.fill("#composer [name=body]", "Answering myself.")
    await bob.click("#composer .main")
    assert bob.url.endswith("#post-2")
    await bob.click("#post-2 summary.reaction")
    await bob.click("#post-2 .signs [value='👍']")
    assert await bob.locator("#post-2 [aria-pressed=true]").count() == 1
    await bob.click("#post-2 .acts > .menu > summary")
    await bob.click("#post-2 a[href$='/edit']")
    await bob.fill("[name=body]", "Answering myself, better.")
    await bob.click("main button.main")
    assert "better" in await bob.inner_text("#post-2") and "edited" in await bob.inner_text("#post-2")
