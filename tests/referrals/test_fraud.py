"""Cheats as they come through the doors, each beside an honest neighbour; and what is held until somebody looks."""

import asyncio
import random
from datetime import timedelta

import pytest

from app import clock, db, ids
from app.db import watch_queries
from app.events import publish
from referrals.clicks import visitors
from referrals.commissions.release import release_due
from referrals.fraud import evidence, screening
from referrals.fraud.circles import circle_of
from referrals.fraud.thresholds import Thresholds, set_thresholds
from referrals.payouts.events import PayoutMethodShared
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import CHROME, IPHONE, a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, order, refund

pytestmark = pytest.mark.anyio

HILL = {"line1": "7 Hill Lane", "line2": "", "city": "Ulm", "postcode": "89073", "country": "DE"}
LAKE = {"line1": "1 Lake Road", "line2": "", "city": "Ulm", "postcode": "89073", "country": "DE"}


async def a_sharer(web: Browser, **limits: object) -> tuple[Person, Shop, str]:
    """Mara, a shop with these limits, and her link's code."""
    mara, shop = await a_member("mara"), await a_paying_shop()
    if limits:
        await set_thresholds(shop.id, Thresholds(**limits), mara.id)  # type: ignore[arg-type]
    return mara, shop, (await a_link(web, mara))["code"]


async def bought(web: Browser, shop: Shop, ref: str, *, gv: str | None = None, who: str = "", **more: object) -> None:
    customer = {"id": who or ref, "email": f"{who or 'buyer' + ref}@example.org", "name": "Bea Buyer"}
    await tell(web, shop, "order.paid", order(ref, gv=gv, customer=customer, **more))


async def cases() -> list[tuple[str, str]]:
    return [(row["rule"], row["state"]) for row in await db.fetch("SELECT rule, state FROM fraud_case ORDER BY id")]


async def states() -> dict[str, str]:
    rows = await db.fetch(
        "SELECT o.external_id AS ref, c.state FROM commission c JOIN orders o ON o.id = c.order_id ORDER BY c.id"
    )
    return {row["ref"]: row["state"] for row in rows}


@pytest.mark.parametrize("email", ["mara@example.org", "Mara@Example.org", "mara+deal@example.org"])
async def test_ones_own_mailbox_earns_nothing_however_it_is_written(web: Browser, email: str):
    mara, shop, code = await a_sharer(web)
    gv = await click(web(), code)
    await tell(web, shop, "order.paid", order("1", gv=gv, customer={"id": "c", "email": email, "name": "M"}))
    assert await standing(mara) == {} and await db.fetch_val("SELECT count(*) FROM commission") == 0


async def test_what_goes_to_the_sharers_own_address_waits(web: Browser):
    mara, shop, code = await a_sharer(web)
    await bought(web, shop, "own", who="mara", shipping_address=HILL)
    written_otherwise = {**HILL, "line1": "7  hill LANE"}
    await bought(web, shop, "aunt", gv=await click(web(), code), shipping_address=written_otherwise)
    await bought(web, shop, "friend", gv=await click(web(), code), shipping_address=LAKE)
    assert await states() == {"aunt": "held", "friend": "pending"} and await cases() == [("own_address", "open")]
    assert await standing(mara) == {("held", "USD"): 1_200, ("pending", "USD"): 1_200}
    await books_are_right()


async def test_what_is_paid_with_the_sharers_own_card_waits(web: Browser):
    _mara, shop, code = await a_sharer(web)
    await bought(web, shop, "own", who="mara", payment_fingerprint="card_1")
    await bought(web, shop, "again", gv=await click(web(), code), payment_fingerprint="card_1")
    await bought(web, shop, "friend", gv=await click(web(), code), payment_fingerprint="card_2")
    assert await states() == {"again": "held", "friend": "pending"} and await cases() == [("own_card", "open")]


