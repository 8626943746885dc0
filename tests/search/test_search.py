"""What is found, by whom, and what odd questions do."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from app import db
from app.db import watch_queries
from community.topics import service as topics
from community.topics.schemas import NewTopic
from search import service
from tests.content.people import hide, say
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio


async def ask(client: httpx.AsyncClient, q: str, **more: str) -> dict:
    answer = await client.get("/api/v1/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def titles(client: httpx.AsyncClient, q: str, **more: str) -> list[str]:
    return [item["title"] for item in (await ask(client, q, **more))["items"]]


async def a_topic(author: Person, group: str, title: str, body: str = "Words.") -> int:
    made = await topics.open_topic(author.viewer, group, NewTopic(title, body))
    await run_jobs()
    return int(made.id)


async def a_guide(author: Person, slug: str) -> str:
    from content.guides.schemas import Heading, NewGuide, Pick, Text
    from content.guides.service import publish_guide

    product_id = await db.fetch_val("SELECT id FROM product WHERE slug = $1", slug)
    blocks = [Heading("Before you buy"), Text("Look at the **zippers** first."), Pick(str(product_id), "Sturdy seams")]
    made = await publish_guide(author.viewer, NewGuide("Three honest rucksacks", blocks, "For wet days"))
    await run_jobs()
    return made


async def test_each_kind_is_found_as_soon_as_it_is_there(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    group = await a_group(alice, "hills", name="Weekend hikers")
    topic_id = await a_topic(alice, group, "Which rope for a beginner?", "I want to climb.")
    await topics.reply(alice.viewer, topic_id, "Take a dynamic one, never a static.")
    product = await a_product(await a_shop())
    await say(bob, product, 2, "The buckle snapped in the second week.", "Not for winter")
    await a_guide(alice, product)

    client = web()
    found = {
        "hikers": "group",
        "rope": "topic",
        "dynamic": "topic",
        "buckle": "review",
        "zippers": "guide",
        "seams": "guide",
    }
    for word, kind in found.items():
        items = (await ask(client, word))["items"]
        assert [item["kind"] for item in items] == [kind], word
        assert (await client.get(items[0]["url"])).status_code == 200
    title = await db.fetch_val("SELECT title FROM product WHERE slug = $1", product)
    assert "product" in [item["kind"] for item in (await ask(client, title))["items"]]


async def test_facets_count_every_kind_and_filters_narrow(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    here, there = await a_group(alice, "here"), await a_group(alice, "there")
    await a_topic(alice, here, "Lantern oil")
    await a_topic(alice, there, "Lantern glass")
    product = await a_product(await a_shop())
    await say(bob, product, 5, "Brighter than my lantern.")
    client = web()
    everything = await ask(client, "lantern")
    assert everything["facets"]["kind"] == {"topic": 2, "review": 1}
    assert {(f["slug"], f["count"]) for f in everything["facets"]["group"]} == {("here", 1), ("there", 1)}
    assert [(f["slug"], f["count"]) for f in everything["facets"]["product"]] == [(product, 1)]
    assert await titles(client, "lantern", group="there") == ["Lantern glass"]
    assert len(await titles(client, "lantern", product=product)) == 1
    assert await titles(client, "lantern", group="nowhere") == []
    only = await ask(client, "lantern", kind="topic")
    assert len(only["items"]) == 2 and only["facets"]["kind"] == {"topic": 2, "review": 1}
    assert only["engine"] == "postgres" and only["took_ms"] > 0
    assert (await client.get("/api/v1/search", params={"q": "lantern", "kind": "secret"})).status_code == 422


async def test_word_forms_halves_accents_and_typos_are_forgiven(web: Browser):
    alice = await a_member("alice")
    group = await a_group(alice)
    await a_topic(alice, group, "Hiked with two kettles to the café", "Straße, don't ask.")
    client = web()
    for question in (
        "hiking",
        "kettle",
        "KETTLES",
        "kett",
        "cafe café",
        "how do I hike with a kettle",
        "dont",
        "strasse",
    ):
        assert await titles(client, question), question
    near = await ask(client, "kettel")
    assert len(near["items"]) == 1 and near["is_near"]
    some = await ask(client, "kettle submarine")
    assert len(some["items"]) == 1 and some["is_near"]
    assert await titles(client, "submarine") == []


async def test_chinese_is_found_by_words_parts_and_single_signs(web: Browser):
    alice = await a_member("alice")
    group = await a_group(alice)
    await a_topic(alice, group, "手冲咖啡壶怎么选", "我家的水温总是不稳定，想换一个细口壶。")
    await a_topic(alice, group, "露营帐篷防水吗")
    client = web()
    for question in ("咖啡", "咖啡壶", "手冲", "水温", "细口壶", "水温不稳定", "壶", "怎么选咖啡壶？"):
        assert await titles(client, question) == ["手冲咖啡壶怎么选"], question
    assert await titles(client, "帐篷 防水") == ["露营帐篷防水吗"]
    found = (await ask(client, "水温"))["items"][0]
    assert "<mark>水温</mark>" in found["snippet"]


async def test_what_is_said_in_closed_and_secret_groups_is_found_by_their_members_only(web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    for slug, visibility in (("open", "public"), ("walled", "closed"), ("hush", "secret")):
        await a_group(alice, slug, visibility=visibility, name=f"Moonshine {slug}")
        await a_topic(alice, slug, f"Moonshine at {slug}")
    inside, outside, stranger = web(token=alice.token), web(token=charlie.token), web()
    assert len((await ask(inside, "moonshine"))["items"]) == 6
    for client in (outside, stranger):
        seen = await ask(client, "moonshine")
        assert sorted(item["title"] for item in seen["items"]) == [
            "Moonshine at open",
            "Moonshine open",
            "Moonshine walled",  # that it exists may be seen; what is said in it may not
        ]
        assert seen["facets"]["kind"] == {"group": 2, "topic": 1}
        assert "hush" not in json.dumps(seen)
        assert (await ask(client, "moonshine", group="hush"))["facets"]["kind"] == {}
    assert "hush" not in (await stranger.get("/search?q=moonshine")).text


async def test_a_revoked_member_finds_nothing_from_that_moment(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice, visibility="closed")
    await a_topic(alice, slug, "Moonshine")
    from community.groups.service import admit, join

    await join(bob.viewer, slug)
    await admit(alice.viewer, slug, bob.id)
    client = web(token=bob.token)
    assert await titles(client, "moonshine") == ["Moonshine"]
    await db.execute("DELETE FROM membership WHERE member_id = $1", bob.id)
    assert await titles(client, "moonshine") == []


async def test_what_moderators_hide_leaves_the_results(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    group = await a_group(alice)
    topic_id = await a_topic(alice, group, "Moonshine", "A first word.")
    reply = await topics.reply(alice.viewer, topic_id, "Absinthe")
    await run_jobs()
    client = web()
    assert await titles(client, "absinthe") == ["Moonshine"]
    await hide(mod, "post", int(reply.id))
    assert await titles(client, "absinthe") == []
    first = await db.fetch_val("SELECT id FROM post WHERE topic_id = $1 AND number = 1", topic_id)
    await hide(mod, "post", first)
    assert await titles(client, "moonshine") == []
    product = await a_product(await a_shop())
    review_id = await say(alice, product, 1, "Awful moonshine")
    assert len((await ask(client, "moonshine"))["items"]) == 1
    case_id = await hide(mod, "review", review_id)
    assert await titles(client, "moonshine") == []
    from community.moderation.service import restore

    await restore(mod.viewer, case_id, "It was fine after all")
    await run_jobs()
    assert len((await ask(client, "moonshine"))["items"]) == 1


async def test_hiding_takes_effect_even_before_the_index_has_heard_of_it(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    group = await a_group(alice)
    topic_id = await a_topic(alice, group, "Moonshine")
    first = await db.fetch_val("SELECT id FROM post WHERE topic_id = $1 AND number = 1", topic_id)
    case_id = await db.fetch_val(
        """INSERT INTO moderation_case (subject_kind, subject_id, url, excerpt, opened_at, state, reason)
           VALUES ('post', $1, '/', '', now(), 'hidden', 'x') RETURNING id""",
        first,
    )
    await db.execute(
        """INSERT INTO hiding (subject_kind, subject_id, case_id, by_id, reason, created_at)
           VALUES ('post', $1, $2, $3, 'x', now())""",
        first,
        case_id,
        mod.id,
    )
    assert await titles(web(), "moonshine") == []


@pytest.mark.parametrize(
    "question",
    ["'", '"', "a' OR 1=1 --", "!!! &|():*<->", "\\", "%", "_", "''''", "x:*", "🍇", "🍇🍇 tea", "\x00", "te\x00a",
     "‮", "a" * 200, "tea " * 50, "茶" * 200, "&" * 200, "<script>alert(1)</script>", "\ud7ff", "١٢٣", "-tea", "NOT"],
)  # fmt: skip
async def test_no_question_does_harm(web: Browser, question: str):
    alice = await a_member("alice")
    await a_topic(alice, await a_group(alice), "Tea <b>and</b> 茶")
    api = await web().get("/api/v1/search", params={"q": question})
    assert api.status_code == 200, api.text
    shown = await web().get("/search", params={"q": question})
    assert shown.status_code == 200
    assert "<script>alert(1)" not in shown.text and "<b>and</b>" not in shown.text


@pytest.mark.parametrize(
    "query", ["q=%ff%fe", "q=%00", "q=a&q=b", "q", "", "q=x&after=zzz", "q=x&limit=-1", "q=x&limit=9e9"]
)
async def test_no_address_does_harm(web: Browser, query: str):
    assert (await web().get(f"/api/v1/search?{query}")).status_code in (200, 400, 422)
    assert (await web().get(f"/search?{query}")).status_code in (200, 400)


async def test_a_question_too_long_is_refused_by_the_api_and_cut_by_the_page(web: Browser):
    assert (await web().get("/api/v1/search", params={"q": "tea " * 2500})).status_code == 422
    assert (await web().get("/search", params={"q": "tea " * 2500})).status_code == 200


async def test_marks_are_the_only_markup_in_a_result(web: Browser):
    alice = await a_member("alice")
    await a_topic(
        alice, await a_group(alice), "<img src=x onerror=alert(1)> kettle", "A <script> kettle </script> & more"
    )
    item = (await ask(web(), "kettle"))["items"][0]
    assert item["title_html"] == "&lt;img src=x onerror=alert(1)&gt; <mark>kettle</mark>"
    assert item["snippet"] == "A &lt;script <mark>kettle</mark> &lt;/script &amp; more"


async def test_pages_follow_each_other_without_holes_or_doubles(web: Browser):
    alice = await a_member("alice")
    group = await a_group(alice)
    for n in range(7):
        await a_topic(alice, group, f"Kettle number {n}")
    client, seen, after = web(), [], ""
    while True:
        answer = await ask(client, "kettle", limit="3", **({"after": after} if after else {}))
        seen += [item["title"] for item in answer["items"]]
        after = answer["next"]
        if not after:
            break
    assert sorted(seen) == [f"Kettle number {n}" for n in range(7)]


async def test_someone_who_asks_without_pause_is_asked_to_slow_down(web: Browser):
    client = web(token=(await a_member("alice")).token)
    answers = [(await client.get("/api/v1/search?q=tea")).status_code for _ in range(121)]
    assert answers[-1] == 429 and answers[-2] == 200


async def test_a_search_costs_the_same_however_much_is_found(web: Browser):
    alice = await a_member("alice")
    group = await a_group(alice)
    browser = await sign_in(web(), alice)
    await a_topic(alice, group, "Kettle")
    with watch_queries() as few:
        await browser.get("/search?q=kettle")
    for n in range(5):
        await a_topic(alice, group, f"Kettle {n}")
    with watch_queries() as many:
        await browser.get("/search?q=kettle")
    assert len(few) == len(many) == 4


async def test_the_index_can_be_made_anew_and_forgets_what_is_gone(web: Browser):
    alice = await a_member("alice")
    await a_topic(alice, await a_group(alice), "Kettle")
    await db.execute("DELETE FROM search_document")
    await db.execute(
        """INSERT INTO search_document (kind, ref_id, title, url, updated_at, words)
           VALUES ('guide', 999999, 'Kettle of old', '/x', now(), $1::text::tsvector)""",
        "'kettl':1A",
    )
    done = await service.reindex()
    assert done == {"group": 1, "topic": 1, "product": 0, "review": 0, "guide": 0, "live": 0}
    assert await titles(web(), "kettle") == ["Kettle"]
    assert await db.fetch_val("SELECT count(*) FROM search_document") == 2


async def test_many_jobs_about_one_topic_at_once_leave_its_newest_words(web: Browser):
    alice = await a_member("alice")
    topic_id = await a_topic(alice, await a_group(alice), "Kettle")

    async def change(n: int) -> None:
        await db.execute("UPDATE topic SET title = $2 WHERE id = $1", topic_id, f"Kettle {n}")
        await service.index("topic", [topic_id])

    await asyncio.gather(*(change(n) for n in range(10)))
    title = await db.fetch_val("SELECT title FROM topic WHERE id = $1", topic_id)
    assert await titles(web(), "kettle") == [title]


async def test_the_page_speaks_without_javascript_and_in_chinese(web: Browser):
    alice = await a_member("alice")
    await a_topic(alice, await a_group(alice), "Kettle")
    page = await web().get("/search?q=kettle")
    assert 'name="q" value="kettle"' in page.text and "<mark>Kettle</mark>" in page.text
    assert page.headers["etag"]
    assert "没有找到" in (await web().get("/search?q=submarine&lang=zh-Hans")).text


async def test_a_found_review_says_what_its_author_earns_and_what_proves_it(web: Browser):
    mia, ben = await a_member("mia"), await a_member("ben")
    shop = await a_shop()
    product = await a_product(shop)
    await say(mia, product, 5, "Moonshine proof.")
    await say(ben, product, 2, "Not moonshine proof.")
    await db.execute("INSERT INTO program (store_id, created_at) VALUES ($1, now())", shop.id)
    await db.execute(
        """INSERT INTO program_version (program_id, version, rate_bps, hold_days, window_days, model, published_at)
           SELECT id, 1, 800, 14, 30, 'last', now() FROM program"""
    )
    await db.execute(
        """INSERT INTO link (code, owner_id, store_id, target_kind, target_id, destination, placement, created_at)
           SELECT 'abc', $1, $2, 'product', id, url, '', now() FROM product""",
        mia.id,
        shop.id,
    )
    told = (await ask(web(), "moonshine"))["items"]
    assert {item["author"]["handle"]: item["author"]["earns"] for item in told} == {"mia": True, "ben": False}
    for page in (await web().get("/search?q=moonshine"), await web().get("/")):
        assert page.text.count("Earns from their link") == 1
        assert page.text.count("Purchase not verified") == 2
    assert (await web().get("/@mia")).text.count("Earns from their link") == 1


class Recorded(BaseHTTPRequestHandler):
    """A Meilisearch that answers as its documentation says, and writes down what it was asked."""

    asked: list[tuple[str, str, dict]] = []
    hits: list[dict] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"null")
        self.asked.append((self.command, self.path, body))
        if self.path.endswith("/search"):
            self._say(
                {
                    "hits": self.hits[: body.get("limit", 20)],
                    "query": body["q"],
                    "processingTimeMs": 1,
                    "limit": body.get("limit"),
                    "offset": body.get("offset", 0),
                    "estimatedTotalHits": len(self.hits),
                    "facetDistribution": {"kind": {"topic": len(self.hits)}, "group_id": {}, "product_id": {}},
                    "facetStats": {},
                }
            )
        else:
            self._say(
                {
                    "taskUid": 1,
                    "indexUid": "grapevine",
                    "status": "enqueued",
                    "type": "documentAdditionOrUpdate",
                    "enqueuedAt": "2026-11-22T10:00:00.000000Z",
                },
                202,
            )

    do_PUT = do_PATCH = do_DELETE = do_POST

    def _say(self, body: dict, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def meilisearch(monkeypatch: pytest.MonkeyPatch):
    from app.settings import settings

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    Recorded.asked, Recorded.hits = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GRAPEVINE_MEILI_URL", f"http://127.0.0.1:{server.server_port}")
    settings.cache_clear()
    yield Recorded
    server.shutdown()
    server.server_close()
    monkeypatch.undo()
    settings.cache_clear()


async def test_meilisearch_is_told_what_there_is(web: Browser, meilisearch: type[Recorded]):
    alice = await a_member("alice")
    await a_group(alice, "hush", visibility="secret")
    await a_topic(alice, "hush", "Moonshine", "Body")
    told = [row for _, path, rows in meilisearch.asked if "/documents?primaryKey=key" in path for row in rows]
    assert {(row["key"].split("-")[0], row["title"], row["open"]) for row in told} >= {("topic", "Moonshine", False)}
    await service.reindex()
    assert any(path.endswith("/settings") for _, path, _ in meilisearch.asked)


async def test_meilisearch_finds_and_our_policy_decides(web: Browser, meilisearch: type[Recorded]):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    await a_group(alice, "hush", visibility="secret")
    secret = await a_topic(alice, "hush", "Moonshine")
    public = await a_topic(alice, await a_group(alice), "Moonlight")
    # An index that is behind: it holds a secret topic as if it were open, and one that is gone.
    meilisearch.hits = [{"kind": "topic", "ref_id": ref_id} for ref_id in (secret, 999_999, public)]
    answer = await ask(web(token=charlie.token), "moon")
    assert answer["engine"] == "meilisearch"
    assert [item["title"] for item in answer["items"]] == ["Moonlight"]
    assert len((await ask(web(token=alice.token), "moon"))["items"]) == 2
    asked = [body for _, path, body in meilisearch.asked if path.endswith("/search")]
    assert asked[0]["filter"] == ["open = true"] and "OR group_id IN [" in asked[-1]["filter"][0]


async def test_postgres_stands_in_while_meilisearch_is_away(web: Browser, monkeypatch: pytest.MonkeyPatch):
    from app.settings import settings

    alice = await a_member("alice")
    await a_topic(alice, await a_group(alice), "Moonlight")
    monkeypatch.setenv("GRAPEVINE_MEILI_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    try:
        answer = await ask(web(), "moonlight")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert answer["engine"] == "postgres" and len(answer["items"]) == 1
