"""`grapevine store …`: shops that send their orders and show our widgets."""

import click
import msgspec

from app.cli import as_json, tell, with_database


@click.group()
def store() -> None:
    """Stores."""


@store.command(
    name="create",
    epilog="Example: grapevine store create --slug northfold --name Northfold --origin https://shop.example",
)
@click.option("--slug", required=True)
@click.option("--name", required=True)
@click.option(
    "--provider",
    type=click.Choice(["generic", "shopify", "woocommerce", "stripe", "medusa"]),
    default="generic",
    show_default=True,
)
@click.option("--currency", default="USD", show_default=True)
@click.option("--origin", required=True, help="Where the shop's pages live, for example https://shop.example.")
@click.option("--secret", default="", help="What the shop signs its webhooks with; made up when missing.")
@click.option("--owner", help="The handle of the member who may describe products and answer reviews.")
@as_json
@with_database
async def create_store(
    slug: str, name: str, provider: str, currency: str, origin: str, secret: str, owner: str | None, json_output: bool
) -> None:
    """Open a store; prints what the shop needs to send webhooks."""
    from app import features  # registers the subscribers of StoreOpened
    from community.members.queries import member_by_handle
    from storefront.stores.schemas import NewStore
    from storefront.stores.service import open_store

    assert features
    owner_id = (await member_by_handle(owner))["id"] if owner else None
    opened = await open_store(NewStore(slug, name, provider, currency, origin, secret), owner_id=owner_id)
    tell(
        msgspec.to_builtins(opened),
        json_output,
        f"Send webhooks to  {opened.webhook_url}\nsigned with       {opened.secret}\n"
        f"Publishable key   {opened.publishable_key}",
    )
