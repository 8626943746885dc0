"""Amounts that do not add up: kept, earning nothing until somebody has looked. And money back without its lines."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import clock, db
from storefront.orders.placing import Line, Refund, spread
from tests.conftest import examples
from tests.factories import Browser, Person, a_member, run_jobs
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, line, order, refund

pytestmark = pytest.mark.anyio


async def doubt() -> str:
    return await db.fetch_val("SELECT doubt FROM orders")


async def a_sharer(web: Browser) -> tuple[Shop, Person, str]:
    shop, mara = await a_paying_shop(), await a_member("mara")
    return shop, mara, await click(web(), (await a_link(web, mara))["code"])


async def clear(shop: Shop) -> None:
    from app.auth import Viewer
    from storefront.orders.doubts import clear_doubt
    from storefront.stores.queries import store_by_slug

    order_id = await db.fetch_val("SELECT id FROM orders")
    await clear_doubt(Viewer(), await store_by_slug(shop.slug), order_id, "looked at it")
    await run_jobs()


async def test_a_total_that_its_parts_do_not_make_earns_nothing_until_somebody_looked(web: Browser):
    shop, mara, gv = await a_sharer(web)
    await tell(web, shop, "order.paid", order(gv=gv, total=99_999))
    assert "USD 999.99" in await doubt() and "USD 125.00" in await doubt()
    assert await standing(mara) == {}
    await books_are_right()
    await clear(shop)
    assert await doubt() == "" and await standing(mara) == {("pending", "USD"): 1_200}
    # The same telling again says nothing new; another wrong total is a doubt of its own.
    await tell(web, shop, "order.paid", order(gv=gv, total=99_999, updated_at=clock.now().isoformat()))
    assert await doubt() == "" and await standing(mara) == {("pending", "USD"): 1_200}
    await tell(web, shop, "order.paid", order(gv=gv, total=99_998, updated_at=clock.now().isoformat()))
    assert await doubt() and await standing(mara) == {}
    await books_are_right()


async def test_a_doubt_that_the_shop_puts_right_is_over(web: Browser):
    shop, mara, gv = await a_sharer(web)
    await tell(web, shop, "order.paid", order(gv=gv, total=1))
    assert await doubt() and await standing(mara) == {}
    await tell(web, shop, "order.paid", order(gv=gv, total=12_500, updated_at=clock.now().isoformat()))
    assert await doubt() == "" and await standing(mara) == {("pending", "USD"): 1_200}
    await books_are_right()


@pytest.mark.parametrize("first", ["order", "refund"])
async def test_more_back_than_was_paid_is_in_doubt_whichever_comes_first(web: Browser, first: str):
    shop, mara, gv = await a_sharer(web)
    told: list[tuple[str, Any]] = [
        ("order.paid", order(gv=gv)),
        ("order.refunded", refund(lines=[{"id": "l1", "quantity": 1, "amount": 12_001}])),
    ]
    for kind, data in told if first == "order" else reversed(told):
        await tell(web, shop, kind, data)
    assert "120.01" in await doubt() and await standing(mara) == {}
    await books_are_right()


async def test_tax_that_went_back_with_a_line_is_no_doubt(web: Browser):
    shop, mara, gv = await a_sharer(web)
    await tell(web, shop, "order.paid", order(gv=gv, lines=[line(tax=960)], total=13_460))
    await tell(web, shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 1, "amount": 12_960}]))
    assert await doubt() == "" and await standing(mara) == {}
    await books_are_right()


async def test_a_sum_that_went_back_is_spread_and_ends_at_nothing(web: Browser):
    shop, mara, gv = await a_sharer(web)
    await tell(web, shop, "order.paid", order(gv=gv, total=12_500))
    await tell(web, shop, "order.refunded", refund("r1", lines=[], amount=6_250))
    assert await standing(mara) == {("pending", "USD"): 600}
    await tell(web, shop, "order.refunded", refund("r2", lines=[], amount=6_250))
    assert await standing(mara) == {} and await doubt() == ""
    await tell(web, shop, "order.refunded", refund("r3", lines=[], amount=1))
    assert "125.01" in await doubt()
    await books_are_right()


async def test_only_who_runs_the_store_may_clear_and_only_what_is_in_doubt(web: Browser):
    from app.auth import Viewer
    from app.errors import NotFound
    from storefront.orders.doubts import clear_doubt
    from storefront.stores.queries import store_by_slug

    shop, _, gv = await a_sharer(web)
    other = await a_paying_shop("south")
    await tell(web, shop, "order.paid", order(gv=gv, total=1))
    order_id = await db.fetch_val("SELECT id FROM orders")
    with pytest.raises(NotFound):
        await clear_doubt(Viewer(), await store_by_slug(other.slug), order_id)
    await clear(shop)
    assert not await clear_doubt(Viewer(), await store_by_slug(shop.slug), order_id)
    assert await db.fetch_val("SELECT note FROM doubt_clearance") == "looked at it"


lines_ = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 500)), min_size=1, max_size=5)
cuts = st.lists(st.integers(0, 10_000), min_size=0, max_size=6)


@settings(max_examples=examples(500), deadline=None)
@given(amounts=lines_, beside=st.integers(0, 900), cut=cuts, chance=st.randoms())
def test_any_parts_that_make_the_whole_give_back_every_line_to_the_cent(
    amounts: list[tuple[int, int]], beside: int, cut: list[int], chance: Any
):
    """In any number of parts, in any sequence, never more than a line cost, and nothing is left at the end."""
    lines = [Line(f"l{n}", base, tax) for n, (base, tax) in enumerate(amounts)]
    whole = sum(base + tax for base, tax in amounts if base) + beside
    edges = sorted({0, whole, *(point % (whole + 1) for point in cut)})
    parts = [after - before for before, after in itertools.pairwise(edges)]
    refunds = [Refund(n, "refund", part, False, {}) for n, part in enumerate(parts, start=1)]
    back = _sums(spread(lines, beside, refunds))
    assert all(back.get(line.external_id, 0) == line.base for line in lines) or whole == 0
    some = [refund for refund in refunds if chance.random() < 0.5]
    mixed = [*some, Refund(99, "refund", 0, True, {}), Refund(98, "refund", sum(r.unplaced for r in some), True, {})]
    assert _sums(spread(lines, beside, mixed)) == _sums(spread(lines, beside, some))
    partial = _sums(spread(lines, beside, some))
    assert all(0 <= partial.get(line.external_id, 0) <= line.base for line in lines)
    assert all(amount >= 0 for by_line in spread(lines, beside, refunds).values() for amount in by_line.values())


def _sums(parts: dict[int, dict[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for by_line in parts.values():
        for line_id, amount in by_line.items():
            sums[line_id] = sums.get(line_id, 0) + amount
    return {line_id: amount for line_id, amount in sums.items() if amount}
