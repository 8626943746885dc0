"""The first page, and what machines read."""

import json
from xml.etree import ElementTree

import pytest

from app import db
from app.db import watch_queries
from community.topics import service as topics
from community.topics.schemas import NewTopic
from tests.content.people import hide, say
from tests.factories import Browser, Person, a_group, a_member, sign_in
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


async def a_topic(author: Person, group: str, title: str) -> str:
    return (await topics.open_topic(author.viewer, group, NewTopic(title, "Words & <more>."))).url


async def test_a_stranger_sees_that_somebody_lives_here(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    await a_topic(alice, await a_group(alice, name="Tea at home"), "Which cup?")
    await say(bob, await a_product(await a_shop(), title="Alder pack"), 2, "Seams gave up.", "One winter only")
    page = await web().get("/")
    for words in ("Tea at home", "Which cup?", "Alder pack", "One winter only", 'href="/join"'):
        assert words in page.text
    again = await web().get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304 and not again.content


async def test_an_empty_house_is_friendly_too(web: Browser):
    assert "It is quiet here still" in (await web().get("/")).text
    browser = await sign_in(web(), await a_member("alice"))
    assert "Find groups" in (await browser.get("/")).text


async def test_a_member_sees_their_own_groups_first_and_nobody_elses_secrets(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    await a_topic(alice, await a_group(alice, visibility="secret"), "Moonshine")
    await a_topic(bob, await a_group(bob), "Daylight")
    mine = (await (await sign_in(web(), alice)).get("/")).text
    assert "Moonshine" in mine and "Daylight" not in mine
    for browser in (web(), await sign_in(web(), bob)):
        assert "Moonshine" not in (await browser.get("/")).text


async def test_the_feed_goes_on_page_after_page(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    for n in range(23):
        await a_topic(alice, slug, f"Topic-{n:02}.")
    browser = await sign_in(web(), alice)
    first = await browser.get("/")
    after = first.text.split("?after=")[1].split('"')[0]
    second = await browser.get(f"/?after={after}")
    seen = [f"Topic-{n:02}." for n in range(23)]
    assert all((title in first.text) != (title in second.text) for title in seen)
    assert (await browser.get("/?after=nonsense")).status_code == 400


async def test_the_first_page_costs_the_same_however_much_goes_on(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    shop = await a_shop()
    browser, stranger = await sign_in(web(), alice), web()
    counts = []
    for n in range(3):
        await a_topic(alice, slug, f"Topic {n}")
        await say(alice, await a_product(shop, f"SKU-{n}"), 4)
        for client in (browser, stranger):
            with watch_queries() as seen:
                await client.get("/")
            counts.append(len(seen))
    assert counts == [8, 7] * 3


async def test_the_sitemap_lists_what_everybody_may_read_and_nothing_else(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    await a_group(alice, "open", name="Open & so")
    public = await a_topic(alice, "open", "Which cup?")
    hidden = await a_topic(alice, "open", "Hidden thing")
    for visibility in ("closed", "secret"):
        await a_group(alice, visibility, visibility=visibility)
        await a_topic(alice, visibility, "Moonshine")
    first = await db.fetch_val("SELECT f.id FROM post f JOIN topic t ON t.id = f.topic_id WHERE t.title LIKE 'Hidden%'")
    await hide(mod, "post", first)
    product = await a_product(await a_shop())
    answer = await web().get("/sitemap.xml")
    found = [node.text for node in ElementTree.fromstring(answer.content).iter(f"{SITEMAP}loc")]
    assert f"http://test.example{public}" in found and f"http://test.example/p/{product}" in found
    assert "http://test.example/g/open" in found
    assert not any(word in answer.text for word in ("closed", "secret", "moonshine", hidden))


@pytest.mark.parametrize("name", ["topics", "reviews", "guides"])
async def test_feeds_are_valid_even_when_nothing_happened_yet(web: Browser, name: str):
    answer = await web().get(f"/feeds/{name}.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert ElementTree.fromstring(answer.content).find(f"{ATOM}updated") is not None


async def test_feeds_tell_what_is_new_and_public(web: Browser):
    alice = await a_member("alice")
    url = await a_topic(alice, await a_group(alice), "Tea & <cups>")
    await a_topic(alice, await a_group(alice, visibility="closed"), "Moonshine")
    await say(alice, await a_product(await a_shop()), 2, "Meh & more.")
    feed = ElementTree.fromstring((await web().get("/feeds/topics.atom")).content)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Tea & <cups>"
    assert entry.find(f"{ATOM}link").attrib["href"] == f"http://test.example{url}"  # type: ignore[union-attr]
    assert "★★☆☆☆" in (await web().get("/feeds/reviews.atom")).text
    assert (await web().get("/feeds/other.atom")).status_code == 404


async def test_robots_are_told_where_to_look(web: Browser):
    text = (await web().get("/robots.txt")).text
    assert "Disallow: /r/" in text and "Sitemap: http://test.example/sitemap.xml" in text
    everybody, previewers, _rest = text.split("\n\n", 2)
    assert everybody.startswith("User-agent: *\n") and "Disallow: /hi" in everybody
    # They ask here first, and would show a shared link without its card, that is, without its label.
    assert "User-agent: Twitterbot\n" in previewers and "Disallow: /settings" in previewers
    assert "/r/" not in previewers and "/hi" not in previewers


async def test_a_link_of_ours_can_be_shown_elsewhere_if_it_is_public(web: Browser):
    alice = await a_member("alice")
    public = await a_topic(alice, await a_group(alice), "Which cup?")
    secret = await a_topic(alice, await a_group(alice, visibility="secret"), "Moonshine")
    product = await a_product(await a_shop(), title="Alder pack")

    async def shown(url: str) -> tuple[int, dict]:
        answer = await web().get("/oembed", params={"url": url})
        return answer.status_code, json.loads(answer.content)

    assert (await shown(f"http://test.example{public}"))[1]["title"] == "Which cup?"
    assert (await shown(f"http://test.example/p/{product}"))[1]["title"] == "Alder pack"
    for url in (f"http://test.example{secret}", f"http://evil.example{public}", "", "x" * 5000, "http://test.example/"):
        assert (await web().get("/oembed", params={"url": url})).status_code == 404
