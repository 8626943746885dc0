"""What a shop's page gets from us: one small script, and public facts that only its own scripts may read."""

import gzip

import pytest

from app.db import watch_queries
from frontend.pages.embed import SCRIPT
from tests.factories import Browser, a_member
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio

BUDGET = 6 * 1024
DOOR = "/embed/v1/products/north/SKU-1"
built = pytest.mark.skipif(not SCRIPT.is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup")


async def a_review(slug: str, handle: str, rating: int, body: str = "It holds."):
    from content.reviews.schemas import NewReview
    from content.reviews.service import write

    member = await a_member(handle, name=handle.title())
    return await write(member.viewer, slug, NewReview(rating, body, "In short"))


@built
def test_the_script_is_small():
    size = len(gzip.compress(SCRIPT.read_bytes(), 9))
    assert size <= BUDGET, f"{size} bytes gz"


@built
async def test_any_shop_may_load_the_script_and_keep_it(web: Browser):
    answer = await web().get("/embed/v1.js", headers={"Accept-Encoding": "gzip", "Origin": "https://any.example"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip" and "set-cookie" not in answer.headers
    again = await web().get(
        "/embed/v1.js", headers={"If-None-Match": answer.headers["etag"], "Accept-Encoding": "gzip"}
    )
    assert again.status_code == 304


async def test_a_shop_reads_the_rating_and_the_reviews_of_its_product(web: Browser):
    slug = await a_product(await a_shop())
    await a_review(slug, "alice", 5)
    await a_review(slug, "bob", 2, "The zip *sticks* in sand.\n\n<script>alert(1)</script>")
    told = (await web().get(DOOR, params={"limit": 5})).json()
    assert (told["rating"], told["count"], told["hidden"]) == (3.5, 2, 0)
    assert told["histogram"] == {"5": 1, "4": 0, "3": 0, "2": 1, "1": 0}
    assert told["url"] == f"http://test.example/p/{slug}"
    (bob,) = [review for review in told["reviews"] if review["rating"] == 2]
    assert (bob["author"], bob["evidence"], bob["title"]) == ("Bob", "none", "In short")
    assert bob["text"].startswith("The zip sticks in sand.")


async def test_only_the_shops_own_scripts_and_ours_may_read_it(web: Browser):
    shop = await a_shop()
    await a_product(shop)

    async def allowed(origin: str) -> str | None:
        answer = await web().get(DOOR, headers={"Origin": origin})
        assert answer.headers["vary"] == "Origin" and answer.status_code == 200
        return answer.headers.get("access-control-allow-origin")

    assert await allowed(shop.origin) == shop.origin
    assert await allowed("http://test.example") == "http://test.example"
    for stranger in ("https://evil.example", "null", shop.origin + ".evil.example", shop.origin + ":8443"):
        assert await allowed(stranger) is None


async def test_nothing_private_is_told_and_no_cookie_is_set(web: Browser):
    slug = await a_product(await a_shop())
    await a_review(slug, "alice", 5)
    answer = await web().get(DOOR, params={"limit": 5}, headers={"Cookie": "gv_session=whatever"})
    assert "set-cookie" not in answer.headers and answer.headers["cache-control"].startswith("public")
    for private in ("alice@example.org", "whsec_", "owner_id", "author_id", "email"):
        assert private not in answer.text


async def test_a_known_answer_is_not_sent_again(web: Browser):
    slug = await a_product(await a_shop())
    first = await web().get(DOOR)
    again = await web().get(DOOR, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    await a_review(slug, "alice", 4)
    changed = await web().get(DOOR, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200 and changed.json()["count"] == 1


@pytest.mark.parametrize("limit", ["", "-1", "abc", "1e9", "9" * 5000, "٣", "0"])
async def test_a_limit_that_makes_no_sense_gives_the_rating_alone(web: Browser, limit: str):
    slug = await a_product(await a_shop())
    await a_review(slug, "alice", 4)
    answer = await web().get(DOOR, params={"limit": limit})
    assert answer.status_code == 200 and answer.json()["reviews"] == []


async def test_unknown_products_and_stores_are_not_found(web: Browser):
    await a_shop()
    for door in (
        DOOR,
        "/embed/v1/products/none/SKU-1",
        "/embed/v1/products/north/%00",
        "/embed/v1/products/north/a%2Fb",
    ):
        answer = await web().get(door, headers={"Accept": "application/json"})
        assert answer.status_code == 404


async def test_the_door_costs_the_same_however_many_reviews_there_are(web: Browser):
    slug = await a_product(await a_shop())
    await a_review(slug, "alice", 4)
    with watch_queries() as few:
        await web().get(DOOR, params={"limit": 20})
    for n in range(5):
        await a_review(slug, f"reader{n}", 3)
    with watch_queries() as many:
        await web().get(DOOR, params={"limit": 20})
    assert len(few) == len(many) == 4
