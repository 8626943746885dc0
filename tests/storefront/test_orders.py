"""What a shop tells of its orders, in any order and any number of times."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from storefront.orders.queries import lines_of, purchases_of
from tests.factories import Browser, a_member, run_jobs
from tests.storefront.shop import Shop, a_product, a_shop, line, order, refund, send

pytestmark = pytest.mark.anyio


async def tell(web: Browser, shop: Shop, type_: str, data: Any, **how: Any) -> tuple[str, str]:
    """Send a message and let the worker read it: the state and note of the inbox."""
    assert (await send(web(), shop, type_, data, **how)).status_code == 202
    await run_jobs()
    row = await db.fetch_one("SELECT state, note FROM inbox ORDER BY id DESC LIMIT 1")
    return row["state"], row["note"]


async def the_order(external_id: str = "1001"):
    return await db.fetch_one("SELECT * FROM orders WHERE external_id = $1", external_id)


async def announced(kind: str) -> int:
    return await db.fetch_val("SELECT count(*) FROM event WHERE type = $1", kind)


async def standing() -> list[tuple]:
    """Everything known of orders and their lines, without our own row ids and times."""
    rows = await db.fetch(
        """SELECT o.external_id, o.currency, o.gv, o.paid_at IS NOT NULL, o.delivered_at IS NOT NULL,
                  o.cancelled_at IS NOT NULL, l.external_id AS line, l.gross, l.discount, l.quantity,
                  (SELECT coalesce(sum(rl.amount), 0) FROM refund f JOIN refund_line rl ON rl.refund_id = f.id
                    WHERE f.order_external_id = o.external_id AND rl.external_line_id = l.external_id) AS back
             FROM orders o LEFT JOIN order_line l ON l.order_id = o.id ORDER BY o.external_id, l.external_id"""
    )
    return [tuple(row) for row in rows]


async def test_a_paid_order_is_known_with_its_lines(web: Browser):
    shop = await a_shop()
    await a_product(shop)
    gv = "0123456789abcdef0123456789abcdef"
    assert await tell(web, shop, "order.paid", order(gv=gv, codes=["MARA10"])) == ("applied", "")
    row = await the_order()
    assert (row["number"], row["currency"], row["shipping"], row["codes"]) == ("#1001", "USD", 500, ["MARA10"])
    assert row["gv"].hex == gv and row["paid_at"] and not row["delivered_at"]
    (known,) = await lines_of(row["id"])
    assert (known["base"], known["refunded"], known["product_id"] is not None) == (12_000, 0, True)
    assert await announced("OrderPaid") == await announced("OrderFactsChanged") == 1


async def test_the_same_order_three_times_at_once_is_one_order(web: Browser):
    shop = await a_shop()
    told = order()
    answers = await asyncio.gather(*(send(web(), shop, "order.paid", told) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    from storefront.connectors.service import read_message

    inbox = [row["id"] for row in await db.fetch("SELECT id FROM inbox")]
    await asyncio.gather(*(read_message(inbox_id) for inbox_id in inbox * 3))
    await run_jobs()
    assert (
        await db.fetch_val("SELECT count(*) FROM orders") == await db.fetch_val("SELECT count(*) FROM order_line") == 1
    )
    assert await announced("OrderPaid") == await announced("OrderFactsChanged") == 1


async def test_a_refund_before_its_order_waits_for_it(web: Browser):
    shop = await a_shop()
    assert await tell(web, shop, "order.refunded", refund()) == ("applied", "")
    assert await announced("OrderRefunded") == 0
    await tell(web, shop, "order.paid", order())
    (known,) = await lines_of((await the_order())["id"])
    assert known["refunded"] == 4_000 and await announced("OrderRefunded") == 1


async def test_any_sequence_of_the_same_messages_ends_the_same(web: Browser):
    """Paid, edited, delivered, two refunds: all 120 sequences, each message twice, leave the same rows."""
    now = clock.now()
    gv = "f" * 32
    edited = [line(gross=10_000, discount=0), line("l2", gross=500, discount=0, product_id="SKU-2")]

    def at(minutes: int) -> str:
        return (now + timedelta(minutes=minutes)).isoformat()

    messages = [
        ("order.paid", order(gv=gv, updated_at=at(1))),
        ("order.paid", order(gv=gv, updated_at=at(2), lines=edited)),
        ("order.delivered", {"id": "1001", "updated_at": at(3)}),
        ("order.refunded", refund("r1")),
        ("order.refunded", refund("r2", lines=[{"id": "l2", "quantity": 1, "amount": 500}])),
    ]
    from storefront.stores.queries import store_by_slug
    from tests.storefront.shop import apply_body, message

    await a_shop()
    store = await store_by_slug("north")
    outcomes = set()
    for sequence in itertools.permutations(messages):
        for kind, told in (*sequence, *sequence[:2]):
            await apply_body(store, message(kind, told))
        outcomes.add(tuple(await standing()))
        await db.execute("DELETE FROM refund_line")
        await db.execute("DELETE FROM refund")
        await db.execute("DELETE FROM order_line")
        await db.execute("DELETE FROM orders")
    assert len(outcomes) == 1


async def test_old_news_does_not_overwrite_new(web: Browser):
    shop = await a_shop()
    new, old = clock.now(), clock.now() - timedelta(hours=1)
    await tell(web, shop, "order.paid", order(updated_at=new.isoformat(), lines=[line(gross=20_000)]))
    assert await tell(web, shop, "order.paid", order(updated_at=old.isoformat())) == ("applied", "")
    (known,) = await lines_of((await the_order())["id"])
    assert known["gross"] == 20_000 and await announced("OrderFactsChanged") == 1


async def test_a_line_that_is_told_no_more_is_worth_nothing(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order(lines=[line("l1"), line("l2")]))
    later = (clock.now() + timedelta(minutes=1)).isoformat()
    await tell(web, shop, "order.paid", order(lines=[line("l1")], updated_at=later))
    assert [known["base"] for known in await lines_of((await the_order())["id"])] == [12_000, 0]


async def test_a_cancelled_order_says_so(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order())
    await tell(web, shop, "order.cancelled", {"id": "1001"})
    assert (await the_order())["cancelled_at"] and await announced("OrderCancelled") == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lines": [line(gross=-1)]}, "gross"),
        ({"lines": [line(gross=129.0)]}, "gross"),
        ({"lines": [line(gross="12900")]}, "gross"),
        ({"lines": [line(gross=True)]}, "gross"),
        ({"lines": [line(gross=10**30)]}, "gross"),
        ({"lines": [line(discount=-5)]}, "discount"),
        ({"lines": [line(discount=13_000)]}, "discount is larger"),
        ({"lines": [line(quantity=-1)]}, "quantity"),
        ({"lines": [line("a"), line("a")]}, "same id"),
        ({"shipping": -1}, "shipping"),
        ({"currency": "XBT"}, "XBT"),
        ({"currency": "usd"}, "usd"),
        ({"currency": None}, "currency"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"updated_at": "2026-01-01T00:00:00"}, "updated_at"),
        ({"updated_at": "2999-01-01T00:00:00Z"}, "future"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
    ],
    ids=str,
)
async def test_an_order_that_cannot_be_true_is_flagged_and_counts_for_nothing(web: Browser, change: dict, reason: str):
    shop = await a_shop()
    state, note = await tell(web, shop, "order.paid", order(**change))
    assert state == "flagged" and reason in note
    assert await standing() == [] and await db.fetch_val("SELECT count(*) FROM customer") == 0
    assert await announced("OrderFactsChanged") == 0


@pytest.mark.parametrize("amount", [-1, 40.5, 10**30, "40"], ids=str)
async def test_a_refund_of_an_impossible_amount_is_flagged(web: Browser, amount: Any):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order())
    state, note = await tell(web, shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 1, "amount": amount}]))
    assert state == "flagged" and "amount" in note
    parts = [{"id": "l1", "quantity": 0, "amount": 10**14} for _ in range(1000)]
    assert (await tell(web, shop, "order.refunded", refund(lines=parts)))[0] == "flagged"
    assert await db.fetch_val("SELECT count(*) FROM refund") == 0


async def test_a_change_of_currency_is_flagged_and_the_order_stays(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order())
    later = (clock.now() + timedelta(minutes=1)).isoformat()
    state, note = await tell(
        web, shop, "order.paid", order(currency="EUR", updated_at=later, lines=[line(gross=1, discount=0)])
    )
    assert state == "flagged" and "USD" in note and "EUR" in note
    assert (await the_order())["currency"] == "USD" and await announced("OrderFactsChanged") == 1
    assert (await tell(web, shop, "order.refunded", refund(currency="EUR")))[0] == "flagged"


async def test_a_refund_in_another_currency_that_came_first_counts_for_nothing(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.refunded", refund(currency="EUR"))
    await tell(web, shop, "order.paid", order())
    assert (await lines_of((await the_order())["id"]))[0]["refunded"] == 0


async def test_a_refund_told_twice_counts_once_and_told_differently_is_flagged(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order())
    assert await tell(web, shop, "order.refunded", refund()) == ("applied", "")
    assert await tell(web, shop, "order.refunded", refund()) == ("applied", "")
    other = refund(lines=[{"id": "l1", "quantity": 0, "amount": 9_000}])
    state, note = await tell(web, shop, "order.refunded", other)
    assert state == "flagged" and "differently" in note
    assert (await lines_of((await the_order())["id"]))[0]["refunded"] == 4_000 and await announced("OrderRefunded") == 1


async def test_nonsense_as_click_id_counts_as_none(web: Browser):
    shop = await a_shop()
    assert (await tell(web, shop, "order.paid", order(gv="'; DROP TABLE orders; --\x00")))[0] == "applied"
    assert (await the_order())["gv"] is None


async def test_text_with_nul_is_kept_without_it(web: Browser):
    shop = await a_shop()
    assert (await tell(web, shop, "order.paid", order(lines=[line(title="Trail\x00pack")])))[0] == "applied"
    assert (await lines_of((await the_order())["id"]))[0]["title"] == "Trailpack"


async def test_the_customer_with_a_members_email_is_that_member(web: Browser):
    bob = await a_member("bob")
    shop = await a_shop()
    await tell(web, shop, "order.paid", order(customer={"id": "c1", "email": "BOB@Example.org "}))
    assert await db.fetch_val("SELECT member_id FROM customer") == bob.id
    assert await announced("CustomerSeen") == 1
    columns = await db.fetch_one("SELECT * FROM customer")
    assert "bob@" not in " ".join(str(value) for value in columns.values()).lower()


async def test_who_joins_after_buying_is_recognised(web: Browser):
    shop = await a_shop()
    await a_product(shop)
    await tell(web, shop, "order.paid", order())
    bob = await a_member("bob")
    await run_jobs()
    product_id = await db.fetch_val("SELECT id FROM product")
    assert len(await purchases_of(bob.id, product_id)) == 1
    assert await announced("OrderFactsChanged") == 2


async def test_a_purchase_shows_what_became_of_it(web: Browser):
    bob = await a_member("bob")
    shop = await a_shop()
    await a_product(shop)
    product_id = await db.fetch_val("SELECT id FROM product")

    async def purchase():
        (known,) = await purchases_of(bob.id, product_id)
        return known["delivered_at"] is not None, known["returned"]

    await tell(web, shop, "order.paid", order())
    assert await purchase() == (False, False)
    await tell(web, shop, "order.delivered", {"id": "1001"})
    assert await purchase() == (True, False)
    await tell(web, shop, "order.refunded", refund())
    assert await purchase() == (True, False)
    await tell(web, shop, "order.refunded", refund("r2", lines=[{"id": "l1", "quantity": 1, "amount": 8_000}]))
    assert await purchase() == (True, True)
    await tell(web, shop, "order.cancelled", {"id": "1001"})
    assert await purchases_of(bob.id, product_id) == []


async def test_a_product_described_after_its_order_finds_the_line(web: Browser):
    shop = await a_shop()
    await tell(web, shop, "order.paid", order())
    assert (await lines_of((await the_order())["id"]))[0]["product_id"] is None
    await a_product(shop)
    await run_jobs()
    assert (await lines_of((await the_order())["id"]))[0]["product_id"] is not None
    assert await announced("OrderFactsChanged") == 2


async def test_an_order_of_one_store_never_touches_another(web: Browser):
    north, south = await a_shop("north"), await a_shop("south")
    await tell(web, north, "order.paid", order())
    await tell(web, south, "order.refunded", refund())
    of_north = await db.fetch_one("SELECT id FROM orders WHERE store_id = $1", north.id)
    assert [line["refunded"] for line in await lines_of(of_north["id"])] == [0]
