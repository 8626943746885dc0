"""Links of a message as cards: asked once, later, by a guarded client; taken off again by their author."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Forbidden
from app.http import Answer, CannotFetch, fetch
from app.money import Money
from community.chat import cards, previews, service
from community.chat.links import links_in
from frontend.pages.chat_cards import show_that_it_is_gone
from storefront.catalog.events import ProductWithdrawn
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_marks import message, said
from tests.community.test_media import a_picture
from tests.factories import Browser, a_member, run_jobs, sign_in
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_product

pytestmark = pytest.mark.anyio

PAGE = """<html><head><title>plain</title><meta property="og:title" content="Beans &amp; more">
<meta name="description" content="Roasted   weekly."><meta property="og:site_name" content="Roastery">
<meta property="og:image" content="/beans.png"></head><body><meta property="og:title" content="no"></body></html>"""


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The web, as these tests know it; what was asked for."""
    asked: list[str] = []

    async def fetch(method: str, url: str, **options: object) -> Answer:
        asked.append(url)
        if url == "https://roastery.example/beans":
            return Answer(302, {"location": "https://roastery.example/en/beans"}, b"")
        if url == "https://roastery.example/en/beans":
            return Answer(200, {"content-type": "text/html; charset=utf-8"}, PAGE.encode())
        if url == "https://roastery.example/beans.png":
            return Answer(200, {"content-type": "image/png"}, a_picture())
        if url.startswith("https://file.example"):
            return Answer(200, {"content-type": "application/zip"}, b"PK")
        raise CannotFetch("not_public", url)

    monkeypatch.setattr(previews, "fetch", fetch)
    return asked


async def test_a_link_becomes_a_card_that_comes_after_the_message(house: Callable, web: Browser, pages: list[str]):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    his = await a_line(house, bob)
    await his.hello(room)
    words = await said(alice, room, "Look: https://roastery.example/beans")
    [event] = await his.events(1)
    assert event["kind"] == "message" and "cards" not in event and pages == [], "nothing delays what is said"
    await run_jobs()
    [event] = await his.events(1)
    assert event["kind"] == "edit" and "author" not in event and "edited" not in event
    [card] = event["cards"]
    assert (card["kind"], card["title"], card["text"]) == ("link", "Beans & more", "Roasted weekly.")
    assert card["site"] == "Roastery" and card["picture"].startswith("/media/previews/")
    assert (await web().get(card["picture"])).headers["content-type"] == "image/webp"
    assert (await message(bob, room, words, web))["cards"] == [card]
    shown = (await (await sign_in(web(), bob)).get(f"/chat/{room}")).text.split("<template")[0]
    assert "Beans &amp; more" in shown and 'rel="nofollow ugc noopener"' in shown
    await said(bob, room, "I know: https://roastery.example/beans")
    await run_jobs()
    assert len(pages) == 3, "a page is asked once, for all who link to it"
    assert [event["kind"] for event in await his.events(2)] == ["message", "edit"]
    clock.travel(timedelta(days=8))
    await said(bob, room, "Still: https://roastery.example/beans")
    await run_jobs()
    assert len(pages) == 6


async def test_what_may_not_be_asked_or_is_no_page_has_no_card_and_no_event(house: Callable, pages: list[str]):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    standing = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    await said(alice, room, "http://169.254.169.254/latest https://file.example/a.zip")
    await run_jobs()
    assert await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room)) == standing + 1
    problems = await db.fetch("SELECT problem FROM link_preview ORDER BY id")
    assert [row["problem"] for row in problems] == ["not_public", "not_a_page"]


