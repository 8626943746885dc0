import json
import re

import pytest

from app import db
from app.db import watch_queries
from content.guides.schemas import Heading, Pick, Text
from content.guides.source import blocks_of, source_of
from tests.content.people import hide, say
from tests.factories import Browser, a_member, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio

SOURCE = """Three seasons, two packs.

## For wet weather
It rained **every** day.

[[product:{slug}]]
The one I kept.
+ The hip belt does not slip
- Shallow side pockets

The end.
"""


async def test_a_guide_is_typed_as_markdown_and_read_with_live_prices_and_ratings(web: Browser):
    slug = await a_product(await a_shop())
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    data = {"title": "Packs under a kilo", "summary": "Tried.", "lang": "en", "source": SOURCE.format(slug=slug)}
    answer = await submit(browser, "/guides/new", data)
    assert answer.status_code == 303 and answer.headers["location"] == "/guides/packs-under-a-kilo"
    page = (await web().get("/guides/packs-under-a-kilo")).text
    assert "<strong>every</strong>" in page and "The hip belt does not slip" in page and "$129.00" in page
    assert "No reviews yet" in page
    await say(await a_member(), slug, 4)
    await db.execute("UPDATE product SET price = 9900")
    page = (await web().get("/guides/packs-under-a-kilo")).text
    assert "$99.00" in page and "4.0 · 1 review" in page
    assert "packs-under-a-kilo" in (await web().get(f"/p/{slug}")).text
    assert "packs-under-a-kilo" in (await web().get("/guides/")).text


async def test_what_is_typed_comes_back_to_be_edited(web: Browser):
    slug = await a_product(await a_shop())
    mia, ben = await a_member("mia"), await a_member("ben")
    browser = await sign_in(web(), mia)
    source = SOURCE.format(slug=slug)
    await submit(browser, "/guides/new", {"title": "Packs", "source": source, "lang": "en"})
    shown = (await browser.get("/guides/packs/edit")).text
    assert f"[[product:{slug}]]" in shown and "+ The hip belt does not slip" in shown
    changed = {"title": "Packs again", "source": "Only words now.", "lang": "zh-Hans"}
    assert (await submit(browser, "/guides/packs/edit", changed)).status_code == 303
    page = (await web().get("/guides/packs")).text
    assert "Only words now." in page and "hip belt" not in page
    assert await db.fetch_val("SELECT count(*) FROM guide_product") == 0
    stranger = await sign_in(web(), ben)
    assert (await stranger.get("/guides/packs/edit")).status_code == 403


async def test_a_product_that_is_not_here_is_named_and_nothing_typed_is_lost(web: Browser):
    browser = await sign_in(web(), await a_member("mia"))
    answer = await submit(
        browser, "/guides/new", {"title": "Packs", "source": "My words\n\n[[product:no-such]]", "lang": "en"}
    )
    assert answer.status_code == 422
    assert "There is no product “no-such” here." in answer.text and "My words" in answer.text
    assert await db.fetch_val("SELECT count(*) FROM guide") == 0


async def test_a_double_click_publishes_one_guide(web: Browser):
    browser = await sign_in(web(), await a_member("mia"))
    once = re.search(r'name="_once" value="([^"]+)"', (await browser.get("/guides/new")).text)
    assert once
    data = {"title": "Packs", "source": "Words", "lang": "en", "_once": once[1]}
    places = {(await submit(browser, "/guides/new", data)).headers["location"] for _ in range(2)}
    assert places == {"/guides/packs"} and await db.fetch_val("SELECT count(*) FROM guide") == 1


