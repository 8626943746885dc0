"""Money of a Saleor order that moved more than once: taken back by hand, failed later, paid again, paid by a card."""

from datetime import timedelta
from typing import Any

import pytest

from app import db
from storefront.orders.service import Flagged
from tests.factories import Browser, run_jobs
from tests.storefront.providers import Message, Refund, Sale, saleor
from tests.storefront.providers.sale import as_json, iso, major, placed_at
from tests.storefront.shop import Shop
from tests.storefront.test_connectors import TWO_LINES, a_shop_of, back, send, standing
from tests.storefront.test_saleor import granted, order_of, refunds_of, said

pytestmark = pytest.mark.anyio
PRICE = Sale().total


def move(kind: str, id_: str, amount: int, minutes: int, reference: str | None = None) -> dict[str, Any]:
    told = saleor.movement(kind, id_, Sale(), 0, minutes=minutes)
    told["amount"] = {"amount": float(major(amount, "USD"))}
    return told if reference is None else told | {"pspReference": reference}


def after(*events: dict[str, Any], is_paid: bool = False, **more: Any) -> dict[str, Any]:
    """An order that was paid in full, and what happened then."""
    told = saleor.told(Sale()) | {"isPaid": is_paid, **more}
    told["transactions"][0]["events"] += events
    return told


def went_back(told: dict[str, Any]) -> dict[str, int]:
    return {one.external_id: one.unplaced for one in refunds_of(told) if not one.is_void}


def test_a_charge_that_failed_later_is_no_payment_and_one_that_was_believed_is_taken_back():
    told = after(move("CHARGE_FAILURE", "f", PRICE, 9, "psp-charge-1"))
    assert order_of(told).paid_at is None
    (failed,) = refunds_of(told)
    assert (failed.external_id, failed.kind, failed.unplaced) == ("failed:charge-1", "chargeback", PRICE)
    for stays in (
        move("CHARGE_FAILURE", "f", PRICE, 9, "another"),
        move("CHARGE_FAILURE", "f", PRICE, -1, "psp-charge-1"),
    ):
        assert order_of(after(stays)).paid_at and refunds_of(after(stays)) == []
    # It went through at the second try.
    again = after(move("CHARGE_FAILURE", "f", PRICE, 9, "psp-charge-1"), move("CHARGE_SUCCESS", "c", PRICE, 12))
    assert order_of(again).paid_at == placed_at() + timedelta(minutes=12) and went_back(again) == {}


def test_what_somebody_takes_back_by_hand_is_one_refund_however_many_sums_they_set():
    lower = move("CHARGE_SUCCESS", "n", -PRICE, 9, "")
    assert order_of(after(lower)).paid_at == placed_at()
    assert went_back(after(lower)) == {"taken:n": PRICE}
    refunded = move("REFUND_SUCCESS", "r", PRICE, 9, "")
    assert went_back(after(lower, refunded)) == {"r": PRICE}
    assert went_back(after(move("CHARGE_SUCCESS", "n", -PRICE, 9, ""), move("REFUND_SUCCESS", "r", 5_000, 9, ""))) == {
        "taken:n": PRICE - 5_000, "r": 5_000,
    }  # fmt: skip
    undone = (move("CHARGE_SUCCESS", "n2", PRICE, 12, ""), move("REFUND_SUCCESS", "r2", -PRICE, 12, ""))
    assert went_back(after(lower, refunded, *undone)) == {}
    later = move("REFUND_SUCCESS", "r3", 1_000, 15)
    assert went_back(after(lower, refunded, *undone, later)) == {"r3": 1_000}, "that was paid once only"


def test_a_refund_that_was_set_lower_stands_for_the_rest():
    first = move("REFUND_SUCCESS", "r", 5_000, 8, "")
    assert went_back(after(first, move("REFUND_SUCCESS", "x", -5_000, 9, ""))) == {}
    assert went_back(after(first, move("REFUND_SUCCESS", "x", -3_000, 9, ""))) == {"rest:x": 2_000}


def test_a_refund_that_failed_after_all_is_none():
    (refund,) = refunds_of(after(move("REFUND_SUCCESS", "r", 1_000, 8), move("REFUND_FAILURE", "f", 1_000, 9, "psp-r")))
    assert refund.is_void


def test_no_reference_is_not_the_same_as_another_without_one():
    small, large = move("REFUND_SUCCESS", "small", 100, 7, ""), move("REFUND_SUCCESS", "large", 5_000, 8, "")
    assert went_back(after(small, large, move("REFUND_REVERSE", "x", 100, 9, ""))) == {"large": 5_000}
    told = saleor.told(Sale()) | {"transactions": []}
    steps = [("CAPTURE", "1", PRICE), ("REFUND", "2", PRICE), ("REFUND_REVERSED", "3", PRICE)]
    told["payments"] = [
        {
            "transactions": [
                {"id": id_, "kind": kind, "isSuccess": True, "created": iso(placed_at() + timedelta(minutes=int(id_))),
                 "amount": {"amount": float(major(amount, "USD"))}}
                for kind, id_, amount in steps
            ]
        }
    ]  # fmt: skip
    assert [one.is_void for one in refunds_of(told)] == [True]


