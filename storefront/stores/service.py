import re
from urllib.parse import urlsplit

import asyncpg

from app import clock, db, ids
from app.errors import Conflict, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.money import check_currency
from app.settings import settings
from app.text import clean
from storefront.stores.events import AccessGiven, SecretChanged, StoreOpened
from storefront.stores.schemas import NewStore, OpenedStore
from storefront.stores.secrets import checked_secret, new_secret
from storefront.stores.tables import Store
from storefront.stores.vault import seal

PROVIDERS = ("generic", "shopify", "woocommerce", "stripe", "medusa", "saleor")
"""Whose orders we can read, and who can be asked what they sold, in case their webhooks went missing."""

PUBLISHES_KEYS = {"saleor"}
HAS_CHANNELS = {"saleor"}
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})[a-z0-9]")


async def open_store(new: NewStore, *, owner_id: int | None = None) -> OpenedStore:
    """Make a store that may send orders and show widgets. Announces StoreOpened."""
    slug = new.slug.strip().lower()
    if not _SLUG.fullmatch(slug):
        raise Invalid("slug", _("2 to 40 of a–z, 0–9 and -, starting and ending with a letter or digit."))
    if new.provider not in PROVIDERS:
        raise Invalid("provider", _("Not connected yet; so far: %(names)s.", names=", ".join(PROVIDERS)))
    store = Store(
        slug=slug,
        name=clean(new.name, "name", least=1, most=80),
        provider=new.provider,
        currency=check_currency(new.currency),
        origin=checked_origin(new.origin),
        secret=checked_secret(new.provider, new.secret) if new.secret else new_secret(),
        publishable_key="pk_" + ids.new_code(24),
        keys_origin=checked_keys_origin(new.provider, new.keys_at) if new.keys_at else "",
        owner_id=owner_id,
        created_at=clock.now(),
    )
    try:
        async with db.transaction():
            await store.save()
            await publish(StoreOpened(store_id=store.id), actor_id=owner_id)
    except asyncpg.UniqueViolationError as lost:
        raise Conflict(
            _("There is already a store called “%(slug)s”.", slug=slug), fields={"slug": _("Already taken.")}
        ) from lost
    return OpenedStore(slug, f"{settings().base_url}/webhooks/{slug}", store.secret, store.publishable_key)


def checked_origin(origin: str) -> str:
    """`https://shop.example` of an address: where the shop's pages live, as browsers name it."""
    try:
        parts = urlsplit(origin.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("origin", _("This is not a web address.")) from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.path not in ("", "/"):
        raise Invalid("origin", _("The shop's origin looks like https://shop.example, without a path."))
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def checked_keys_origin(provider: str, address: str) -> str:
    """Where the keys stand that the shop signs with, of any address of its API. Only over TLS: who could change the
    answer on its way could sign anything."""
    if provider not in PUBLISHES_KEYS:
        raise Invalid("keys_at", _("Shops of this kind sign with a secret."))
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("keys_at", _("This is not a web address.")) from error
    if parts.scheme != "https" or not host or parts.username is not None:
        raise Invalid("keys_at", _("The address of the shop's API starts with https://."))
    return f"https://{host}" + (f":{port}" if port else "")


async def believe_keys_of(store: asyncpg.Record, address: str, *, actor_id: int | None = None) -> str:
    """From now on messages count when they are signed with a key published there, and no others; where that is. With
    no address, when they are signed with the secret."""
    origin = checked_keys_origin(store["provider"], address) if address else ""
    async with db.transaction():
        await db.execute("UPDATE store SET keys_origin = $2 WHERE id = $1", store["id"], origin)
        await publish(SecretChanged(store_id=store["id"]), actor_id=actor_id)
    return origin


async def be_channel(store: asyncpg.Record, slug: str) -> str:
    """Of a Saleor with several channels the store is this one from now on, or, with no name, all of them."""
    slug = slug.strip()
    if slug and store["provider"] not in HAS_CHANNELS:
        raise Invalid("channel", _("Shops of this kind have no channels."))
    if not re.fullmatch(r"[\w-]{0,200}", slug):
        raise Invalid("channel", _("The slug of the channel, as Saleor shows it."))
    async with db.transaction():
        await db.execute("UPDATE store SET channel = $2 WHERE id = $1", store["id"], slug)
    return slug


async def give_access(store: asyncpg.Record, url: str, keys: str = "", *, actor_id: int | None = None) -> None:
    """Say where and with which keys the store may be asked; they are sealed at once and never shown again."""
    address = checked_url(url, "url")
    if not keys and store["provider"] != "generic":
        raise Invalid("keys", _("The shop gives the keys: a token, or key:secret."))
    async with db.transaction():
        await db.execute(
            """INSERT INTO store_access (store_id, url, keys, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (store_id) DO UPDATE SET url = excluded.url, keys = excluded.keys""",
            store["id"],
            address,
            seal(keys.strip()),
            clock.now(),
        )
        await publish(AccessGiven(store_id=store["id"]), actor_id=actor_id)


def checked_url(url: str, field: str) -> str:
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None
    except ValueError:
        fits = False
    if not fits or len(url) > 500:
        raise Invalid(field, _("A web address that starts with https:// or http://, please."))
    return url.strip().rstrip("/")
