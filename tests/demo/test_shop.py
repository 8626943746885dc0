"""The demo shop, used like a customer would, over real HTTP: what it sells, carries, sends, and what that does here."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import uvicorn

from app import db
from app.settings import settings
from storefront.orders.queries import lines_of
from tests.factories import Browser, run_jobs
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio
GV = "0f0e0d0c-0b0a-4908-8706-050403020100"


@pytest.fixture
async def shopper(house) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a real server on a free port, where the shop can reach our webhook door over HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(house, host="127.0.0.1", port=port, lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        yield client
    server.should_exit = True
    await serving


async def submit(shopper: httpx.AsyncClient, page: str, action: str, **data: object) -> httpx.Response:
    """Fill in the form with this action on that page."""
    html = (await shopper.get(page)).text
    assert f'action="{action}"' in html, f"no form to {action} on {page}"
    token = re.search(r'name="_csrf" value="([0-9a-f]+)"', html)
    assert token
    return await shopper.post(action, data={**data, "_csrf": token[1]})


async def buy(shopper: httpx.AsyncClient, **checkout: object) -> str:
    """Put the pack into the cart and pay; the address of the order."""
    await submit(shopper, "/demo-shop/p/SKU-1", "/demo-shop/cart", product="SKU-1", quantity=2)
    paid = await submit(
        shopper, "/demo-shop/cart", "/demo-shop/orders", **{"email": "bob@example.org", "name": "Bob", **checkout}
    )
    assert paid.status_code == 303, paid.text
    return paid.headers["location"]


async def the_shop() -> None:
    await a_product(await a_shop("demo"), "SKU-1", title="Alder trail pack 28", category="Packs")


async def test_a_product_page_shows_our_widgets_as_any_shop_would(shopper: httpx.AsyncClient):
    await the_shop()
    assert "Alder trail pack 28" in (await shopper.get("/demo-shop/")).text
    page = await shopper.get("/demo-shop/p/SKU-1")
    assert '<script type="module" async src="/embed/v1.js"></script>' in page.text
    assert '<gv-rating store="demo" product="SKU-1"' in page.text and '<gv-reviews store="demo"' in page.text
    assert "demo shop" in page.text and "nothing is sold" in page.text
    assert 'style="' not in page.text


async def test_paying_sends_a_signed_webhook_that_carries_the_click(shopper: httpx.AsyncClient):
    await the_shop()
    await shopper.get(f"/demo-shop/p/SKU-1?gv={GV}")
    place = await buy(shopper, code="mara7")
    page = (await shopper.get(place)).text
    assert "order.paid" in page and '<b class="answer">202</b>' in page
    await run_jobs()
    order = await db.fetch_one("SELECT * FROM orders")
    assert str(order["gv"]) == GV and order["codes"] == ["MARA7"] and order["paid_at"]
    (line,) = await lines_of(order["id"])
    assert (line["quantity"], line["base"], line["product_id"] is not None) == (2, 25_800, True)
    assert await db.fetch_val("SELECT state FROM inbox") == "applied"


async def test_delivery_refunds_and_repeats_reach_the_books(shopper: httpx.AsyncClient):
    await the_shop()
    place = await buy(shopper)
    await submit(shopper, place, f"{place}/delivery")
    await submit(shopper, place, f"{place}/refunds", line="1", amount="100.50")
    again = await submit(shopper, place, f"{place}/messages/2")
    assert again.status_code == 303
    await run_jobs()
    order = await db.fetch_one("SELECT id, delivered_at FROM orders")
    (line,) = await lines_of(order["id"])
    assert order["delivered_at"] and line["refunded"] == 10_050
    page = (await shopper.get(place)).text
    assert '<b class="answer">202</b> <b class="answer">200</b>' in page
    await submit(shopper, place, f"{place}/refunds", line="1", amount="157.50")
    await run_jobs()
    (line,) = await lines_of(order["id"])
    assert (line["refunded"], line["refunded_quantity"]) == (25_800, 2)
    assert f'action="{place}/refunds"' not in (await shopper.get(place)).text


async def test_the_shops_own_code_takes_ten_percent_off_what_earns(shopper: httpx.AsyncClient):
    await the_shop()
    await buy(shopper, code="north10")
    await run_jobs()
    (line,) = await lines_of(await db.fetch_val("SELECT id FROM orders"))
    assert (line["gross"], line["discount"], line["base"]) == (25_800, 2_580, 23_220)


@pytest.mark.parametrize("amount", ["", "0", "-1", "258.01", "1.005", "NaN", "Infinity", "1e3", "ten"])
async def test_an_impossible_refund_is_refused_and_sends_nothing(shopper: httpx.AsyncClient, amount: str):
    await the_shop()
    place = await buy(shopper)
    answer = await submit(shopper, place, f"{place}/refunds", line="1", amount=amount)
    assert answer.status_code == 422
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 1


async def test_a_bad_email_keeps_the_cart_and_what_was_typed(shopper: httpx.AsyncClient):
    await the_shop()
    await submit(shopper, "/demo-shop/p/SKU-1", "/demo-shop/cart", product="SKU-1", quantity=1)
    answer = await submit(shopper, "/demo-shop/cart", "/demo-shop/orders", email="nobody", name="Nora")
    assert answer.status_code == 422 and 'value="Nora"' in answer.text and "Alder trail pack" in answer.text
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 0


async def test_an_order_without_a_click_or_with_nonsense_has_none(shopper: httpx.AsyncClient):
    await the_shop()
    await shopper.get("/demo-shop/?gv=<script>")
    await buy(shopper)
    await run_jobs()
    assert await db.fetch_val("SELECT gv FROM orders") is None


async def test_planted_cookies_and_order_numbers_open_nothing(shopper: httpx.AsyncClient):
    await the_shop()
    for cart in ("zzzz", "e30", "eyJTS1UtMSI6LTV9", "eyJTS1UtMSI6OTk5OTk5fQ", "\xff"):
        answer = await shopper.get("/demo-shop/cart", headers={"Cookie": f"shop_cart={cart}".encode("latin-1")})
        assert answer.status_code == 200 and "It is empty." in answer.text
    for order in ("NF-22222222", "..%2f..%2fetc", "NF-2222222x%00"):
        assert (await shopper.get(f"/demo-shop/orders/{order}")).status_code == 404
    assert (await shopper.post("/demo-shop/orders", data={"email": "a@b.example"})).status_code == 403


async def test_the_demo_shop_is_not_there_in_production(web: Browser, monkeypatch: pytest.MonkeyPatch):
    await the_shop()
    real = settings()
    monkeypatch.setattr("demo.shop.settings", lambda: msgspec.structs.replace(real, env="production"))
    for path in ("/demo-shop/", "/demo-shop/p/SKU-1", "/demo-shop/cart"):
        assert (await web().get(path)).status_code == 404


async def test_what_became_of_a_purchase_shows_beside_the_review_in_the_shop(shopper: httpx.AsyncClient):
    from content.reviews.schemas import NewReview
    from content.reviews.service import write
    from tests.factories import a_member

    await the_shop()
    slug = await db.fetch_val("SELECT slug FROM product")
    bob = await a_member("bob")
    await write(bob.viewer, slug, NewReview(2, "The zip sticks.", "Meh"))

    async def evidence() -> str:
        await run_jobs()
        told = (await shopper.get("/embed/v1/products/demo/SKU-1?limit=1")).json()
        return told["reviews"][0]["evidence"]

    assert await evidence() == "none"
    place = await buy(shopper, email="Bob@example.org")
    assert await evidence() == "bought"
    await submit(shopper, place, f"{place}/delivery")
    assert await evidence() == "delivered"
    await submit(shopper, place, f"{place}/refunds", line="1", amount="258.00")
    assert await evidence() == "returned"