async def in_a_circle(web: Browser, shop: Shop, people: list[Person], rounds: int) -> None:
    """Each buys by the next one's link, round after round; in between strangers buy by them as well."""
    codes = {person.handle: (await a_link(web, person))["code"] for person in people}
    for number in range(rounds):
        for buyer, leads in zip(people, [*people[1:], people[0]], strict=True):
            gv = await click(web(), codes[leads.handle])
            await bought(web, shop, f"{buyer.handle}{number}", gv=gv, who=buyer.handle)
            await bought(web, shop, f"s{leads.handle}{number}", gv=await click(web(), codes[leads.handle]))


@pytest.mark.parametrize("many", [2, 3])
async def test_members_who_go_on_buying_by_one_another_wait(web: Browser, many: int):
    people = [await a_member(name) for name in ("mara", "ben", "cleo")[:many]]
    shop = await a_paying_shop()
    await in_a_circle(web, shop, people, 2)
    found = await states()
    assert {state for ref, state in found.items() if ref.startswith("s")} == {"pending"}, "strangers' orders are fine"
    assert set(await cases()) == {("circle", "open")} and "held" in found.values()
    seen = await db.fetch("SELECT evidence FROM fraud_signal WHERE rule = 'circle'")
    assert {(row["evidence"]["members"], row["evidence"]["orders"]) for row in seen} == {(many, 2)}
    await books_are_right()


async def test_two_friends_who_each_told_the_other_of_one_thing_do_not_wait(web: Browser):
    people = [await a_member(name) for name in ("mara", "ben", "cleo")]
    shop = await a_paying_shop()
    await in_a_circle(web, shop, people[:2], 1)
    # And who leads a friend often, while that friend leads others.
    codes = {person.handle: (await a_link(web, person))["code"] for person in people}
    for number in range(4):
        await bought(web, shop, f"b{number}", gv=await click(web(), codes["mara"]), who="ben")
        await bought(web, shop, f"c{number}", gv=await click(web(), codes["ben"]), who="cleo")
    assert set((await states()).values()) == {"pending"} and await cases() == []
    await books_are_right()


async def test_looking_for_a_circle_costs_a_fixed_number_of_queries(web: Browser):
    people = [await a_member(name) for name in ("mara", "ben")]
    shop = await a_paying_shop()
    await in_a_circle(web, shop, people, 2)
    of = {
        row["ref"]: await evidence.subject_of(row["id"])
        for row in await db.fetch(
            "SELECT c.id, o.external_id AS ref FROM commission c JOIN orders o ON o.id = c.order_id ORDER BY c.id"
        )
    }
    with watch_queries() as closed:
        assert await circle_of(of["ben1"]) == (2, 2)
    with watch_queries() as of_a_stranger:
        assert await circle_of(of["smara0"]) == (0, 0)
    assert (len(closed), len(of_a_stranger)) == (1, 0), "nobody stands between the two"


async def test_an_address_that_is_told_later_is_looked_at_then(web: Browser):
    _mara, shop, code = await a_sharer(web)
    gv = await click(web(), code)
    await bought(web, shop, "own", who="mara", shipping_address=HILL)
    await bought(web, shop, "aunt", gv=gv)
    assert await states() == {"aunt": "pending"}
    later = (clock.now() + timedelta(seconds=5)).isoformat()
    await bought(web, shop, "aunt", gv=gv, shipping_address=HILL, updated_at=later)
    assert await states() == {"aunt": "held"}


async def test_a_click_in_the_sharers_own_browser_waits(web: Browser):
    mara, shop, code = await a_sharer(web)
    await visitors.learn_salts()
    await sign_in(own := web(**{"user-agent": CHROME}), mara)
    await own.get("/earn")
    await visitors.note_members()
    # A window without cookies on the same machine; and a friend on another one.
    await bought(web, shop, "sly", gv=await click(web(), code, agent=CHROME))
    await bought(web, shop, "friend", gv=await click(web(), code, agent=IPHONE))
    assert await states() == {"sly": "held", "friend": "pending"} and await cases() == [("own_device", "open")]


async def test_several_customers_at_one_address_wait_together(web: Browser):
    _mara, shop, code = await a_sharer(web)
    for ref in ("1", "2", "3"):
        await bought(web, shop, ref, gv=await click(web(), code), shipping_address=HILL)
    await bought(web, shop, "4", gv=await click(web(), code), shipping_address=LAKE)
    assert await states() == {"1": "held", "2": "held", "3": "held", "4": "pending"}
    assert await cases() == [("ring", "open")]
    assert await db.fetch_val("SELECT count(*) FROM fraud_hold") == 3


