"""What all mappers share: reading a body into a shape, click ids, times, and what leaves once it was read."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app import clock
from app.errors import Invalid
from storefront.connectors.schemas import NotUnderstood
from storefront.orders.service import Flagged

T = TypeVar("T")

# A clock that runs ahead may not freeze an order until it is caught up.
MOST_AHEAD = timedelta(days=1)
# Names of fields that say who and where somebody is, over all providers.
PERSONAL = frozenset(
    """email contact_email customer_email receipt_email phone first_name last_name company address address1 address2
    address_1 address_2 shipping_address billing_address default_address addresses billing shipping_details
    collected_information billing_details customer_details individual_name browser_ip client_details landing_site
    customer_ip_address customer_user_agent customer_note payment_fingerprint payment_method_details
    payment_details order_status_url customer_locale note ip userEmail shippingAddress billingAddress firstName
    lastName customerNote username avatar_url customer_name customer_email_address customer_purchase_ip
    customer_communication customer_signature streetAddress1 streetAddress2 companyName defaultShippingAddress
    defaultBillingAddress""".split()
)
# What plugins and themes keep beside an order, by the names they give it.
_PERSONAL_META = re.compile(r"(?i)address|e-?mail|phone|(?:first|last|full|customer)_?name|(?:^|_)ip(?:_|$)")
_TAG, _BREAK = re.compile(r"<[^>]{0,2000}>"), re.compile(r"(?i)<(?:br|/p|/li|/h\d)\b[^>]{0,100}>")


def read(body: bytes, shape: type[T]) -> T:
    """The body as this shape. NotUnderstood when it is no JSON object at all, Flagged when a part does not fit."""
    document(body)
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `$.")
        raise Flagged(f"{path.rstrip('`')}: {sentence}" if path else sentence) from error


def document(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(f"not a JSON object ({error})") from error


def click_id(gv: str | None) -> UUID | None:
    """The click an order came from. A shop passes on what stood in its address bar, so nonsense counts as none."""
    try:
        return UUID(gv or "")
    except ValueError:
        return None


def tidy(text: object) -> str:
    # PostgreSQL keeps no NUL.
    return str(text if text is not None else "").replace("\x00", "").strip()


def utc(moment: datetime | None) -> datetime | None:
    """WooCommerce writes UTC without saying so."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def not_in_the_future(moment: datetime) -> datetime:
    if moment > clock.now() + MOST_AHEAD:
        raise Flagged("updated_at lies in the future")
    return moment


def plain_text(markup: str | None) -> str:
    """What a description says without its tags; cut to what a product may say."""
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", markup or ""))).replace("\x00", "")
    return re.sub(r"\n\s*\n+", "\n\n", text).strip()[:5000]


def without_personal_data(body: bytes) -> bytes:
    """The message without the customer's name, e-mail and addresses, which nothing needs once it was applied."""
    return msgspec.json.encode(_without(msgspec.json.decode(body), is_person=False))


def _without(value: Any, *, is_person: bool) -> Any:
    if isinstance(value, list):
        return [_without(item, is_person=is_person) for item in value]
    if not isinstance(value, dict):
        return value
    label = value.get("key", value.get("name"))
    if "value" in value and isinstance(label, str) and _PERSONAL_META.search(label):
        return value | {"value": None}
    # Whoever has an address of their own is a person; an order with one has its things as well.
    is_person = is_person or ("email" in value and "line_items" not in value)
    return {
        name: None
        # `shipping` is an address to WooCommerce and an amount to others; a line item's `name` is not a person's.
        if name in PERSONAL or (name == "shipping" and isinstance(inner, dict)) or (name == "name" and is_person)
        else _without(inner, is_person=name == "customer")
        for name, inner in value.items()
    }


def reasons_of(problem: Invalid) -> str:
    return "; ".join(f"{field}: {why}" for field, why in problem.fields.items()) or problem.detail
