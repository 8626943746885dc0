"""Profiles and settings: what a member shows, to whom, and how they change it."""

import pytest

from app import clock, db
from app.db import watch_queries
from community.topics import service as topics
from community.topics.schemas import NewTopic
from tests.content.people import say
from tests.factories import Browser, Person, a_group, a_member, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio


async def a_topic(author: Person, group: str, title: str) -> None:
    await topics.open_topic(author.viewer, group, NewTopic(title, "Words of mine."))


async def test_a_profile_shows_who_somebody_is_and_what_they_said(web: Browser):
    alice = await a_member("alice", name="Alice Long")
    await a_topic(alice, await a_group(alice, name="Tea at home"), "Which cup?")
    product = await a_product(await a_shop())
    await say(alice, product, 4, "Keeps dry.", "Four winters")
    page = (await web().get("/@alice")).text
    for words in ("Alice Long", "@alice", "Tea at home", "Which cup?", "Four winters", "here since"):
        assert words in page
    assert (await web().get("/@ALICE")).status_code == 200
    assert "alice@example.org" not in page


@pytest.mark.parametrize("path", ["/@nobody", "/nobody", "/@", "/@a%00b", "/@" + "x" * 300, "/@%ff"])
async def test_a_profile_that_is_not_there_is_not_found(web: Browser, path: str):
    assert (await web().get(path)).status_code == 404


async def test_what_was_said_in_a_secret_group_shows_to_its_members_only(web: Browser):
    alice, bob, charlie = await a_member("alice"), await a_member("bob"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret", name="Hush")
    await a_topic(alice, slug, "Moonshine")
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT id, $1, 'member', 'active', $2 FROM groups WHERE slug = $3""",
        bob.id,
        clock.now(),
        slug,
    )
    for viewer, sees in ((bob, True), (charlie, False), (None, False)):
        browser = await sign_in(web(), viewer) if viewer else web()
        page = (await browser.get("/@alice")).text
        assert ("Moonshine" in page) is sees and ("Hush" in page) is sees


async def test_a_suspended_member_is_shown_without_reproach(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    await db.execute("UPDATE member SET bio = 'Buy my pills' WHERE id = $1", alice.id)
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'Spam of pills', $3)",
        alice.id,
        mod.id,
        clock.now(),
    )
    page = await web().get("/@alice")
    assert page.status_code == 200 and "not active at the moment" in page.text
    assert "pills" not in page.text


async def test_a_member_changes_name_and_words(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    done = await submit(browser, "/settings/profile", {"name": "Ada <b>", "bio": "Line one\nline two"})
    assert done.status_code == 303
    page = (await web().get("/@alice")).text
    assert "Ada &lt;b&gt;" in page and "Line one\nline two" in page


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "", "bio": ""}, "name"),
        ({"name": "x" * 61, "bio": ""}, "name"),
        ({"name": "A", "bio": "x" * 2001}, "bio"),
        ({"name": ["A", "B"], "bio": ""}, "name"),
    ],
)
async def test_a_profile_that_does_not_fit_stays_as_it_was_and_says_why(web: Browser, given: dict, field: str):
    alice = await a_member("alice", name="Alice")
    browser = await sign_in(web(), alice)
    answer = await submit(browser, "/settings/profile", given)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    assert await db.fetch_val("SELECT name FROM member WHERE id = $1", alice.id) == "Alice"


async def test_nul_and_controls_leave_no_trace(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    done = await submit(browser, "/settings/profile", {"name": "Al\x00ice\u202e", "bio": "\x07hi"})
    assert done.status_code == 303
    row = await db.fetch_one("SELECT name, bio FROM member WHERE id = $1", alice.id)
    assert row and (row["name"], row["bio"]) == ("Alice", "hi")


async def test_settings_are_for_members(web: Browser):
    for path in ("/settings/", "/settings/profile"):
        answer = await web().get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login")


async def test_the_chosen_language_is_kept_with_the_account_and_the_browser(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    assert (await submit(browser, "/settings/language", {"lang": "zh-Hans"}, page="/settings/")).status_code == 303
    assert '<html lang="zh-Hans">' in (await browser.get("/settings/")).text
    assert await db.fetch_val("SELECT lang FROM member WHERE id = $1", alice.id) == "zh-Hans"
    refused = await submit(browser, "/settings/language", {"lang": "xx\r\nSet-Cookie: a=b"}, page="/settings/")
    assert refused.status_code == 422 and "a=b" not in str(refused.headers)


async def test_a_profile_costs_the_same_however_much_was_said(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    await a_topic(alice, slug, "One thing")
    with watch_queries() as few:
        await web().get("/@alice")
    for n in range(5):
        await a_topic(alice, slug, f"Thing {n}")
    with watch_queries() as many:
        await web().get("/@alice")
    assert len(few) == len(many) == 7
