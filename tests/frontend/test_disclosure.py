"""Whoever meets a link that earns reads so right beside it: on pages, in talk, in feeds, widgets and the JSON doors."""

import ast
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app import clock, disclosure
from app.disclosure import EarningLink, is_earning, labelled_text, mark
from app.text import chat_markdown, excerpt, markdown
from app.web import FRONTEND, environment
from tests.content.people import say
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, click

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
ENGLISH = {"Accept-Language": "en"}
CHINESE = {"Accept-Language": "zh-CN"}
SPELLINGS = [
    "/r/mara",
    "http://test.example/r/mara",
    "https://test.example/r/mara?a=1",
    "HTTP://TEST.example/r/mara",
    "/%72/mara",
    "/./r/mara",
    "/g/../r/mara",
    "http:/r/mara",
    "/hi/mara",
    "/hi?code=mara",
    "/login?next=/r/mara",
    "http://test.example/join?a=b&next=%2Fr%2Fmara",
    "/p/trail-pack?gv=0123456789abcdef0123456789abcdef",
    "https://north.example/p?x=1&gv=01234567-89ab-cdef-0123-456789abcdef",
]


class Anchors(HTMLParser):
    """Every link of a page, with the label that stands directly behind it (or nothing)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._open = self._label = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = {name: value or "" for name, value in attrs}
        # A page's link to itself, in another language or signed in, leads nowhere new.
        to_itself = "hreflang" in given or given.get("href", "").startswith(("/login?next=/hi/", "/join?next=/hi/"))
        if tag == "a" and not to_itself:
            self._open, self._label = True, False
            self.found.append({"href": given.get("href", ""), "rel": given.get("rel", ""), "label": ""})
        elif tag == "small" and given.get("class") == "ad" and self.found and not self._open:
            self._label = True

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "a"
        self._label = self._label and tag != "small"

    def handle_data(self, data: str) -> None:
        if self._label:
            self.found[-1]["label"] += data


def earning_links(html: str) -> list[dict[str, str]]:
    """The links of a page by which somebody earns, each of which must be labelled and marked for search engines."""
    found = [anchor for anchor in Anchors(html).found if is_earning(anchor["href"])]
    for anchor in found:
        assert "sponsored" in anchor["rel"] and "nofollow" in anchor["rel"], anchor
        assert "#ad" in anchor["label"] or "广告" in anchor["label"], anchor
    return found


@pytest.mark.parametrize("address", SPELLINGS)
def test_an_earning_link_in_a_text_is_labelled_however_it_is_spelled(address: str):
    for render in (markdown, chat_markdown):
        (link,) = earning_links(render(f"Look at [this pack](<{address}>), it is good."))
        assert link["label"] == "#ad 广告" and "ugc" in link["rel"]


def test_an_address_that_was_only_typed_is_labelled_too():
    assert len(earning_links(markdown("http://test.example/r/mara, or\nhttp://test.example/r/bob"))) == 2
    assert excerpt("Take **this**: http://test.example/r/mara_x!").startswith(
        "Take this: http://test.example/r/marax! (#ad)"
    )
    assert excerpt("See [my pack](/r/mara) and [a review](/p/x)") == "See my pack (#ad) and a review"
    assert labelled_text("at /r/mara and /p/x") == "at /r/mara (#ad) and /p/x"


@pytest.mark.parametrize(
    "address",
    [
        "/p/trail-pack",
        "/reviews/r/x",
        "/hi",
        "/login?next=/earn",
        "/login?next=https://elsewhere.example/r/x",
        "https://elsewhere.example/r/mara",
        "/rr/x",
        "/r",
        "https://x.example/?gv=1",
        "//[",
    ],
)
def test_other_links_stay_without_a_label(address: str):
    assert not is_earning(address)
    assert "#ad" not in markdown(f"[x](<{address}>)") and "sponsored" not in markdown(f"[x](<{address}>)")


def test_a_label_cannot_be_typed_away_or_made_up():
    """What looks like our label in a member's text is text; ours stands behind it all the same."""
    html = markdown('[x](/r/mara) <small class="ad">not an ad</small>')
    assert html.count('<small class="ad">') == 1 and "&lt;small" in html


def test_a_stores_short_domain_earns_as_well():
    disclosure.short_links_live_at(frozenset({"go.north.example"}))
    try:
        assert len(earning_links(markdown("[x](https://go.north.example/pack) [y](https://go.north.example/)"))) == 1
    finally:
        disclosure.short_links_live_at(frozenset())


