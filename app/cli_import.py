"""`grapevine import …`: what a shop or another community already has, from CSV or JSONL."""

from typing import Any

import click
import msgspec

from app.cli import as_json, tell, with_database
from app.importing import FORMATS, Report


@click.group(name="import")
def importing() -> None:
    """Bring in files."""


@importing.command(
    name="products", epilog="Example: grapevine import products list.csv --store northfold --map id=SKU,title=Name"
)
@click.argument("file")
@click.option("--store", "slug", required=True)
@click.option("--map", "mapping", default="", help="Our field = their column, for example id=SKU,price=Amount.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Guessed from the name when missing.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@as_json
@with_database
async def products(file: str, slug: str, mapping: str, format_: str | None, dry_run: bool, json_output: bool) -> None:
    """List a store's products: id, title, url, price, and currency, description, image_url, brand, category, gtin."""
    from app import features  # registers the subscribers of ProductListed
    from app.importing import columns_of, reading
    from storefront.catalog.imports import NEEDED, OPTIONAL, import_products
    from storefront.stores.queries import store_by_slug

    assert features
    store = await store_by_slug(slug)
    columns = columns_of(mapping, (*NEEDED, *OPTIONAL))
    with reading(file, "Importing products", format=format_) as source:
        tell_report(await import_products(store, source, columns, dry_run=dry_run), json_output)


@importing.command(
    name="reviews",
    epilog="""Example: grapevine import reviews old.csv --store northfold
    --map 'product="Clothing ID",body="Review Text",rating=Rating,title=Title,category="Class Name"'""",
)
@click.argument("file")
@click.option("--store", "slug", required=True)
@click.option("--map", "mapping", default="", help="Our field = their column, for example rating=Stars.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Guessed from the name when missing.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@as_json
@with_database
async def reviews(file: str, slug: str, mapping: str, format_: str | None, dry_run: bool, json_output: bool) -> None:
    """Bring in reviews: product, rating, body, and title, author, date, id; never verified, and never twice.

    A product that the store does not list yet is made when there is a product_title or a category to name it by.
    """
    from app import features  # registers the subscribers of ReviewsImported
    from app.importing import columns_of, reading
    from content.reviews.imports import NEEDED, OPTIONAL, import_reviews
    from storefront.stores.queries import store_by_slug

    assert features
    store = await store_by_slug(slug)
    columns = columns_of(mapping, (*NEEDED, *OPTIONAL))
    with reading(file, "Importing reviews", format=format_) as source:
        tell_report(await import_reviews(store, source, columns, dry_run=dry_run), json_output)


def tell_report(report: Report, json_output: bool) -> None:
    figures: dict[str, Any] = msgspec.to_builtins(report)
    tell(
        figures,
        json_output,
        f"{report.read:,} read: {report.created:,} created, {report.updated:,} updated, "
        f"{report.unchanged:,} unchanged, {report.skipped:,} skipped.",
    )