async def test_a_program_publishes_blocks_once_under_its_key(web: Browser):
    slug = await a_product(await a_shop())
    product_id = str(await db.fetch_val("SELECT id FROM product WHERE slug = $1", slug))
    mia = await a_member("mia")
    body = {
        "title": "Packs",
        "lang": "en",
        "blocks": [
            {"type": "heading", "text": "Wet"},
            {"type": "text", "markdown": "Words <script>x</script>", "html": "<script>evil</script>"},
            {"type": "product", "product": product_id, "why": "Kept", "pros": ["Light"], "cons": ["Dear"]},
        ],
    }
    client = web(token=mia.token)
    first = await client.post("/api/v1/guides", json=body, headers={"Idempotency-Key": "g1"})
    again = await client.post("/api/v1/guides", json=body, headers={"Idempotency-Key": "g1"})
    other = await client.post("/api/v1/guides", json={**body, "title": "Other"}, headers={"Idempotency-Key": "g1"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert (
        first.json()["slug"] == again.json()["slug"] == "packs"
        and await db.fetch_val("SELECT count(*) FROM guide") == 1
    )
    told = (await web().get("/api/v1/guides/packs")).json()
    assert told["blocks"][1]["html"].startswith("<p>Words") and "<script>" not in told["blocks"][1]["html"]
    assert told["blocks"][2]["pros"] == ["Light"] and told["author"] == "mia" and told["author_earns"] is False


async def test_an_author_with_a_link_to_the_guide_is_said_to_earn_while_the_shop_pays(web: Browser):
    shop = await a_shop()
    slug = await a_product(shop)
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    await submit(browser, "/guides/new", {"title": "Packs", "source": f"[[product:{slug}]]", "lang": "en"})
    await submit(browser, "/share", {"target": "guide:packs"}, page="/guides/packs")
    assert await db.fetch_val("SELECT count(*) FROM link WHERE target_kind = 'guide'") == 1
    assert "Earns from their link" not in (await web().get("/guides/packs")).text
    await db.execute("INSERT INTO program (store_id, created_at) VALUES ($1, now())", shop.id)
    await db.execute(
        """INSERT INTO program_version (program_id, version, rate_bps, hold_days, window_days, model, published_at)
           SELECT id, 1, 800, 14, 30, 'last', now() FROM program"""
    )
    assert "Earns from their link" in (await web().get("/guides/packs")).text
    assert (await web().get("/api/v1/guides/packs")).json()["author_earns"] is True


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"type": "product", "product": "999"}],
        [{"type": "product", "product": "abc"}],
        [{"type": "product", "product": "9" * 100}],
        [{"type": "heading", "text": " "}],
        [{"type": "video", "text": "x"}],
        [{"type": "heading", "text": "x", "colour": "red"}],
    ],
)
async def test_blocks_that_cannot_be_are_refused_and_nothing_is_kept(web: Browser, blocks: list):
    mia = await a_member("mia")
    answer = await web(token=mia.token).post("/api/v1/guides", json={"title": "Packs", "blocks": blocks})
    assert answer.status_code == 422
    assert await db.fetch_val("SELECT count(*) FROM guide") == 0


async def test_two_guides_of_one_title_have_two_addresses_and_new_stays_a_door(web: Browser):
    mia = await a_member("mia")
    words = [{"type": "text", "markdown": "x"}]
    slugs = [
        (await web(token=mia.token).post("/api/v1/guides", json={"title": title, "blocks": words})).json()["slug"]
        for title in ("Packs", "Packs", "New", "三个背包")
    ]
    assert len(set(slugs)) == 4 and "new" not in slugs and slugs[3] == "三个背包"
    assert (await web().get("/guides/三个背包")).status_code == 200


async def test_a_hidden_guide_is_gone_for_others_and_marked_for_its_author(web: Browser):
    slug = await a_product(await a_shop())
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    await submit(browser, "/guides/new", {"title": "Packs", "source": f"[[product:{slug}]]", "lang": "en"})
    judge = await a_member("judge", role="moderator")
    await hide(judge, "guide", await db.fetch_val("SELECT id FROM guide"))
    assert (await web().get("/guides/packs")).status_code == 404
    assert "Packs" not in (await web().get("/guides/")).text
    assert "In guides" not in (await web().get(f"/p/{slug}")).text
    assert "A moderator has hidden this guide" in (await browser.get("/guides/packs")).text


