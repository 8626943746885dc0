"""A shop's pictures come to readers from us alone: fetched once, looked into, re-encoded."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from app import clock, db, http
from storefront.catalog import pictures
from tests.factories import Browser, run_jobs
from tests.storefront.shop import a_product, a_shop

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("house")]

PHOTO = "https://cdn.north.example/pack.jpg"


class Web:
    """What lies at which address; every address that was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages: dict[str, http.Answer | Exception] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(pictures, "fetch", self.fetch)

    async def fetch(self, method: str, url: str, **how: object) -> http.Answer:
        self.asked.append(url)
        found = self.pages[url]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


def photo(colour: str = "teal", side: int = 1600) -> http.Answer:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "JPEG")
    return http.Answer(200, {"content-type": "image/jpeg"}, out.getvalue())


async def shown() -> str:
    return await db.fetch_val("SELECT picture FROM product")


async def test_a_reader_sees_our_copy_and_asks_nobody_else(web: Browser, outside: Web):
    outside.pages = {
        PHOTO: http.Answer(302, {"location": "/big.jpg"}, b""),
        "https://cdn.north.example/big.jpg": photo(),
    }
    shop = await a_shop()
    slug = await a_product(shop, image_url=PHOTO)
    before = (await web().get(f"/p/{slug}")).text
    assert PHOTO not in before and "/media/products/" not in before
    await run_jobs()
    picture = await shown()
    page = await web().get(f"/p/{slug}")
    assert f'src="{picture}"' in page.text and f'content="http://test.example{picture}"' in page.text
    assert "cdn.north.example" not in page.text
    assert "img-src 'self' data: blob:;" in page.headers["content-security-policy"]
    copy = await web().get(picture)
    assert copy.headers["content-type"] == "image/webp" and Image.open(io.BytesIO(copy.content)).size == (960, 960)
    told = (await web().get(f"/api/v1/products/{slug}")).json()
    assert told["image_url"] == f"http://test.example{picture}"


async def test_the_same_picture_is_fetched_once_and_a_new_one_takes_its_place(outside: Web):
    outside.pages = {PHOTO: photo(), f"{PHOTO}?v=2": photo("plum")}
    shop = await a_shop()
    await a_product(shop, image_url=PHOTO)
    await run_jobs()
    first = await shown()
    await a_product(shop, title="Trail pack II", image_url=PHOTO)
    await run_jobs()
    assert outside.asked == [PHOTO] and await shown() == first
    await a_product(shop, image_url=f"{PHOTO}?v=2")
    await run_jobs()
    assert await shown() not in ("", first)
    await a_product(shop, image_url=None)
    await run_jobs()
    assert await shown() == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (http.CannotFetch("not_public", PHOTO), "not_public"),
        (http.CannotFetch("timeout", PHOTO), "timeout"),
        (http.Answer(404, {}, b""), "status_404"),
        (http.Answer(302, {"location": PHOTO}, b""), "too_many_redirects"),
        (http.Answer(200, {}, b"<svg onload=alert(1)>"), "SVG"),
        (http.Answer(200, {}, b"<html>"), "not a picture"),
        (http.Answer(200, {}, b"\x89PNG\r\n\x1a\nrest"), "not a picture"),
    ],
)
async def test_what_is_no_picture_is_noted_and_the_former_one_stays(
    outside: Web, answer: http.Answer | Exception, problem: str
):
    outside.pages = {"https://north.example/old.jpg": photo(), PHOTO: answer}
    shop = await a_shop()
    await a_product(shop, image_url="https://north.example/old.jpg")
    await run_jobs()
    first = await shown()
    await a_product(shop, image_url=PHOTO)
    await run_jobs()
    assert await shown() == first
    assert problem in await db.fetch_val("SELECT picture_problem FROM product")


async def test_a_picture_that_could_not_be_had_is_tried_again_the_next_day(outside: Web):
    outside.pages = {PHOTO: http.CannotFetch("timeout", PHOTO)}
    await a_product(await a_shop(), image_url=PHOTO)
    await run_jobs()
    assert await pictures.missing() == []
    clock.travel(timedelta(days=1))
    (waiting,) = await pictures.missing()
    outside.pages = {PHOTO: photo()}
    await pictures.keep_picture(waiting)
    assert await shown() and await pictures.missing() == []


async def test_a_shop_that_names_another_picture_meanwhile_is_not_overtaken(
    outside: Web, monkeypatch: pytest.MonkeyPatch
):
    outside.pages = {PHOTO: photo(), f"{PHOTO}?v=2": photo("plum")}
    shop = await a_shop()
    await a_product(shop, image_url=PHOTO)
    fetch = pictures.fetch

    async def slow(method: str, url: str, **how: object) -> http.Answer:
        if url == PHOTO:
            await a_product(shop, image_url=f"{PHOTO}?v=2")
        return await fetch(method, url, **how)

    monkeypatch.setattr(pictures, "fetch", slow)
    await run_jobs()
    assert await db.fetch_val("SELECT picture_source FROM product") == f"{PHOTO}?v=2"
