"""Stripe's events as facts. What joins a checkout, its refunds and its disputes is the payment intent."""

from datetime import UTC, datetime

import asyncpg
import msgspec

from storefront.connectors.amounts import at_most_gross, checked_currency, without_repeats
from storefront.connectors.reading import click_id, not_in_the_future, read, tidy
from storefront.connectors.schemas import Fact, NotUnderstood
from storefront.connectors.stripe import shapes
from storefront.orders.fingerprints import address_fingerprint, instrument_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundTold
from storefront.orders.service import Flagged

# Charged without decimals for years, yet Stripe goes on counting it in hundredths.
IN_HUNDREDTHS = {"ISK"}
ALL = "all"


def topic_of(topic: str, body: bytes) -> str:
    return topic or read(body, shapes.Event).type


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    event = read(body, shapes.Event)
    told, at = event.data.object, _moment(event.created)
    match event.type:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            return [_session(_as(told, shapes.Session), at)]
        case "checkout.session.async_payment_failed":
            session = _session(_as(told, shapes.Session), at)
            return [msgspec.structs.replace(session, cancelled_at=at)]
        case "charge.succeeded":
            return [_instrument(_as(told, shapes.Charge), at)]
        case "charge.refunded":
            return [_refunded_so_far(_as(told, shapes.Charge), at)]
        case "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated":
            return [_refund(_as(told, shapes.Refund))]
        case "charge.dispute.created" | "charge.dispute.closed" | "charge.dispute.updated":
            return _dispute(_as(told, shapes.Dispute), at)
        case "customer.created" | "customer.updated":
            customer = _as(told, shapes.Customer)
            return [CustomerTold(customer.id, tidy(customer.email), at)]
    raise NotUnderstood(f"events of type {event.type[:80]} are not known")


def _session(session: shapes.Session, at: datetime) -> OrderTold:
    """The event carries no lines unless the shop had them expanded; without them the whole checkout is one line."""
    currency = _currency(session.currency)
    totals = session.total_details or shapes.Totals()
    shipping = _minor(totals.amount_shipping or 0, currency)
    is_whole = session.line_items is not None and bool(session.line_items.data) and not session.line_items.has_more
    lines = session.line_items.data if is_whole and session.line_items else [_one_line(session, totals)]
    # What stands in Stripe's own sums tells whether the tax was added or is a part of the prices.
    added = sum(line.amount_subtotal - line.amount_discount + line.amount_tax for line in lines)
    is_included = added + (totals.amount_shipping or 0) > session.amount_total and any(one.amount_tax for one in lines)
    without_repeats([line.id for line in lines])
    paid = session.payment_status in ("paid", "no_payment_required")
    taxed = sum(_minor(line.amount_tax, currency) for line in lines)
    gv = (session.metadata or {}).get("gv") or session.client_reference_id
    customer_id = _id_of(session.customer)
    email = tidy(session.customer_details.email if session.customer_details else "")
    order_id = _id_of(session.payment_intent) or session.id
    return OrderTold(
        happening="told",
        happened_at=at,
        external_id=order_id,
        updated_at=not_in_the_future(at),
        currency=currency,
        lines=[_line(line, currency, is_included) for line in lines],
        customer=CustomerTold(customer_id or f"guest:{order_id}", email) if customer_id or email else None,
        number=tidy((session.metadata or {}).get("order_number")),
        placed_at=_moment(session.created),
        paid_at=at if paid else None,
        gv=click_id(str(gv or "")),
        codes=_codes(session),
        shipping=shipping,
        fees=0 if is_included else max(0, _minor(totals.amount_tax, currency) - taxed),
        total=_minor(session.amount_total, currency),
        address=_address(session),
        phone=phone_fingerprint(session.customer_details.phone if session.customer_details else ""),
        is_rough=not is_whole,
    )


def _one_line(session: shapes.Session, totals: shapes.Totals) -> shapes.Line:
    product = (session.metadata or {}).get("product_id")
    return shapes.Line(
        id=ALL,
        amount_subtotal=session.amount_subtotal,
        amount_discount=totals.amount_discount,
        amount_tax=max(0, totals.amount_tax - (session.shipping_cost.amount_tax if session.shipping_cost else 0)),
        price=shapes.Price(str(product)) if product else None,
    )


