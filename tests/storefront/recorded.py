"""The complete messages under payloads/: how they are signed and sent, and what becomes of them, as plain words."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from app import db
from storefront.connectors.schemas import NotUnderstood
from storefront.connectors.service import CONNECTORS
from storefront.orders.service import Flagged

PAYLOADS = Path(__file__).with_name("payloads")
FACTS = ".facts.json"
FILES = sorted(path for path in PAYLOADS.rglob("*.json") if not path.name.endswith(FACTS))
STORE = {"currency": "EUR", "channel": "", "origin": "https://north.example"}
# What has no time of its own is told as of this one.
HEARD_AT = datetime(2025, 6, 1, tzinfo=UTC)
HASHES = {"address", "phone", "instrument"}
TABLES = ("orders", "order_line", "refund", "customer", "product")


def name_of(path: Path) -> str:
    return path.relative_to(PAYLOADS).as_posix().removesuffix(".json")


def provider_of(path: Path) -> str:
    return name_of(path).split("/")[0]


def topic_of(path: Path) -> str:
    """`shopify/orders/paid.json` is of `orders/paid`; whatever follows a ~ tells several of one topic apart."""
    return name_of(path).partition("/")[2].partition("~")[0]


def facts_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".json") + FACTS)


def read(path: Path) -> tuple[bytes, Any]:
    """The message as it stands there, and what it says."""
    return path.read_bytes(), json.loads(path.read_bytes())


def expected(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(facts_path(path).read_text())
    return found


def rewrite(path: Path, found: dict[str, Any]) -> None:
    facts_path(path).write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def facts_of(path: Path, told: Any) -> list[Any]:
    body = json.dumps(told).encode()
    return CONNECTORS[provider_of(path)].facts(STORE, topic_of(path), body, HEARD_AT)  # type: ignore[arg-type]


def in_words(facts: list[Any]) -> list[dict[str, Any]]:
    """Each fact by its name, with what it says beyond the defaults."""
    return [{"fact": type(fact).__name__, **_said(fact)} for fact in facts]


def _said(fact: Any) -> dict[str, Any]:
    said = {}
    for field in msgspec.structs.fields(fact):
        value = getattr(fact, field.name)
        if value in ([], "") or (field.default is not msgspec.NODEFAULT and value == field.default):
            continue
        said[field.name] = "(a keyed hash)" if field.name in HASHES else msgspec.to_builtins(value)
    return said


def needed(path: Path, told: Any) -> dict[str, str]:
    """Every field without which the message does not count, and what is said of it then."""
    found = {}
    for place, less in without_each(told):
        try:
            facts_of(path, less)
        except (Flagged, NotUnderstood) as refusal:
            found[place] = str(refusal)
    return found


def without_each(told: Any) -> Iterator[tuple[str, Any]]:
    """The message again and again, each time without one of its fields; of lists their first item's."""
    for keys in _places(told, ()):
        less = copy.deepcopy(told)
        inside = less
        for key in keys[:-1]:
            inside = inside[key]
        del inside[keys[-1]]
        yield ".".join(str(key) for key in keys).replace(".0", "[0]"), less


def _places(told: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(told, list) and told:
        yield from _places(told[0], (*keys, 0))
    if isinstance(told, dict):
        for name, inner in told.items():
            yield (*keys, name)
            yield from _places(inner, (*keys, name))


def with_strangers(told: Any) -> Any:
    """The same, and in every object a field that nobody has heard of yet."""
    if isinstance(told, list):
        return [with_strangers(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {name: with_strangers(inner) for name, inner in told.items()} | {"zz_new": {"deep": [1, "two", None]}}


async def kept() -> dict[str, Any]:
    """What stands in the database, table by table, without our own numbers and times."""
    orders = await db.fetch(
        """SELECT external_id AS id, number, currency, gv::text, codes, shipping, fees, total, doubt,
                  (SELECT c.external_id FROM customer c WHERE c.id = o.customer_id) AS customer,
                  paid_at IS NOT NULL AS is_paid, delivered_at IS NOT NULL AS is_delivered,
                  cancelled_at IS NOT NULL AS is_cancelled
             FROM orders o WHERE source_updated_at IS NOT NULL OR paid_at IS NOT NULL OR cancelled_at IS NOT NULL
                OR delivered_at IS NOT NULL OR instrument_hmac <> '' ORDER BY id"""
    )
    lines = await db.fetch(
        """SELECT external_id AS id, external_product_id AS product, title, quantity, gross, discount, tax,
                  gross - discount AS earns_on FROM order_line ORDER BY external_id"""
    )
    refunds = await db.fetch(
        """SELECT r.external_id AS id, r.order_external_id AS order, r.kind, r.currency, r.unplaced,
                  r.is_sum, r.is_void,
                  (SELECT coalesce(json_object_agg(l.external_line_id, l.amount ORDER BY l.external_line_id), '{}')
                     FROM refund_line l WHERE l.refund_id = r.id)::text AS lines
             FROM refund r ORDER BY r.external_id"""
    )
    customers = await db.fetch("SELECT external_id AS id, email_hmac <> '' AS has_email FROM customer ORDER BY 1")
    products = await db.fetch(
        "SELECT external_id AS id, title, url, price, currency, brand, category, gtin, stock FROM product ORDER BY 1"
    )
    tables = {"orders": orders, "lines": lines, "refunds": refunds, "customers": customers, "products": products}
    plain = {name: [dict(row) for row in rows] for name, rows in tables.items() if rows}
    for refund in plain.get("refunds", []):
        refund["lines"] = json.loads(refund["lines"])
    return plain


async def count_everything() -> int:
    return sum([await db.fetch_val(f"SELECT count(*) FROM {table}") for table in TABLES])
