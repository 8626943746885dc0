"""What can be shared, where a link may lead, and who owns it."""

import asyncio

import pytest

from app import db
from app.db import watch_queries
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop

pytestmark = pytest.mark.anyio


async def test_everybody_has_a_link_from_the_start(web: Browser):
    mara = await a_member("mara")
    (link,) = (await web(token=mara.token).get("/api/v1/links")).json()["items"]
    assert link["code"] == "mara" and link["url"] == "http://test.example/r/mara"


async def test_the_same_thing_shared_twice_at_once_is_one_link(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    links = await asyncio.gather(*(a_link(web, mara) for _ in range(8)))
    assert len({link["code"] for link in links}) == 1
    elsewhere = await a_link(web, mara, placement="newsletter")
    assert elsewhere["code"] != links[0]["code"] and elsewhere["placement"] == "newsletter"
    again = await web(token=mara.token).post("/api/v1/links", json={"target": "product:trail-pack"})
    assert again.status_code == 200 and again.json()["code"] == links[0]["code"]


async def test_each_kind_of_thing_leads_to_its_own_place(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    slug = await a_group(mara)
    for target, destination in (
        ("product:trail-pack", "https://north.example/p/SKU-1"),
        (f"group:{slug}", f"/g/{slug}"),
        ("page:/p/trail-pack?a=1#reviews", "/p/trail-pack?a=1#reviews"),
        ("/guides/", "/guides/"),
        ("http://test.example/p/x", "/p/x"),
        ("https://north.example/sale?x=1", "https://north.example/sale?x=1"),
    ):
        assert (await a_link(web, mara, target))["destination"] == destination


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "page:javascript:alert(1)",
        "page://evil.example",
        "//evil.example/x",
        "page:/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example/",
        "https://north.example.evil.example/",
        "https://north.example@evil.example/",
        "https://evil.example\\@north.example/",
        "https://north.example:8443/",
        "https://north.example%2eevil.example/",
        "http:north.example",
        "https:///north.example",
        "https://[north.example/",
        "data:text/html,x",
        "ftp://north.example/",
        "page:/r/mara",
        "page:/api/v1/me",
        "nonsense",
        "page:",
        " ",
    ],
)
async def test_a_link_never_leads_to_a_place_that_nobody_vouched_for(web: Browser, target: str):
    mara = await a_member("mara")
    await a_paying_shop()
    answer = await web(token=mara.token).post("/api/v1/links", json={"target": target})
    assert answer.status_code == 422 and "target" in [error["field"] for error in answer.json()["errors"]]
    assert await db.fetch_val("SELECT count(*) FROM link WHERE target_kind <> 'member'") == 0