async def test_a_shops_own_address_with_a_members_code_earns_as_well(house: object):
    from referrals.links import domains

    await a_paying_shop()
    await domains.refresh()
    try:
        assert (
            len(
                earning_links(markdown("[x](https://north.example/p/1?a=b&ref=mara) [y](https://north.example/?via=m)"))
            )
            == 2
        )
        assert (
            earning_links(markdown("[x](https://north.example/p/1?a=b) [y](https://elsewhere.example/?ref=mara)")) == []
        )
    finally:
        disclosure.shops_live_at(frozenset())


def test_the_label_speaks_the_readers_language_and_what_the_market_wants():
    assert mark("en") == "#ad" and mark("zh-Hans") == "广告"
    assert mark("en", "CN") == "#ad 广告" and mark("zh-Hans", "CN") == "广告"
    assert mark("zh-Hans", "US") == "广告 #ad" and mark("en", "DE") == "#ad Anzeige"
    assert mark("fr", "somewhere") == "#ad"


def test_an_earning_link_cannot_be_shown_without_its_label():
    """Whoever forgets the macro and writes `{{ link }}` anywhere, even inside href, has written the label too."""
    for careless in ("{{ link }}", '<a href="{{ link }}">x</a>', "{{ link ~ '' }}", "{{ '%s'|format(link) }}"):
        shown = environment.from_string(careless).render(link=EarningLink("/r/mara", "DE"))
        assert "Anzeige" in shown and "#ad" in shown
    assert f"{EarningLink('/r/mara')}" == "/r/mara (#ad)"


def test_no_template_writes_an_earning_link_by_itself():
    """The macro `ui.earning` writes link and label together; elsewhere neither `sponsored` nor such an address stands.

    Pictures of a code and pages about a link are not links to follow.
    """
    wrong = []
    for file in sorted((FRONTEND / "templates").rglob("*.html")):
        text = file.read_text()
        if file.name == "ui.html":
            assert text.count("sponsored") == 2 and text.count("link.address") == 1
            continue
        for found in re.finditer(
            r"""(?:href|action|data-href)=["'][^"']*?(?:/r/|/hi/|[?&]gv=|\.address\b)[^"']*""", text
        ):
            if not re.search(r"(?:qr|poster|card)\.(?:svg|png|pdf|jpg)|/key", found[0]):
                wrong.append(f"{file.relative_to(FRONTEND)}: {found[0]}")
        if "sponsored" in text:
            wrong.append(f"{file.relative_to(FRONTEND)}: sponsored")
    assert wrong == []


def test_no_script_writes_an_earning_link_by_itself():
    scripts = [*(FRONTEND / "widgets").rglob("*.js"), *(FRONTEND / "components").rglob("*.js")]
    assert [file.name for file in scripts if re.search(r"[\"'`/]r/|sponsored", file.read_text())] == []


def test_only_the_ui_macro_and_the_label_itself_take_the_bare_address():
    """In Python too: `.address` of an EarningLink is read nowhere else, so no door can hand it out bare."""
    users = []
    for area in ("frontend", "referrals", "content", "community", "search", "demo"):
        for file in (ROOT / area).rglob("*.py"):
            text = file.read_text()
            if "EarningLink" in text:
                tree = ast.parse(text)
                users += [
                    file.name for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "address"
                ]
    assert users == []


