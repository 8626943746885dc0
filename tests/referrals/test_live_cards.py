"""Who buys by the card of a live event buys by its host, who can read why; and by nobody else's loss."""

import re
from datetime import timedelta

import pytest

from app import clock, db
from content.live_events import pins, service
from content.live_events.schemas import NewLive, NewPin
from referrals.live_cards import service as live_cards
from referrals.live_cards.queries import sum_of
from referrals.programs.policy import Policy
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in
from tests.referrals.cast import CHROME, a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, a_product, order, refund

pytestmark = pytest.mark.anyio


async def a_stage(host: Person, title: str = "Moka night") -> str:
    slug = await service.plan(host.viewer, NewLive(title, clock.now() + timedelta(minutes=5)))
    await service.begin(host.viewer, slug)
    await live_cards.pin(host.viewer, slug, NewPin("trail-pack", "I carry it daily"))
    return slug


async def card_of(web: Browser, slug: str) -> str:
    """The code behind the card, as a viewer's page has it."""
    page = (await web().get(f"/live/{slug}")).text
    found = re.search(
        r'<span class="earning"><a [^>]*href="/r/([^"]+)" rel="sponsored[^>]*>.*?<small class="ad">#ad', page
    )
    assert found, "the card's link says beside it that it earns"
    return found[1]


async def sold(web: Browser, shop: Shop, gv: str | None, order_id: str = "1001", **changes: object) -> None:
    await tell(web, shop, "order.paid", order(order_id, gv=gv, **changes))


async def test_a_viewer_buys_by_the_card_and_the_host_earns_and_reads_why(web: Browser):
    shop = await a_paying_shop()
    ines = await a_member("ines", name="Ines")
    slug = await a_stage(ines)
    page = (await web().get(f"/live/{slug}")).text
    assert "Ines earns when you buy by these cards" in page and "Earns from the cards" in page
    await sold(web, shop, await click(web(), await card_of(web, slug)))
    assert await standing(ines) == {("pending", "USD"): 1_200}, "a tenth of 120.00"
    why = (await web(token=ines.token).get("/api/v1/earn/orders/1001/why")).json()
    assert why["you_won"] and why["winner"] == "ines"
    [won] = [one for one in why["candidates"] if one["won"]]
    assert won["live"] == "Moka night" and won["via"] == "carried"
    shown = (await (await sign_in(web(), ines)).get("/earn/orders/1001/why")).text
    assert "that you held up in the live event “Moka night”" in shown
    event_id = await db.fetch_val("SELECT id FROM live_event")
    sums = await sum_of(event_id, ines.id)
    assert sums.visits == 1
    assert (sums.orders, [(one.amount, one.currency) for one in sums.earned]) == (1, [(1_200, "USD")])
    await tell(web, shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 1, "amount": 12_000}]))
    sums = await sum_of(event_id, ines.id)
    assert sums.earned[0].amount == 0 and await standing(ines) == {}
    await books_are_right()


async def test_the_host_herself_buying_by_her_own_card_earns_nothing(web: Browser):
    shop = await a_paying_shop()
    ines = await a_member("ines")
    slug = await a_stage(ines)
    browser = await sign_in(web(), ines)
    gv = await click(browser, await card_of(web, slug))
    await sold(web, shop, gv, customer={"id": "c9", "email": "ines@example.org"})
    assert await standing(ines) == {}
    reasons = await db.fetch_val("SELECT candidates FROM attribution ORDER BY version DESC LIMIT 1")
    assert "self" in str(reasons)
    await books_are_right()


async def test_a_viewers_own_link_wins_when_it_was_followed_last_and_the_cards_when_that_was(web: Browser):
    shop = await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_stage(ines)
    card, own = await card_of(web, slug), (await a_link(web, kai))["code"]
    buyer = web()
    await click(buyer, card)
    clock.travel(timedelta(minutes=5))
    await sold(web, shop, await click(buyer, own))
    assert await standing(kai) == {("pending", "USD"): 1_200} and await standing(ines) == {}
    why = (await web(token=kai.token).get("/api/v1/earn/orders/1001/why")).json()
    assert all(not one["live"] for one in why["candidates"]), "what it was is the host's to read"
    clock.travel(timedelta(minutes=5))
    await sold(web, shop, await click(buyer, card), "1002")
    assert (await standing(ines))["pending", "USD"] == 1_200
    await books_are_right()


