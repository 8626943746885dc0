"""Stores and their products, by command, by file and by API."""

import asyncio
from typing import Any

import pytest

from app import db
from app.errors import Conflict, Invalid
from storefront.stores.schemas import NewStore
from storefront.stores.service import open_store
from tests.factories import Browser, a_member
from tests.storefront.shop import a_product, a_shop, apply_body, send

pytestmark = pytest.mark.anyio

PACK: dict[str, Any] = {
    "title": "Alder trail pack 28",
    "url": "https://north.example/p/pack",
    "price": {"amount": 12_900, "currency": "USD"},
    "brand": "Alder & Rook",
    "category": "Packs",
}
DOOR = "/api/v1/stores/north/products/SKU-1"


async def test_a_store_gets_what_it_needs_once(web: Browser):
    opened = await open_store(NewStore("Tea", "Tea & Cloth", "generic", "GBP", "https://tea.example/"))
    assert opened.slug == "tea" and opened.webhook_url == "http://test.example/webhooks/tea"
    assert opened.secret.startswith("whsec_") and len(opened.secret) == 6 + 44
    assert opened.publishable_key.startswith("pk_")
    assert await db.fetch_val("SELECT origin FROM store") == "https://tea.example"
    with pytest.raises(Conflict):
        await open_store(NewStore("tea", "Another", "generic", "GBP", "https://tea.example"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "a b"),
        ("slug", "-"),
        ("name", " "),
        ("currency", "XBT"),
        ("origin", "ftp://shop.example"),
        ("origin", "https://shop.example/path"),
        ("origin", "https://user@shop.example"),
        ("origin", "//shop.example"),
        ("origin", "https://[::1"),
        ("secret", "whsec_short"),
        ("secret", "plain"),
        ("provider", "magento"),
    ],
)
async def test_a_store_with_a_bad_value_is_not_opened(web: Browser, field: str, value: str):
    given = {"slug": "tea", "name": "Tea", "provider": "generic", "currency": "USD", "origin": "https://tea.example"}
    with pytest.raises(Invalid) as refused:
        await open_store(NewStore(**{**given, field: value}))
    assert list(refused.value.fields) == [field]
    assert await db.fetch_val("SELECT count(*) FROM store") == 0


async def test_the_owner_describes_a_product_and_changes_it(web: Browser):
    ines = await a_member("ines")
    await a_shop(owner_id=ines.id)
    client = web(token=ines.token)
    made = await client.put(DOOR, json=PACK)
    assert made.status_code == 201
    assert made.json()["slug"] == "alder-trail-pack-28" and made.json()["price"] == PACK["price"]
    again = await client.put(DOOR, json=PACK)
    assert again.status_code == 200
    changed = await client.put(DOOR, json={**PACK, "title": "Alder trail pack 30"})
    assert changed.status_code == 200 and changed.json()["title"] == "Alder trail pack 30"
    assert changed.json()["slug"] == made.json()["slug"], "an address that people shared stays"
    kinds = [row["type"] for row in await db.fetch("SELECT type FROM event WHERE type LIKE 'Product%' ORDER BY id")]
    assert kinds == ["ProductListed", "ProductChanged"]


async def test_strangers_and_others_may_not(web: Browser):
    ines, bob, root = await a_member("ines"), await a_member("bob"), await a_member("boss", role="admin")
    await a_shop(owner_id=ines.id)
    assert (await web().put(DOOR, json=PACK)).status_code == 401
    assert (await web(token=bob.token).put(DOOR, json=PACK)).status_code == 403
    assert (await web(token=ines.token).put(DOOR.replace("north", "none"), json=PACK)).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM product") == 0
    assert (await web(token=root.token).put(DOOR, json=PACK)).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": {"amount": -1, "currency": "USD"}}, "price.amount"),
        ({"price": {"amount": 129.5, "currency": "USD"}}, "price.amount"),
        ({"price": {"amount": 10**30, "currency": "USD"}}, "price.amount"),
        ({"price": {"amount": "129", "currency": "USD"}}, "price.amount"),
        ({"price": {"amount": 129, "currency": "XBT"}}, "price.currency"),
        ({"price": {"amount": 129}}, "price"),
        ({"price": 129}, "price"),
        ({"title": " "}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "//evil.example/x"}, "url"),
        ({"url": "https:\\\\evil.example"}, "url"),
        ({"url": "https://north.example@evil.example/"}, "url"),
        ({"url": "https://north.example/a b"}, "url"),
        ({"url": "/p/pack"}, "url"),
        ({"url": "https://[bad"}, "url"),
        ({"image_url": "data:text/html,x"}, "image_url"),
        ({"gtin": "123"}, "gtin"),
        ({"colour": "green"}, "colour"),
    ],
    ids=str,
)
async def test_a_product_with_a_bad_field_is_refused_by_its_name(web: Browser, change: dict, field: str):
    ines = await a_member("ines")
    await a_shop(owner_id=ines.id)
    answer = await web(token=ines.token).put(DOOR, json={**PACK, **change})
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert await db.fetch_val("SELECT count(*) FROM product") == 0


