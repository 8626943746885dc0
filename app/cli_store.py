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
    type=click.Choice(["generic", "shopify", "woocommerce", "stripe", "medusa", "saleor"]),
    default="generic",
    show_default=True,
)
@click.option("--currency", default="USD", show_default=True)
@click.option("--origin", required=True, help="Where the shop's pages live, for example https://shop.example.")
@click.option("--secret", default="", help="What the shop signs its webhooks with; made up when missing.")
@click.option("--keys-at", default="", help="Saleor: where its API answers, if it signs with the key published there.")
@click.option("--owner", help="The handle of the member who may describe products and answer reviews.")
@as_json
@with_database
async def create_store(
    slug: str,
    name: str,
    provider: str,
    currency: str,
    origin: str,
    secret: str,
    keys_at: str,
    owner: str | None,
    json_output: bool,
) -> None:
    """Open a store; prints what the shop needs to send webhooks."""
    from app import features  # registers the subscribers of StoreOpened
    from community.members.queries import member_by_handle
    from storefront.stores.schemas import NewStore
    from storefront.stores.service import open_store

    assert features
    owner_id = (await member_by_handle(owner))["id"] if owner else None
    opened = await open_store(NewStore(slug, name, provider, currency, origin, secret, keys_at), owner_id=owner_id)
    tell(
        msgspec.to_builtins(opened),
        json_output,
        f"Send webhooks to  {opened.webhook_url}\n"
        f"signed with       {'the key the shop publishes' if keys_at else opened.secret}\n"
        f"Publishable key   {opened.publishable_key}",
    )


@store.command(name="secret", epilog="Example: grapevine store secret --slug northfold --keep-old-days 2")
@click.option("--slug", required=True)
@click.option("--secret", default="", help="What the shop signs with from now on; made up when missing.")
@click.option(
    "--keep-old-days", default=1, show_default=True, help="How long the old one is taken too; 0 after a leak."
)
@as_json
@with_database
async def change_store_secret(slug: str, secret: str, keep_old_days: int, json_output: bool) -> None:
    """Change what a store's webhooks are signed with; for a while both are taken."""
    from datetime import timedelta

    from storefront.stores.queries import store_by_slug
    from storefront.stores.secrets import change_secret

    new = await change_secret(await store_by_slug(slug), secret, overlap=timedelta(days=keep_old_days))
    store = await store_by_slug(slug)
    said = f"Signed with from now on  {new}"
    if store["keys_origin"]:
        said = (
            f"Kept for later           {new}\n{slug} signs with the keys published by {store['keys_origin']};\n"
            f"the secret counts after   grapevine store keys --slug {slug} --by-secret"
        )
    tell({"slug": slug, "secret": new, "keys_origin": store["keys_origin"]}, json_output, said)


@store.command(
    name="keys", epilog="Example: grapevine store keys --slug northfold --at https://northfold.saleor.cloud/graphql/"
)
@click.option("--slug", required=True)
@click.option("--at", "address", default="", help="Where the shop's API answers.")
@click.option("--by-secret", is_flag=True, help="The secret counts again, and no key.")
@as_json
@with_database
async def believe_store_keys(slug: str, address: str, by_secret: bool, json_output: bool) -> None:
    """Take webhooks that are signed with the keys a shop (Saleor) publishes, or with the secret again."""
    from storefront.connectors.key_sets import what_is_wrong_at
    from storefront.stores.queries import store_by_slug
    from storefront.stores.service import believe_keys_of

    if bool(address) == by_secret:
        raise click.UsageError("Say where the keys are with --at, or that the secret counts again with --by-secret.")
    origin = await believe_keys_of(await store_by_slug(slug), address)
    said = f"{slug} signs with the keys published by {origin}" if origin else f"{slug} signs with its secret"
    wrong = await what_is_wrong_at(origin) if origin else ""
    if wrong:
        said += f"\nThey could not be read just now, and no message counts until they can: {wrong}"
    tell({"slug": slug, "keys_origin": origin, "wrong": wrong}, json_output, said)


@store.command(name="channel", epilog="Example: grapevine store channel --slug northfold --is default-channel")
@click.option("--slug", required=True)
@click.option("--is", "channel", required=True, help="The channel's slug in Saleor; empty: all of them.")
@as_json
@with_database
async def be_store_channel(slug: str, channel: str, json_output: bool) -> None:
    """Say which channel of a Saleor the store is: orders and prices of its other channels do not count."""
    from storefront.stores.queries import store_by_slug
    from storefront.stores.service import be_channel

    channel = await be_channel(await store_by_slug(slug), channel)
    tell({"slug": slug, "channel": channel}, json_output, f"{slug} is {channel or 'every channel'}")


@store.command(
    name="access",
    epilog="Example: GRAPEVINE_STORE_KEYS=ck_…:cs_… grapevine store access --slug northfold --url https://shop.example",
)
@click.option("--slug", required=True)
@click.option("--url", required=True, help="Where the shop answers: its own address, or that of a generic shop's feed.")
@click.option(
    "--keys",
    default="",
    envvar="GRAPEVINE_STORE_KEYS",
    help="Shopify, Stripe, Medusa, Saleor: the token or key. WooCommerce: key:secret.",
)
@as_json
@with_database
async def give_store_access(slug: str, url: str, keys: str, json_output: bool) -> None:
    """Say how a store may be asked for its orders, every night and by `webhooks pull`. The keys are kept encrypted."""
    from storefront.stores.queries import store_by_slug
    from storefront.stores.service import give_access

    await give_access(await store_by_slug(slug), url, keys)
    tell({"slug": slug, "url": url}, json_output, f"{slug} will be asked every night.")


@store.command(name="codes", epilog="Example: grapevine store codes --slug northfold --percent-bps 1000 MARA10 BOB10")
@click.option("--slug", required=True)
@click.option("--percent-bps", default=0, help="WooCommerce: what a code takes off, in basis points.")
@click.option("--discount", default="", help="Shopify, Stripe, Saleor: the discount, coupon or voucher of the codes.")
@click.argument("codes", nargs=-1)
@as_json
@with_database
async def push_store_codes(
    slug: str, percent_bps: int, discount: str, codes: tuple[str, ...], json_output: bool
) -> None:
    """Write codes into the shop's own till; without any, list those it takes. Doing it again changes nothing."""
    from app.cli import Failed
    from storefront.connectors.ask import Refused
    from storefront.connectors.codes import pull_codes, push_codes
    from storefront.connectors.schemas import Offer
    from storefront.stores.queries import store_by_slug

    offer = Offer(discount_id=discount, percent_bps=percent_bps)
    try:
        store = await store_by_slug(slug)
        if not codes:
            answers = dict.fromkeys(await pull_codes(store, offer), "")
        else:
            answers = await push_codes(store, codes, offer)
    except Refused as refused:
        raise Failed(str(refused)) from refused
    lines = "\n".join(f"{code}  {reason or 'taken by the shop'}" for code, reason in answers.items())
    tell({"codes": answers}, json_output, lines)
    if any(answers.values()):
        raise Failed("Some codes were refused.")