async def test_a_label_stands_by_every_earning_link_of_the_pages(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    await say(mara, "trail-pack", 5, "I sell it [here](/r/mara) and http://test.example/r/mara")
    code = (await a_link(web, mara))["code"]
    browser = await sign_in(web(), mara)
    guide = {"title": "Packs", "lang": "en", "source": "[me](/r/mara)\n\n[[product:trail-pack]]\nGood."}
    await submit(browser, "/guides/new", guide)
    visitor = web()
    await click(visitor, code)
    for path, reader, least in (
        ("/p/trail-pack", web(), 3),  # the review's two, and "to the shop by their link"
        ("/p/trail-pack", visitor, 4),  # and the shop's own, since they came by a link
        ("/guides/packs", web(), 2),
    ):
        assert len(earning_links((await reader.get(path, headers=ENGLISH)).text)) >= least, path
    page = (await web().get("/p/trail-pack", headers=CHINESE)).text
    assert {link["label"] for link in earning_links(page)} == {"#ad 广告", "广告 #ad"}
    assert 'html[lang|="zh"] .ad > [lang="en"]' in (FRONTEND / "static/css/parts/kit.css").read_text()


async def test_no_page_of_the_house_shows_a_bare_earning_link(web: Browser):
    """Mara earns, and says so nowhere herself. Whoever looks, wherever: each link that earns has its label."""
    mara = await a_member("mara", name="Mara")
    await a_paying_shop()
    group = await a_group(mara)
    client, browser = web(token=mara.token), await sign_in(web(), mara)
    code = (await a_link(web, mara))["code"]
    words = f"Look: http://test.example/r/{code} and [this](/hi/{code})"
    await say(mara, "trail-pack", 5, words)
    topic = {"title": "Packs", "body": words, "kind": "discussion"}
    url = (await client.post(f"/api/v1/groups/{group}/topics", json=topic)).json()["url"]
    room = (await client.get(f"/api/v1/groups/{group}")).json()["room_id"]
    said = {"client_id": "6f2b4c1e-0d57-4b8e-9a51-7f3f2b1d9c10", "body": words}
    await client.post(f"/api/v1/rooms/{room}/messages", json=said)
    await submit(
        browser, "/guides/new", {"title": "Packs", "lang": "en", "source": f"{words}\n\n[[product:trail-pack]]"}
    )
    question = {"body": "Does it hold in the rain?"}
    asked = (await client.post("/api/v1/products/trail-pack/questions", json=question)).json()
    await client.post(f"/api/v1/questions/{asked['id']}/answers", json={"body": words})
    await run_jobs()
    seen = 0
    for path in (
        *(
            "/",
            "/p/",
            "/p/trail-pack",
            "/guides/",
            "/guides/packs",
            "/g/",
            f"/g/{group}",
            url,
            "/@mara",
            "/search?q=look",
        ),
        *(
            f"/chat/{room}",
            "/earn",
            "/earn/links",
            f"/share/{code}",
            f"/share/{code}/kit",
            f"/hi/{code}",
            "/notifications",
        ),
    ):
        for reader in (browser, web()):
            answer = await reader.get(path, headers=ENGLISH, follow_redirects=True)
            assert answer.status_code in (200, 401, 403, 404), (path, answer.status_code)
            seen += len(earning_links(answer.text))
    assert seen >= 25


def test_labelling_again_changes_nothing():
    once = markdown("[x](/r/mara), [y](/p/x) and http://test.example/r/bob")
    assert disclosure.labelled(once) == once == disclosure.labelled(disclosure.labelled(once))


async def test_what_was_written_before_it_earned_is_labelled_when_it_is_read(web: Browser):
    from referrals.links import domains

    mara = await a_member("mara")
    group = await a_group(mara)
    words = "Mine: [here](https://north.example/p/1?ref=mara)"
    await domains.refresh()  # no shop yet
    topic = {"title": "Packs", "body": words, "kind": "discussion"}
    url = (await web(token=mara.token).post(f"/api/v1/groups/{group}/topics", json=topic)).json()["url"]
    assert earning_links((await web().get(url)).text) == []
    await a_paying_shop()
    await domains.refresh()
    clock.travel(timedelta(minutes=1))  # a stranger's page is rendered once a minute for the same rows
    try:
        assert len(earning_links((await web().get(url)).text)) == 1
    finally:
        disclosure.shops_live_at(frozenset())


async def test_talk_labels_earning_links_for_everyone_in_the_room(web: Browser):
    mara = await a_member("mara")
    slug = await a_group(mara)
    client = web(token=mara.token)
    topic = await client.post(
        f"/api/v1/groups/{slug}/topics",
        json={"title": "Packs", "body": "Mine: /r/x, [here](/r/mara)", "kind": "discussion"},
    )
    posts = (await client.get(f"/api/v1/topics/{topic.json()['id']}/posts")).json()["items"]
    assert len(earning_links(posts[0]["html"])) == 1
    room = (await client.get(f"/api/v1/groups/{slug}")).json()["room_id"]
    said = {"client_id": "6f2b4c1e-0d57-4b8e-9a51-7f3f2b1d9c10", "body": "http://test.example/r/mara"}
    assert (await client.post(f"/api/v1/rooms/{room}/messages", json=said)).status_code == 201
    (message,) = (await client.get(f"/api/v1/rooms/{room}/messages")).json()["items"]
    assert len(earning_links(message["html"])) == 1


async def test_feeds_and_widgets_say_it_too(web: Browser):
    mara, ben = await a_member("mara"), await a_member("ben")
    await a_paying_shop()
    await say(mara, "trail-pack", 2, "Hm. http://test.example/r/mara")
    await say(ben, "trail-pack", 5, "Fine.")
    feed = (await web().get("/feeds/reviews.atom", headers=ENGLISH)).text
    assert "广告" not in feed and "http://test.example/r/mara (#ad)" in feed
    await a_link(web, mara)
    await run_jobs()
    entries = (await web().get("/feeds/reviews.atom", headers=ENGLISH)).text.split("<entry>")[1:]
    (hers,) = [entry for entry in entries if "<name>mara</name>" in entry]
    (his,) = [entry for entry in entries if "<name>ben</name>" in entry]
    assert '<category term="#ad 广告"/><summary>#ad 广告 Hm.' in hers and "#ad" not in his
    told = (await web().get("/embed/v1/products/north/SKU-1?limit=5")).json()["reviews"]
    assert {review["author"]: review["earns"] for review in told} == {"mara": True, "ben": False}
    assert "(#ad)" in next(review["text"] for review in told if review["author"] == "mara")


async def test_the_json_door_hands_out_no_link_without_its_label(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    assert (await a_link(web, mara))["disclosure"] == "I may earn from this link."
    for link in (await web(token=mara.token, **CHINESE).get("/api/v1/links")).json()["items"]:
        assert link["disclosure"] and link["disclosure"] != "I may earn from this link."
        assert link["label"] == "广告"


async def test_no_json_door_is_documented_with_a_link_that_has_no_label_beside_it(application: object):
    """Every example of the OpenAPI document, which tests send and compare with what the doors really give."""
    from app.main import build
    from app.openapi import document

    bare: list[str] = []
    seen = 0

    def look(value: object, labelled_above: bool) -> None:
        nonlocal seen
        if isinstance(value, dict):
            has_label = labelled_above or any(value.get(name) for name in ("disclosure", "label", "mark"))
            for part in value.values():
                look(part, has_label)
        elif isinstance(value, (list, tuple)):
            for part in value:
                look(part, labelled_above)
        elif isinstance(value, str) and re.fullmatch(r"https?://[^/]+/(?:r|hi)/[^/?#]+", value):
            seen += 1
            bare.extend([] if labelled_above else [value])

    for path in document(build())["paths"].values():
        for operation in path.values():
            for answer in operation.get("responses", {}).values():
                look(answer.get("content", {}), False)
    assert seen >= 3 and bare == []


async def test_a_rewarded_review_is_flagged_and_no_sentiment_is_asked_for(web: Browser):
    """One star or five: the same path, at once, the same flag, the same way to the shop, the same counting."""
    await a_paying_shop()
    for handle, stars in (("mara", 1), ("ben", 5)):
        member = await a_member(handle)
        await a_link(web, member)
        await say(member, "trail-pack", stars, "My word.")
    shown = (await web().get("/api/v1/products/trail-pack/reviews?sort=new")).json()["items"]
    assert {review["rating"]: review["earns_from_store"] for review in shown} == {1: True, 5: True}
    assert {frozenset(review) for review in shown} == {frozenset(shown[0])}
    page = (await web().get("/p/trail-pack?sort=new", headers=ENGLISH)).text
    assert page.count("Earns from their link") == 2 and len(earning_links(page)) == 2
    sources = "".join(file.read_text() for file in (ROOT / "referrals").rglob("*.py") if "migrations" not in file.parts)
    assert not re.search(r"\brating\b|\bstars\b", sources), "what is credited must not know of stars"


async def test_a_preview_says_the_sites_name_once(web: Browser):
    await a_paying_shop()
    for path, title in (("/p/trail-pack", "Trail pack"), ("/guides/", "Guides"), ("/", None)):
        html = (await web().get(path, headers=ENGLISH)).text
        (shown,) = re.findall(r'<meta property="og:title" content="([^"]*)">', html)
        assert "· Grapevine" not in shown and (title is None or shown == title)
        assert '<meta property="og:site_name" content="Grapevine">' in html
