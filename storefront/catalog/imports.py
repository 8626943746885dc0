"""A shop's product list from a file, upserted row by row."""

from decimal import Decimal, InvalidOperation
from typing import Any

import asyncpg

from app import db
from app.errors import Invalid
from app.importing import Report, Row, Source
from app.money import EXPONENTS, LARGEST_AMOUNT, Money, check_currency
from app.web import convert
from storefront.catalog.schemas import ProductDetails
from storefront.catalog.service import checked, upsert_product

NEEDED = ("id", "title", "url", "price")
OPTIONAL = ("currency", "description", "image_url", "brand", "category", "gtin")


async def import_products(
    store: asyncpg.Record, source: Source, columns: dict[str, str], *, dry_run: bool = False
) -> Report:
    """List or describe every product of the file; a row that cannot be is skipped with its reason."""
    for batch in source.batches([columns[field] for field in NEEDED]):
        async with db.transaction():
            for row in batch:
                try:
                    await _take(store, row, columns, source.report, dry_run)
                except Invalid as problem:
                    source.skip(row.line, "; ".join(f"{field}: {why}" for field, why in problem.fields.items()))
    return source.report


async def _take(store: asyncpg.Record, row: Row, columns: dict[str, str], report: Report, dry_run: bool) -> None:
    external_id, details = _details(store, row, columns)
    if dry_run:
        checked(details)
        outcome = "updated" if await _is_known(store["id"], external_id) else "created"
    else:
        outcome = (await upsert_product(store, external_id, details)).outcome
    setattr(report, outcome, getattr(report, outcome) + 1)


def _details(store: asyncpg.Record, row: Row, columns: dict[str, str]) -> tuple[str, ProductDetails]:
    values = {
        field: row.values[column] for field, column in columns.items() if row.values.get(column) not in (None, "")
    }
    external_id, price = values.pop("id", ""), values.pop("price", "")
    money = price if isinstance(price, dict) else _in_minor_units(price, values.pop("currency", store["currency"]))
    values.pop("currency", None)
    return str(external_id), convert({**values, "price": money}, ProductDetails, strict=True)


def _in_minor_units(price: Any, currency: Any) -> Money:
    """`129.00` of a file as 12900, exactly: more digits than the currency has are refused, never rounded."""
    check_currency(str(currency))
    try:
        amount = Decimal(price if isinstance(price, str) else "?").scaleb(EXPONENTS[currency])
        fits = amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT and amount == int(amount)
    except InvalidOperation:
        fits = False
    if not fits:
        raise Invalid("price", f"“{str(price)[:40]}” is not a price like 129.00 in {currency}")
    return Money(int(amount), currency)


async def _is_known(store_id: int, external_id: str) -> bool:
    return await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM product WHERE store_id = $1 AND external_id = $2)", store_id, external_id
    )