async def test_who_brings_buyers_to_the_room_shares_with_its_host_where_the_policy_says_so(web: Browser):
    """The link leads into the room; the host of the room is its helper."""
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules

    shop = await a_paying_shop()
    await publish_rules("north", Rules(rate_bps=1000), policy=Policy(assist_bps={"host": 3_000}))
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_stage(ines)
    room_id = await db.fetch_val("SELECT room_id FROM live_event")
    link = await a_link(web, kai, f"room:{room_id}")
    answer = await web().get(f"/r/{link['code']}", headers={"user-agent": CHROME})
    assert answer.headers["location"].startswith(f"http://test.example/live/{slug}?") or answer.headers[
        "location"
    ].startswith(f"/live/{slug}?")
    clock.travel(timedelta(minutes=1))
    await sold(web, shop, await click(web(), link["code"]))
    assert await standing(kai) == {("pending", "USD"): 840} and await standing(ines) == {("pending", "USD"): 360}
    roles = {row["member_id"]: row["role"] for row in await db.fetch("SELECT member_id, role FROM commission")}
    assert roles == {kai.id: "sharer", ines.id: "host"}
    await books_are_right()


async def test_each_event_has_links_of_its_own_and_one_product_one_link(web: Browser):
    await a_paying_shop()
    ines = await a_member("ines")
    first, second = await a_stage(ines), await a_stage(ines, "Another night")
    assert await card_of(web, first) != await card_of(web, second)
    pin_id = await db.fetch_val("SELECT id FROM live_pin ORDER BY id LIMIT 1")
    before = await card_of(web, first)
    await pins.unpin(ines.viewer, first, pin_id)
    await live_cards.pin(ines.viewer, first, NewPin("trail-pack"))
    assert await card_of(web, first) == before
    assert await db.fetch_val("SELECT count(*) FROM link WHERE target_kind = 'product'") == 2


async def test_a_card_whose_link_was_switched_off_leads_to_the_shop_without_credit(web: Browser):
    from referrals.links.service import close

    shop = await a_paying_shop()
    await a_product(shop, "SKU-2", title="Hand grinder")
    ines = await a_member("ines")
    slug = await a_stage(ines)
    code = await card_of(web, slug)
    await close(ines.viewer, code)
    page = (await web().get(f"/live/{slug}/stage")).text
    assert f"/r/{code}" not in page and "https://north.example/p/SKU-1" in page


async def test_only_the_host_makes_cards_and_nobody_is_led_into_a_closed_room(web: Browser):
    from app.errors import Forbidden, NotFound

    await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_stage(ines)
    with pytest.raises(Forbidden):
        await live_cards.pin(kai.viewer, slug, NewPin("trail-pack"))
    assert await db.fetch_val("SELECT count(*) FROM link WHERE owner_id = $1 AND target_kind = 'product'", kai.id) == 0
    group = await a_group(ines, visibility="secret")
    hidden = await service.plan(ines.viewer, NewLive("Among us", clock.now() + timedelta(hours=1), group=group))
    room_id = await db.fetch_val("SELECT room_id FROM live_event WHERE slug = $1", hidden)
    refused = await web(token=kai.token).post("/api/v1/links", json={"target": f"room:{room_id}"})
    assert refused.status_code == 404
    with pytest.raises(NotFound):
        await live_cards.pin(kai.viewer, hidden, NewPin("trail-pack"))
    link = await a_link(web, ines, f"room:{room_id}")
    preview = await web().get(f"/r/{link['code']}", headers={"user-agent": "Twitterbot/1.0"})
    assert "Among us" not in preview.text, "a preview is seen by anyone"
    await run_jobs()