async def test_a_guide_costs_the_same_however_many_products_it_speaks_of(web: Browser):
    shop = await a_shop()
    browser = await sign_in(web(), await a_member("mia"))
    counts = []
    for many in (1, 6):
        source = "\n\n".join([f"[[product:{await a_product(shop, f'S{many}-{n}')}]]" for n in range(many)])
        await submit(browser, "/guides/new", {"title": f"Packs {many}", "source": source, "lang": "en"})
        with watch_queries() as seen:
            await browser.get(f"/guides/packs-{many}")
        counts.append(len(seen))
        with watch_queries() as listed:
            await browser.get("/guides/")
        assert len(listed) == 2
    assert counts == [4, 4]


async def test_structured_data_cannot_end_its_own_element(web: Browser):
    shop = await a_shop()
    slug = await a_product(shop, title="Pack </script><script>alert(1)</script>")
    await say(await a_member(), slug, 4)
    page = (await web().get(f"/p/{slug}")).text
    data = page.split('<script type="application/ld+json">')[1].split("</script>")[0]
    told = json.loads(data)
    assert told["name"].startswith("Pack </script>")
    assert told["aggregateRating"] == {"@type": "AggregateRating", "ratingValue": 4.0, "reviewCount": 1}


def test_source_and_blocks_say_the_same():
    blocks = blocks_of("Hi\n\n# One\n[[product:a]]\nwhy\nmore why\n+ good\n- bad\n\n```\n[[product:no]]\n# no\n```\n")
    assert blocks == [
        Text("Hi"),
        Heading("One"),
        Pick("a", "why more why", ["good"], ["bad"]),
        Text("```\n[[product:no]]\n# no\n```"),
    ]
    assert blocks_of(source_of(blocks, {})) == blocks


async def test_a_draft_is_kept_for_its_author_alone_and_goes_when_it_is_published(web: Browser):
    mia, ben = await a_member("mia"), await a_member("ben")
    hers, his = await sign_in(web(), mia), await sign_in(web(), ben)
    begun = {"title": "Packs", "source": "Not much yet", "lang": "en", "keep": "yes"}
    kept = await submit(hers, "/guides/new", begun)
    address = kept.headers["location"]
    assert kept.status_code == 303 and address.startswith("/guides/new?draft=")
    assert "Not much yet" in (await hers.get(address)).text and "Packs" in (await hers.get("/guides/drafts")).text
    assert (await his.get(address)).status_code == 404
    assert "Packs" not in (await his.get("/guides/drafts")).text + (await web().get("/guides/")).text
    draft = address.rpartition("=")[2]
    stolen = await submit(his, "/guides/new", {**begun, "draft": draft, "source": "Mine now"})
    assert stolen.status_code == 404
    assert (await submit(his, f"/guides/drafts/{draft}/discard", {}, page="/guides/drafts")).status_code == 303
    more = {**begun, "draft": draft, "source": "A little more"}
    assert (await submit(hers, "/guides/new", more)).headers["location"] == address
    assert await db.fetch_val("SELECT source FROM guide_draft") == "A little more"
    del more["keep"]
    done = await submit(hers, "/guides/new", more)
    assert done.headers["location"] == "/guides/packs" and await db.fetch_val("SELECT count(*) FROM guide_draft") == 0
    assert (await hers.get(address)).status_code == 404


async def test_a_draft_may_lack_everything_but_a_title(web: Browser):
    browser = await sign_in(web(), await a_member("mia"))
    assert (await submit(browser, "/guides/new", {"keep": "yes", "title": ""})).status_code == 422
    kept = await submit(browser, "/guides/new", {"keep": "yes", "title": "One day"})
    assert kept.status_code == 303
    draft = kept.headers["location"].rpartition("=")[2]
    empty = await submit(browser, "/guides/new", {"draft": draft, "title": "One day", "source": ""})
    assert empty.status_code == 422 and f'value="{draft}"' in empty.text, "and it still knows which draft it is"
    assert (await submit(browser, f"/guides/drafts/{draft}/discard", {}, page="/guides/drafts")).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM guide_draft") == 0