def _line(line: shapes.Line, currency: str, is_included: bool) -> LineTold:
    gross, tax = _minor(line.amount_subtotal, currency), _minor(line.amount_tax, currency)
    discount = at_most_gross(_minor(line.amount_discount, currency), gross)
    if is_included and tax > gross - discount:
        raise Flagged("a line's tax is larger than its price")
    return LineTold(
        external_id=line.id,
        external_product_id=tidy(_id_of(line.price.product) if line.price else ""),
        title=tidy(line.description)[:200],
        quantity=line.quantity or 0,
        gross=gross - (tax if is_included else 0),
        discount=discount,
        tax=tax,
    )


def _codes(session: shapes.Session) -> list[str]:
    """A promotion code by its name where it was expanded (else only Stripe's number for it), and `metadata.code`."""
    promotions = [one.promotion_code for one in session.discounts or []]
    named = [tidy(one.code) for one in promotions if isinstance(one, shapes.Promotion) and one.code]
    told = tidy((session.metadata or {}).get("code"))
    return named or ([told] if told else [])


def _address(session: shapes.Session) -> str:
    collected = session.collected_information and session.collected_information.shipping_details
    place = (collected or session.shipping_details or shapes.Shipping()).address
    return address_fingerprint([place.line1, place.line2, place.postal_code, place.country]) if place else ""


def _instrument(charge: shapes.Charge, at: datetime) -> OrderTold:
    """Which card paid; it says nothing else of the order."""
    order_id = _id_of(charge.payment_intent)
    method = charge.payment_method_details
    kinds = (method.card, method.sepa_debit, method.us_bank_account, method.bacs_debit) if method else ()
    name = next((kind.fingerprint for kind in kinds if kind and kind.fingerprint), None)
    if not order_id or not name:
        raise NotUnderstood("a payment that names neither order nor card")
    return OrderTold("told", at, order_id, not_in_the_future(at), instrument=instrument_fingerprint(name))


def _refunded_so_far(charge: shapes.Charge, at: datetime) -> RefundTold:
    """All that has gone back of a charge so far. `refund.created` tells the same money one by one; it counts once."""
    currency = _currency(charge.currency)
    order_id = _needed(charge.payment_intent)
    amount = _minor(charge.amount_refunded, currency)
    return RefundTold(f"charge:{charge.id}", order_id, currency, at, [], unplaced=amount, is_sum=True)


def _refund(refund: shapes.Refund) -> RefundTold:
    return RefundTold(
        external_id=refund.id,
        order_external_id=_needed(refund.payment_intent),
        currency=_currency(refund.currency),
        refunded_at=_moment(refund.created),
        lines=[],
        unplaced=_minor(refund.amount, _currency(refund.currency)),
        is_void=refund.status in ("failed", "canceled"),
    )


def _dispute(dispute: shapes.Dispute, told_at: datetime) -> list[Fact]:
    if dispute.status.startswith("warning"):
        raise NotUnderstood("a bank's question; no money has moved")
    currency, order_id, at = _currency(dispute.currency), _needed(dispute.payment_intent), _moment(dispute.created)
    amount, name = _minor(dispute.amount, currency), f"dispute:{dispute.id}"
    told = RefundTold(name, order_id, currency, at, [], "chargeback", amount)
    if dispute.status == "won":
        # When it ended the dispute itself does not say; the event that tells of it does.
        return [told, RefundTold(f"{name}:won", order_id, currency, told_at, [], "dispute_won", amount)]
    return [told]


def _needed(intent: shapes.Named | str | None) -> str:
    order_id = _id_of(intent)
    if not order_id:
        raise NotUnderstood("no payment intent, so nothing says which order it is about")
    return order_id


def _id_of(thing: shapes.Named | str | None) -> str:
    return thing.id if isinstance(thing, shapes.Named) else tidy(thing)


def _currency(code: str) -> str:
    return checked_currency(code.upper())


def _minor(amount: int, currency: str) -> int:
    if currency not in IN_HUNDREDTHS:
        return amount
    if amount % 100:
        raise Flagged(f"{amount} is not an amount in {currency}")
    return amount // 100


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _as(raw: msgspec.Raw, shape: type):  # type: ignore[no-untyped-def]
    return read(bytes(raw), shape)