async def test_a_burst_of_orders_waits_and_a_busy_evening_does_not(web: Browser):
    _mara, shop, code = await a_sharer(web, orders_per_hour=3)
    for ref in ("1", "2"):
        await bought(web, shop, ref, gv=await click(web(), code))
    clock.travel(timedelta(minutes=61))
    await bought(web, shop, "3", gv=await click(web(), code))
    assert await cases() == []
    for ref in ("4", "5"):
        await bought(web, shop, ref, gv=await click(web(), code))
    assert await states() == {"1": "pending", "2": "pending", "3": "held", "4": "held", "5": "held"}


@pytest.mark.parametrize(
    ("limits", "path", "headers", "rule"),
    [
        ({}, "?gclid=x1", {}, "paid_traffic"),
        ({}, "?ttclid=x1", {}, "paid_traffic"),
        ({"paid_allowed": ("mar*",)}, "?gclid=x1", {}, ""),
        ({}, "?fbclid=x1", {}, ""),
        (
            {"banned_referrers": ("*.coupon.example",)},
            "",
            {"referer": "https://www.coupon.example/mara"},
            "banned_referrer",
        ),
        ({"banned_referrers": ("*.coupon.example",)}, "", {"referer": "https://blog.example/coupon"}, ""),
    ],
)
async def test_where_a_visitor_may_not_come_from(web: Browser, limits: dict, path: str, headers: dict, rule: str):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await set_thresholds(shop.id, Thresholds(**limits), mara.id)
    code = (await a_link(web, mara, code="mara-trail"))["code"]
    gv = await click(web(), code + path, **headers)
    await bought(web, shop, "1", gv=gv)
    assert await cases() == ([(rule, "open")] if rule else [])
    assert await states() == {"1": "held" if rule else "pending"}


async def test_links_stuffed_into_pages_as_pictures_hold_what_they_earn(web: Browser):
    _mara, shop, code = await a_sharer(web)
    await bought(web, shop, "before", gv=await click(web(), code))
    for _ in range(10):
        await click(web(), code, **{"sec-fetch-dest": "image", "sec-fetch-site": "cross-site"})
    gv = await click(web(), code)
    await bought(web, shop, "after", gv=gv)
    assert await cases() == [("stuffing", "open")] and await states() == {"before": "held", "after": "held"}


@pytest.mark.parametrize(("gaps", "found"), [("even", [("click_flood", "open")]), ("chance", [])])
async def test_visits_by_the_clock_wait_and_visits_by_people_do_not(web: Browser, gaps: str, found: list):
    _mara, shop, code = await a_sharer(web)
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    rng, at = random.Random(3), clock.now() - timedelta(hours=5)
    for number in range(260):
        at += timedelta(seconds=60 if gaps == "even" else rng.expovariate(1 / 60))
        await db.execute(
            """INSERT INTO click (id, link_id, occurred_at, kind, visitor_day_hash) VALUES ($1, $2, $3, 'human', $4)""",
            ids.new_click_id(at),
            link_id,
            at,
            f"{number:024x}",
        )
    await bought(web, shop, "1", gv=await click(web(), code))
    assert await cases() == found


