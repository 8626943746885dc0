import base64
import binascii
import re
import secrets
from urllib.parse import urlsplit

import asyncpg

from app import clock, db, ids
from app.errors import Conflict, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.money import check_currency
from app.settings import settings
from app.text import clean
from storefront.stores.events import StoreOpened
from storefront.stores.schemas import NewStore, OpenedStore
from storefront.stores.tables import Store

PROVIDERS = ("generic",)
"""Whose orders we can read so far."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})[a-z0-9]")
_SECRET_BYTES = range(24, 65)  # Standard Webhooks


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
        secret=_checked_secret(new.secret) if new.secret else _new_secret(),
        publishable_key="pk_" + ids.new_code(24),
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


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _checked_secret(secret: str) -> str:
    try:
        size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith("whsec_") or size not in _SECRET_BYTES:
        raise Invalid("secret", _("A secret is “whsec_” and the base64 of 24 to 64 bytes."))
    return secret