async def test_a_product_that_points_away_from_its_store_cannot_be_shared(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    await db.execute("UPDATE product SET url = 'https://evil.example/p'")
    answer = await web(token=mara.token).post("/api/v1/links", json={"target": "product:trail-pack"})
    assert answer.status_code == 422


async def test_a_link_follows_its_product_but_never_away_from_the_store(web: Browser):
    from tests.storefront.shop import a_product

    mara, shop = await a_member("mara"), await a_paying_shop()
    await a_link(web, mara)
    await a_product(shop, url="https://north.example/new-address")
    await run_jobs()
    assert await db.fetch_val("SELECT destination FROM link WHERE target_kind = 'product'") == (
        "https://north.example/new-address"
    )
    await a_product(shop, url="https://elsewhere.example/p")
    await run_jobs()
    assert "north.example" in await db.fetch_val("SELECT destination FROM link WHERE target_kind = 'product'")


async def test_a_key_used_for_another_request_is_refused(web: Browser):
    mara = await a_member("mara")
    client = web(token=mara.token)
    answers = [
        await client.post("/api/v1/links", json={"target": target}, headers={"Idempotency-Key": "k1"})
        for target in ("page:/p/", "page:/p/", "page:/g/")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]


async def test_what_one_may_not_read_one_cannot_share(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    slug = await a_group(mara, visibility="secret")
    client = web(token=eve.token)
    for target in (f"group:{slug}", "topic:1", "topic:x", "review:99999999999999999999", "guide:none", "room:1"):
        assert (await client.post("/api/v1/links", json={"target": target})).status_code == 404
    assert (await web().post("/api/v1/links", json={"target": "page:/"})).status_code == 401


async def test_a_code_of_ones_own_is_free_or_refused(web: Browser):
    mara, bob = await a_member("mara"), await a_member("bob")
    await run_jobs()
    assert (await a_link(web, mara, "page:/p/", code="Mara-Packs"))["code"] == "mara-packs"
    for code, status in (("mara-packs", 409), ("mara", 409), ("a", 422), ("x y", 422), ("../x", 422), ("login", 422)):
        answer = await web(token=bob.token).post("/api/v1/links", json={"target": "page:/g/", "code": code})
        assert answer.status_code == status, code


async def test_only_its_owner_sees_and_closes_a_link(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert (await web(token=eve.token).delete(f"/api/v1/links/{code}")).status_code == 404
    assert (await (await sign_in(web(), eve)).get(f"/share/{code}")).status_code == 404
    for _ in range(2):
        assert (await web(token=mara.token).delete(f"/api/v1/links/{code}")).status_code == 204
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'LinkClosed'") == 1


async def test_the_door_on_a_page_makes_a_link_with_its_qr_code_and_label(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    stranger = web()
    asked = await submit(stranger, "/share", {"target": "product:trail-pack"}, page="/login")
    assert asked.headers["location"] == "/login?next=/share%3Ftarget%3Dproduct%253Atrail-pack"
    browser = await sign_in(web(), mara)
    made = await submit(browser, "/share", {"target": "product:trail-pack"})
    shown = await browser.get(made.headers["location"])
    assert "I may earn from this link" in shown.text and "http://test.example/r/" in shown.text
    code = made.headers["location"].rpartition("/")[2]
    qr = await web().get(f"/r/{code}/qr.svg")
    assert qr.headers["content-type"].startswith("image/svg+xml") and qr.text.startswith("<svg")
    assert await db.fetch_val("SELECT count(*) FROM click") == 0
    wrong = await submit(browser, "/share", {"target": "https://evil.example"})
    assert wrong.status_code == 422 and "https://evil.example" in wrong.text


async def test_the_list_of_links_costs_the_same_however_long_it_is(web: Browser):
    mara = await a_member("mara")
    client = web(token=mara.token)
    await a_link(web, mara, "page:/p/1")
    with watch_queries() as few:
        await client.get("/api/v1/links")
    for number in range(2, 25):
        await a_link(web, mara, f"page:/p/{number}")
    with watch_queries() as many:
        first = (await client.get("/api/v1/links?limit=10")).json()
    assert len(few) == len(many)
    second = (await client.get(f"/api/v1/links?limit=100&after={first['next']}")).json()
    assert len(first["items"]) == 10 and len(second["items"]) == 15 and second["next"] is None


async def test_everything_worth_sharing_has_its_door_and_keeps_what_it_is(web: Browser):
    from tests.content.people import say

    mara = await a_member("mara")
    await a_paying_shop()
    slug = await a_group(mara)
    client = web(token=mara.token)
    room = await db.fetch_val("SELECT r.id FROM room r JOIN groups g ON g.id = r.group_id WHERE g.slug = $1", slug)
    new = {"title": "Which pack?", "body": "Mine creaks."}
    topic = (await client.post(f"/api/v1/groups/{slug}/topics", json=new)).json()
    review_id = await say(await a_member("bob"), "trail-pack", body="Carries well.")
    blocks = [{"type": "text", "markdown": "One of them, really."}]
    guide = (await client.post("/api/v1/guides", json={"title": "First packs", "blocks": blocks})).json()
    browser = await sign_in(web(), mara)
    for address, target in (
        ("/p/trail-pack", "product:trail-pack"),
        (f"/guides/{guide['slug']}", f"guide:{guide['slug']}"),
        (topic["url"], f"topic:{topic['id']}"),
        (f"/p/trail-pack/reviews/{review_id}", f"review:{review_id}"),
        (f"/g/{slug}", f"group:{slug}"),
        (f"/chat/{room}", f"room:{room}"),
    ):
        shown = await browser.get(address, follow_redirects=True)
        assert f"/share?target={target}" in shown.text or f'value="{target}"' in shown.text, address
        link = await a_link(web, mara, target)
        kind = target.partition(":")[0]
        row = await db.fetch_one("SELECT target_kind, target_id FROM link WHERE code = $1", link["code"])
        assert row["target_kind"] == kind and row["target_id"] is not None, target
        card = await web().get(f"/r/{link['code']}", headers={"user-agent": "WhatsApp/2.25.1.75 A"})
        assert card.status_code == 200 and "og:title" in card.text, target
