"""What is Saleor's own way: movements of money, refunds that were granted, gift cards, channels, permissions."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.errors import Invalid
from app.http import Answer
from storefront.connectors import ask
from storefront.connectors.saleor import facts, pull
from storefront.connectors.schemas import Access, Doubt, NotUnderstood, ProductDropped, ProductTold
from storefront.orders.schemas import OrderTold, RefundTold
from storefront.orders.service import Flagged
from storefront.stores.queries import store_by_slug
from storefront.stores.service import be_channel
from tests.factories import Browser, run_jobs
from tests.storefront.providers import Message, Refund, Sale, SaleLine, saleor
from tests.storefront.providers.sale import iso, placed_at
from tests.storefront.shop import Shop
from tests.storefront.test_connectors import TWO_LINES, a_shop_of, back, send, standing

pytestmark = pytest.mark.anyio
STORE: Any = {"currency": "USD", "channel": "", "origin": "https://north.example"}


def said(told: dict[str, Any], kind: str = "OrderUpdated", **more: Any) -> list[Any]:
    return facts(STORE, "", json.dumps({"__typename": kind, "order": told, **more}).encode(), placed_at())


def order_of(told: dict[str, Any]) -> OrderTold:
    (order, *_) = said(told)
    assert isinstance(order, OrderTold)
    return order


def refunds_of(told: dict[str, Any]) -> list[RefundTold]:
    return said(told)[1:]


async def tell(web: Browser, shop: Shop, told: dict[str, Any]) -> None:
    body = json.dumps({"__typename": "OrderRefunded", "issuedAt": told["updatedAt"], "order": told}).encode()
    assert (await send(web, "saleor", shop, Message("", body))).status_code == 202
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM inbox WHERE state <> 'applied'") == 0


def granted(event_id: str, *lines: tuple[str, int], shipping: bool = False) -> dict[str, Any]:
    return {
        "shippingCostsIncluded": shipping,
        "lines": [{"quantity": quantity, "orderLine": {"id": line}} for line, quantity in lines],
        "transactionEvents": [{"id": event_id}],
    }


async def test_what_was_granted_for_some_lines_is_theirs_and_a_refund_that_was_reversed_is_none(web: Browser):
    shop = await a_shop_of("saleor")
    sale = Sale(lines=TWO_LINES, refunds=[Refund("r1", {}, beside=541), Refund("r2", {}, beside=1_000)])
    told = saleor.told(sale)
    # Told before anybody wrote down what it was for, and again when they had.
    await tell(web, shop, told)
    told |= {"grantedRefunds": [granted("r1", ("12", 1))], "updatedAt": iso(placed_at() + timedelta(minutes=1))}
    await tell(web, shop, told)
    found = await back()
    assert found["12"] == 499 and 0 < found["11"] < 1_000, "the cup whole, and a part of what nobody placed"
    reverse = saleor.movement("REFUND_REVERSE", "x", sale, 1_000, minutes=3) | {"pspReference": "psp-r2"}
    told["transactions"][0]["events"].append(reverse)
    await tell(web, shop, told)
    assert await back() == {"12": 499} and (await standing())["doubt"] == ""


def test_money_that_its_grant_does_not_explain_is_of_no_line():
    sale = Sale(lines=TWO_LINES, shipping=500, shipping_tax=41, refunds=[Refund("r1", {}, beside=1_082)])
    for grant, lines in (
        (granted("r1", ("12", 1), shipping=True), {"12": 499}),  # 541 for the cup, 541 for sending it
        (granted("r1", ("12", 1)), {}),
        (granted("r1", ("12", 2)), {}),
        (granted("r1", ("99", 1)), {}),
        (granted("another", ("12", 1), shipping=True), {}),
        (granted("r1"), {}),
    ):
        (refund,) = refunds_of(saleor.told(sale) | {"grantedRefunds": [grant]})
        assert {line.external_line_id: line.amount for line in refund.lines} == lines
        assert refund.unplaced == (0 if lines else 1_082)


def test_a_grant_alone_gives_nothing_back_and_what_failed_neither():
    sale = Sale()
    told = saleor.told(sale) | {"grantedRefunds": [granted("r1", ("11", 1))]}
    kinds = ("REFUND_REQUEST", "REFUND_FAILURE", "CHARGE_FAILURE", "INFO", None)
    told["transactions"][0]["events"] += [saleor.movement(kind, f"e-{kind}", sale, 100) for kind in kinds]  # type: ignore[arg-type]
    assert refunds_of(told) == []


def test_only_the_same_money_charged_again_is_a_dispute_that_was_won():
    sale = Sale()
    for amount, minutes, kinds in ((sale.total, 9, ["chargeback", "dispute_won"]), (100, 9, ["chargeback"]),
                                   (sale.total, 1, ["chargeback"])):  # fmt: skip
        told = saleor.told(sale)
        told["transactions"][0]["events"] += [
            saleor.movement("CHARGE_BACK", "b", sale, sale.total, minutes=5),
            saleor.movement("CHARGE_SUCCESS", "c", sale, amount, minutes=minutes),
        ]
        assert [refund.kind for refund in refunds_of(told)] == kinds


def test_of_several_refunds_the_one_that_was_reversed_is_none():
    sale = Sale(refunds=[Refund("r1", {}, beside=1_000), Refund("r2", {}, beside=1_000), Refund("r3", {}, beside=700)])
    for reference, void in (("psp-r1", "r1"), ("psp-r2", "r2"), ("another", "r2")):
        told = saleor.told(sale)
        reverse = saleor.movement("REFUND_REVERSE", "x", sale, 1_000, minutes=9) | {"pspReference": reference}
        told["transactions"][0]["events"].append(reverse)
        assert [refund.external_id for refund in refunds_of(told) if refund.is_void] == [void]


def test_a_reversal_of_what_was_never_given_back_is_for_a_person():
    told = saleor.told(Sale())
    told["transactions"][0]["events"].append(saleor.movement("REFUND_REVERSE", "x", Sale(), 1_000))
    *_, doubt = said(told)
    assert isinstance(doubt, Doubt) and "never told" in doubt.reason


def test_an_order_is_paid_when_its_price_is_covered_and_stays_so():
    sale = Sale()
    told = saleor.told(sale) | {"isPaid": False}
    half = sale.total // 2
    first = saleor.movement("CHARGE_SUCCESS", "1", sale, half, minutes=1)
    rest = saleor.movement("CHARGE_SUCCESS", "2", sale, sale.total - half, minutes=7)
    told["transactions"] = [{"events": [first]}]
    assert order_of(told).paid_at is None
    told["transactions"] = [{"events": [rest]}, {"events": [first]}]
    assert order_of(told).paid_at == placed_at() + timedelta(minutes=7)
    told["transactions"][0]["events"].append(saleor.movement("REFUND_SUCCESS", "3", sale, half, minutes=8))
    assert order_of(told).paid_at == placed_at() + timedelta(minutes=7)
    # Nothing to pay: Saleor alone can say so.
    assert order_of(told | {"transactions": [], "isPaid": True}).paid_at == placed_at()


async def test_a_gift_card_takes_nothing_from_what_earns_and_raises_no_doubt(web: Browser):
    shop = await a_shop_of("saleor")
    told = saleor.told(Sale()) | {"giftCards": [{"id": "g1"}]}
    told["total"]["gross"]["amount"] -= 50
    await tell(web, shop, told)
    known = await standing()
    assert (known["doubt"], known["lines"][0][4]) == ("", 12_000)


def test_a_price_that_staff_raised_has_no_discount_and_tax_is_never_less_than_none():
    told = saleor.told(Sale(lines=[SaleLine(gross=10_000, discount=0)]))
    told["lines"][0]["undiscountedTotalPrice"]["net"]["amount"] = 90
    (line,) = order_of(told).lines or []
    assert (line.gross, line.discount) == (10_000, 0)
    told["lines"][0]["totalPrice"]["gross"]["amount"] = 99
    with pytest.raises(Flagged, match="with tax"):
        said(told)


def test_what_the_app_may_not_read_is_not_guessed():
    """A permission too few leaves refunds out; such an order would be paid for in full."""
    error = {"message": "To access this path, you need one of the following permissions: HANDLE_PAYMENTS"}
    with pytest.raises(Flagged, match="HANDLE_PAYMENTS"):
        said(saleor.told(Sale()), errors=[error])
    with pytest.raises(Flagged, match="the subscription"):
        facts(STORE, "", b'{"__typename":"OrderPaid","order":null}', placed_at())
    with pytest.raises(NotUnderstood, match="draft"):
        said(saleor.told(Sale()) | {"status": "DRAFT"})
    with pytest.raises(NotUnderstood, match="CheckoutCreated"):
        said(saleor.told(Sale()), kind="CheckoutCreated")


def test_a_product_is_sold_where_a_channel_of_our_currency_shows_it():
    told = json.loads(saleor.product(Sale(), "Trail pack", 12_900).body)
    product = told["product"]

    def now() -> Any:
        (fact,) = facts(STORE, "", json.dumps(told).encode(), placed_at())
        return fact

    described = now()
    assert isinstance(described, ProductTold)
    assert (described.details.description, described.details.stock) == ("Carries all of it.", 7)
    product |= {"url": "https://shop.example/en/trail-pack", "description": "no blocks", "variants": []}
    elsewhere = now()
    assert (elsewhere.details.url, elsewhere.details.description) == ("https://shop.example/en/trail-pack", "")
    assert elsewhere.details.stock is None
    (listing,) = product["channelListings"]
    us, eu = listing | {"channel": {"slug": "us"}}, listing | {"channel": {"slug": "eu"}}
    eu = eu | {"discountedPrice": {"amount": 99.0, "currency": "USD"}}
    product["channelListings"] = [us, eu]
    with pytest.raises(Flagged, match="grapevine store channel"):
        now()
    for slug, price in (("us", 12_900), ("eu", 9_900)):
        (fact,) = facts(STORE | {"channel": slug}, "", json.dumps(told).encode(), placed_at())
        assert fact.details.price.amount == price
    (fact,) = facts(STORE | {"channel": "asia"}, "", json.dumps(told).encode(), placed_at())
    assert isinstance(fact, ProductDropped)
    hidden: list[Any] = [
        [listing | {"isPublished": False}], [listing | {"discountedPrice": None}], [], None,
        [listing | {"discountedPrice": {"amount": 1, "currency": "EUR"}}],
    ]  # fmt: skip
    for listings in hidden:
        product["channelListings"] = listings
        assert isinstance(now(), ProductDropped)


def test_of_a_saleor_with_several_channels_a_store_is_the_one_it_says():
    body = json.dumps({"__typename": "OrderPaid", "order": saleor.told(Sale())}).encode()
    assert facts(STORE | {"channel": "default-channel"}, "", body, placed_at())
    with pytest.raises(NotUnderstood, match="another channel"):
        facts(STORE | {"channel": "us"}, "", body, placed_at())
    body = json.dumps({"__typename": "OrderPaid", "order": saleor.told(Sale()) | {"channel": None}}).encode()
    with pytest.raises(Flagged, match="its channel"):
        facts(STORE | {"channel": "us"}, "", body, placed_at())


async def test_the_operator_says_the_channel_and_the_nightly_look_asks_for_it_alone(web: Browser, monkeypatch: Any):
    await a_shop_of("saleor")
    store = await store_by_slug("north")
    with pytest.raises(Invalid):
        await be_channel(store, "two words")
    await be_channel(store, "us")
    asked: list[Any] = []

    async def answer(_method: str, _url: str, **how: Any) -> Answer:
        asked.append(json.loads(how["content"])["variables"]["channel"])
        page = {"edges": [], "pageInfo": {"hasNextPage": False}}
        return Answer(200, {}, json.dumps({"data": {"orders": page}}).encode())

    monkeypatch.setattr(ask, "fetch", answer)
    access = Access("https://north.example", "key", "")
    for slug in ("us", ""):
        await be_channel(store, slug)
        assert [one async for one in pull(await store_by_slug("north"), access, placed_at())] == []
    assert asked == ["us", None]