async def test_each_step_of_a_way_is_checked_like_the_first(house: Callable, monkeypatch: pytest.MonkeyPatch):
    async def bait(method: str, url: str, **options: object) -> Answer:
        if url == "https://bait.example/":
            return Answer(302, {"location": "http://127.0.0.1:5432/"}, b"")
        return await fetch(method, url, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(previews, "fetch", bait)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await said(alice, room, "https://bait.example/")
    await run_jobs()
    assert [row["problem"] for row in await db.fetch("SELECT problem FROM link_preview")] == ["not_public"]


async def test_nobody_makes_us_knock_at_others_doors_all_day(
    house: Callable, pages: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cards, "MOST_ASKED_AN_HOUR", 5)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    for n in range(4):
        await said(alice, room, f"https://file.example/{n}.zip https://file.example/{n}.pdf")
    await run_jobs()
    assert len(pages) == 4, "beyond that, links stay links"


async def test_the_guarded_client_is_what_asks(house: Callable):
    """Without the web of these tests: an address of our own network is refused before a connection is made."""
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await said(alice, room, "http://127.0.0.1:1/ http://[::1]:1/")
    await run_jobs()
    assert {row["problem"] for row in await db.fetch("SELECT problem FROM link_preview")} == {"not_public"}


async def test_its_author_or_a_moderator_takes_a_card_off_for_good(house: Callable, web: Browser, pages: list[str]):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    words = await said(bob, room, "https://roastery.example/beans")
    await run_jobs()
    card = int((await message(bob, room, words, web))["cards"][0]["id"])
    with pytest.raises(Forbidden):
        await cards.remove(carol.viewer, int(room), words, card)
    door = f"/api/v1/rooms/{room}/messages/{words}/cards/{card}"
    assert (await web(token=bob.token).delete(door)).status_code == 204
    assert (await web(token=bob.token).delete(door)).status_code == 404
    await service.edit(bob.viewer, int(room), words, "Again https://roastery.example/beans")
    await run_jobs()
    assert "cards" not in await message(bob, room, words, web)


async def test_an_edit_that_drops_the_link_drops_the_card(house: Callable, web: Browser, pages: list[str]):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    words = await said(alice, room, "https://roastery.example/beans")
    await run_jobs()
    await service.edit(alice.viewer, int(room), words, "Never mind")
    await run_jobs()
    assert "cards" not in await message(alice, room, words, web)


def test_links_are_those_a_reader_could_follow():
    html = '<p><a href="/p/beans">x</a> <a href="https://a.example/?a=1&amp;b=2">y</a> <a href="/@bob">@bob</a>'
    assert links_in(html) == ["http://test.example/p/beans", "https://a.example/?a=1&b=2"]
    assert links_in("<code>https://a.example</code>") == []
    assert len(links_in("".join(f'<a href="https://a.example/{n}">x</a>' for n in range(9)))) == 3


@pytest.mark.parametrize("bad", ['<meta "' * 40_000, "<meta a='" * 40_000, "<meta " * 40_000, "<title>" * 40_000])
def test_a_page_made_to_be_slow_is_read_all_the_same(bad: str):
    assert previews.read(bad).description == ""


# --- products ---


async def test_a_link_to_a_product_shows_it_with_its_price_of_now(house: Callable, web: Browser):
    shop = await a_paying_shop("north")
    await a_product(shop, "GR-38", title="Hand grinder", price=Money(8900, "USD"))
    slug = await db.fetch_val("SELECT slug FROM product WHERE external_id = 'GR-38'")
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    his = await a_line(house, bob)
    await his.hello(room)
    words = await said(alice, room, f"This one: http://test.example/p/{slug}")
    await run_jobs()
    events = await his.events(2)
    [card] = events[1]["cards"]
    assert (card["kind"], card["title"], card["price"]) == (
        "product",
        "Hand grinder",
        {"amount": 8900, "currency": "USD"},
    )
    assert not card.get("earns")
    await a_product(shop, "GR-38", title="Hand grinder", price=Money(7900, "USD"))
    await run_jobs()
    [event] = await his.events(1)
    assert event["cards"][0]["price"]["amount"] == 7900 and "edited" not in event
    assert (await message(bob, room, words, web))["cards"][0]["price"]["amount"] == 7900
    await a_product(shop, "GR-38", title="Hand grinder", price=Money(7900, "USD"))
    await run_jobs()
    assert await his.hears_nothing(), "what did not change is not told"


async def test_the_shops_own_address_is_its_product_and_an_earning_link_says_so(house: Callable, web: Browser):
    shop = await a_paying_shop("north")
    await a_product(shop, "GR-38", title="Hand grinder")
    address = await db.fetch_val("SELECT url FROM product WHERE external_id = 'GR-38'")
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    slug = await db.fetch_val("SELECT slug FROM product WHERE external_id = 'GR-38'")
    link = await web(token=alice.token).post("/api/v1/links", json={"target": f"product:{slug}", "code": "alices"})
    assert link.status_code in (200, 201), link.text
    plain = await said(bob, room, f"{address}?utm_source=chat")
    earning = await said(alice, room, "http://test.example/r/alices")
    await run_jobs()
    [card] = (await message(bob, room, plain, web))["cards"]
    assert (card["kind"], card["title"], card.get("earns", False)) == ("product", "Hand grinder", False)
    [card] = (await message(bob, room, earning, web))["cards"]
    assert (card["title"], card["earns"], card["url"]) == ("Hand grinder", True, "http://test.example/r/alices")
    shown = (await (await sign_in(web(), bob)).get(f"/chat/{room}")).text.split("<template")[0]
    assert "Hand grinder" in shown and 'class="ad"' in shown
    assert await db.fetch_val("SELECT count(*) FROM click") == 0, "no robot of ours follows what earns"
    await db.execute("UPDATE product SET withdrawn_at = now()")
    product_id = await db.fetch_val("SELECT id FROM product WHERE external_id = 'GR-38'")
    await show_that_it_is_gone(ProductWithdrawn(product_id=product_id))
    assert (await message(bob, room, plain, web))["cards"][0]["gone"] is True