async def test_a_leaked_code_waits_and_a_friends_code_does_not(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    from referrals.codes.service import give_personal_codes

    await give_personal_codes(mara.id)
    code = await db.fetch_val("SELECT text FROM code WHERE owner_id = $1", mara.id)
    await bought(web, shop, "1", codes=[code])
    assert await states() == {"1": "pending"} and await cases() == []
    await db.execute("UPDATE code SET leak_state = 'leaked', leaked_at = $1", clock.now() - timedelta(days=1))
    await bought(web, shop, "2", codes=[code])
    assert (await states())["2"] == "held" and await cases() == [("leaked_code", "open")]


async def test_most_of_it_going_back_is_noticed_when_it_goes_back(web: Browser):
    _mara, shop, code = await a_sharer(web, refund_orders=3)
    for ref in ("1", "2", "3", "4"):
        await bought(web, shop, ref, gv=await click(web(), code))
    assert await cases() == []
    await tell(web, shop, "order.refunded", refund("r1", "1"))
    whole = [{"id": "l1", "quantity": 1, "amount": 12_000}]
    await tell(web, shop, "order.refunded", refund("r2", "2", lines=whole))
    assert await cases() == [("refunds", "open")]
    assert await states() == {"1": "held", "2": "reversed", "3": "held", "4": "held"}
    await books_are_right()


async def test_two_members_with_one_account_both_wait_and_a_third_does_not(web: Browser):
    mara, shop, code = await a_sharer(web)
    bob, eve = await a_member("bob"), await a_member("eve")
    for person in (mara, bob, eve):
        link = code if person is mara else (await a_link(web, person))["code"]
        await bought(web, shop, person.handle + "1", gv=await click(web(), link))
    async with db.transaction():
        await publish(PayoutMethodShared(rail="bank", fingerprint="f" * 64, member_ids=[mara.id, bob.id]))
    await run_jobs()
    assert await states() == {"mara1": "held", "bob1": "held", "eve1": "pending"}
    assert await cases() == [("shared_account", "open")] * 2


async def test_odd_times_are_looked_for_among_a_stores_members(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara, shop, code = await a_sharer(web)
    bob = await a_member("bob")
    for person, link in ((mara, code), (bob, (await a_link(web, bob))["code"])):
        await bought(web, shop, person.handle + "1", gv=await click(web(), link))
    times = await evidence.times_at(shop.id, clock.now())
    assert set(times) == {mara.id, bob.id} and all(-5 < one < 60 for delays in times.values() for one in delays)

    async def at_the_checkout(*_: object) -> dict[int, list[float]]:
        rng = random.Random(1)
        people = [rng.expovariate(1 / 30_000) for _ in range(200)]
        return {mara.id: [rng.uniform(2, 9) for _ in range(30)], bob.id: people}

    monkeypatch.setattr(evidence, "times_at", at_the_checkout)
    assert await screening.look_at_times() == 1 and await screening.look_at_times() == 0
    assert await states() == {"mara1": "held", "bob1": "pending"}


async def test_an_ordinary_sale_is_looked_at_once_and_released_when_its_hold_ends(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop(hold_days=0)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await bought(web, shop, "1", gv=gv)
    assert await db.fetch_val("SELECT count(*) FROM commission WHERE screened_at IS NULL") == 0
    assert await release_due() == 1 and await standing(mara) == {("available", "USD"): 1_200}


async def test_what_nobody_looked_at_is_not_released_though_its_hold_is_over(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    """The job that looks is broken: nothing is paid, and the next look finds it."""
    mara, shop = await a_member("mara"), await a_paying_shop(hold_days=0)
    gv = await click(web(), (await a_link(web, mara))["code"])

    async def broken(_id: int) -> None:
        raise RuntimeError("a bug in a rule")

    monkeypatch.setattr(evidence, "subject_of", broken)
    with pytest.raises(RuntimeError):
        await bought(web, shop, "1", gv=gv)
    clock.travel(timedelta(days=1))
    assert await release_due() == 0
    monkeypatch.undo()
    assert await screening.screen_forgotten() == 1 and await screening.screen_forgotten() == 0
    assert await release_due() == 1 and await standing(mara) == {("available", "USD"): 1_200}


async def test_many_looks_at_once_open_one_case(web: Browser):
    _mara, shop, code = await a_sharer(web)
    await bought(web, shop, "own", who="mara", shipping_address=HILL)
    await db.execute("DELETE FROM pgqueuer")
    for ref in ("1", "2"):
        await bought(web, shop, ref, gv=await click(web(), code), shipping_address=HILL)
    ids_ = [row["id"] for row in await db.fetch("SELECT id FROM commission")]
    await asyncio.gather(*(screening.screen(one, again=True) for one in ids_ * 4))
    assert await cases() == [("own_address", "open")] and set((await states()).values()) == {"held"}
    assert await db.fetch_val("SELECT count(*) FROM fraud_signal") == 2
    await books_are_right()