async def test_two_products_with_one_title_have_two_addresses(web: Browser):
    north = await a_shop()
    slugs = [await a_product(north, f"SKU-{n}", title="Mug") for n in range(3)]
    assert slugs[0] == "mug" and len(set(slugs)) == 3 and all(slug.startswith("mug") for slug in slugs)


async def test_a_product_listed_many_times_at_once_is_one(web: Browser):
    ines = await a_member("ines")
    await a_shop(owner_id=ines.id)
    client = web(token=ines.token)
    answers = await asyncio.gather(*(client.put(DOOR, json=PACK) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert await db.fetch_val("SELECT count(*) FROM product") == 1


async def test_the_shop_lists_and_withdraws_by_webhook_and_old_news_changes_nothing(web: Browser):
    from storefront.stores.queries import store_by_slug
    from tests.factories import run_jobs

    shop = await a_shop()
    await send(web(), shop, "product.upserted", {"id": "SKU-1", "stock": 4, **PACK})
    await send(web(), shop, "product.deleted", {"id": "SKU-1"})
    await run_jobs()
    assert await db.fetch_val("SELECT withdrawn_at IS NOT NULL FROM product")
    old = b'{"type":"product.upserted","timestamp":"2020-01-01T00:00:00Z","data":{"id":"SKU-1","title":"Old",'
    old += b'"url":"https://north.example/old","price":{"amount":1,"currency":"USD"}}}'
    await apply_body(await store_by_slug("north"), old)
    row = await db.fetch_one("SELECT title, withdrawn_at FROM product")
    assert row["title"] == PACK["title"] and row["withdrawn_at"]
    await send(web(), shop, "product.upserted", {"id": "SKU-1", **PACK})
    await run_jobs()
    assert await db.fetch_val("SELECT withdrawn_at IS NULL FROM product")


async def test_the_shop_says_how_many_are_left_and_the_page_says_when_it_is_little(web: Browser):
    from tests.factories import run_jobs

    ines = await a_member("ines")
    shop = await a_shop(owner_id=ines.id)
    door = web(token=ines.token)
    told = await door.put(DOOR, json={**PACK, "stock": 3})
    assert told.json()["stock"] == 3
    slug = told.json()["slug"]
    assert "Only 3 left" in (await web().get(f"/p/{slug}")).text
    assert (await door.put(DOOR, json=PACK)).json()["stock"] == 3, "left out, what stood there stays"
    for stock, left in ((0, 0), (-2, 0), (40, 40)):
        await send(web(), shop, "product.upserted", {"id": "SKU-1", **PACK, "stock": stock})
        await run_jobs()
        assert await db.fetch_val("SELECT stock FROM product") == left
        assert ("Sold out" in (await web().get(f"/p/{slug}")).text) == (left == 0)
    assert (await door.put(DOOR, json={**PACK, "stock": None})).json()["stock"] is None
    assert (await door.put(DOOR, json={**PACK, "stock": 10**12})).status_code == 422


@pytest.mark.parametrize(
    ("variants", "left"),
    [
        ([("shopify", "deny", 3), ("shopify", "deny", -1)], 3),
        ([("shopify", "deny", 3), (None, "deny", 0)], None),
        ([("shopify", "continue", 3)], None),
        ([], None),
    ],
)
def test_shopify_tells_what_its_variants_have_left(variants: list, left: int | None):
    from storefront.connectors.shopify import mapper, shapes

    told = [
        shapes.Variant(inventory_management=by, inventory_policy=policy, inventory_quantity=quantity)
        for by, policy, quantity in variants
    ]
    assert mapper._left(told) == left


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({"manage_stock": True, "stock_quantity": 4, "stock_status": "instock"}, 4),
        ({"manage_stock": True, "stock_quantity": -1, "stock_status": "onbackorder"}, None),
        ({"stock_status": "outofstock"}, 0),
        ({"stock_status": "instock"}, None),
    ],
)
def test_woocommerce_tells_what_is_left(facts: dict, left: int | None):
    from storefront.connectors.woocommerce import mapper, shapes

    assert mapper._left(shapes.Product(1, "Pack", "https://north.example/p", **facts)) == left