def test_what_was_granted_pays_for_nothing():
    told = saleor.told(Sale()) | {"isPaid": False, "chargeStatus": "FULL", "grantedRefunds": [granted("x", ("11", 1))]}
    assert order_of(told | {"transactions": []}).paid_at is None
    told["transactions"][0]["events"] = [move("CHARGE_SUCCESS", "c", PRICE // 2, 0)]
    assert order_of(told).paid_at is None


def test_the_second_half_of_a_price_is_no_dispute_that_was_won():
    half = PRICE // 2
    told = after()
    events = [
        move("CHARGE_SUCCESS", "1", half, 1),
        move("CHARGE_BACK", "b", half, 5),
        move("CHARGE_SUCCESS", "2", half, 9),
    ]
    told["transactions"][0]["events"] = events
    assert [one.kind for one in refunds_of(told)] == ["chargeback"]
    events.append(move("CHARGE_SUCCESS", "3", half, 12))
    assert [one.kind for one in refunds_of(told)] == ["chargeback", "dispute_won"]


def test_an_order_that_was_paid_back_and_paid_anew_goes_on_earning():
    told = after(move("REFUND_SUCCESS", "r", PRICE, 5))
    assert went_back(told) == {"r": PRICE}
    told["transactions"].append({"events": [move("CHARGE_SUCCESS", "again", PRICE, 9)]})
    assert went_back(told) == {}
    told["transactions"][1]["events"].append(move("REFUND_SUCCESS", "r2", 1_000, 12))
    assert went_back(told) == {"r2": 1_000}


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "9e999999"])
def test_what_is_no_number_is_for_a_person(amount: str):
    told = after(move("CHARGE_SUCCESS", "c", 100, 1))
    told["transactions"][0]["events"][0]["amount"] = {"amount": amount}
    with pytest.raises(Flagged, match="not an amount"):
        said(told)


def test_what_was_sent_is_delivered_though_some_of_it_came_back():
    sent = [{"status": "FULFILLED", "created": iso(placed_at())}]
    assert order_of(after(status="PARTIALLY_RETURNED", fulfillments=sent)).delivered_at == placed_at()
    assert order_of(after(status="PARTIALLY_FULFILLED", fulfillments=sent)).delivered_at is None


async def tell(web: Browser, shop: Shop, told: dict[str, Any], minutes: int = 0) -> None:
    told["updatedAt"] = iso(placed_at() + timedelta(minutes=minutes))
    body = as_json({"__typename": "OrderUpdated", "issuedAt": told["updatedAt"], "order": told})
    assert (await send(web, "saleor", shop, Message("", body))).status_code == 202
    await run_jobs()


async def unapplied() -> list[str]:
    return [row["note"] for row in await db.fetch("SELECT note FROM inbox WHERE state <> 'applied' ORDER BY id")]


async def test_all_of_an_order_that_a_gift_card_helped_to_pay_goes_back(web: Browser):
    shop = await a_shop_of("saleor")
    told = saleor.told(Sale()) | {"giftCards": [{"id": "g1"}]}
    left = PRICE // 4
    told["total"]["gross"]["amount"] = left / 100
    events = told["transactions"][0]["events"]
    events[0] = move("CHARGE_SUCCESS", "c", left, 0)
    events.append(move("REFUND_SUCCESS", "r", left // 5, 3))
    await tell(web, shop, told)
    assert await back() == {"11": 12_000 // 5}
    events.append(move("REFUND_SUCCESS", "r2", left - left // 5, 4))
    await tell(web, shop, told, 5)
    assert await back() == {"11": 12_000} and (await standing())["doubt"] == "" and await unapplied() == []


async def test_lines_that_were_granted_and_cost_another_cent_now_hold_up_nothing(web: Browser):
    shop = await a_shop_of("saleor")
    sale = Sale(lines=TWO_LINES, refunds=[Refund("r1", {}, beside=541)])
    told = saleor.told(sale) | {"grantedRefunds": [granted("r1", ("12", 1))]}
    await tell(web, shop, told)
    assert await back() == {"12": 499}
    told["lines"][1]["totalPrice"]["net"]["amount"] = 4.98
    await tell(web, shop, told | {"status": "CANCELED"}, 3)
    assert await unapplied() == [] and await back() == {"12": 499}
    assert await db.fetch_val("SELECT cancelled_at FROM orders") is not None


async def test_a_refund_of_some_lines_that_was_taken_back_leaves_them_whole(web: Browser):
    shop = await a_shop_of("saleor")
    sale = Sale(lines=TWO_LINES, refunds=[Refund("r1", {}, beside=541)])
    told = saleor.told(sale) | {"grantedRefunds": [granted("r1", ("12", 1))]}
    await tell(web, shop, told)
    assert await back() == {"12": 499}
    told["transactions"][0]["events"].append(move("REFUND_FAILURE", "f", 541, 9, "psp-r1"))
    await tell(web, shop, told, 10)
    assert await back() == {} and await unapplied() == []


async def test_one_odd_piece_of_a_history_keeps_back_nothing_but_itself(web: Browser):
    shop = await a_shop_of("saleor")
    told = after(move("REFUND_REVERSE", "x", 1_000, 3), move("REFUND_SUCCESS", "r", PRICE, 4))
    await tell(web, shop, told | {"status": "CANCELED"})
    (note,) = await unapplied()
    assert "never told" in note and await back() == {"11": 12_000}
    assert await db.fetch_val("SELECT cancelled_at FROM orders") is not None
