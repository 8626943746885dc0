"""What a store signs with. After a change the old secret is taken for a while, so that no message is lost between."""

import base64
import binascii
import secrets
from datetime import timedelta

import asyncpg

from app import clock, db
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from storefront.stores.events import SecretChanged

STANDARD = {"generic", "medusa"}
OVERLAP = timedelta(days=1)
MOST_OVERLAP_DAYS = 30
_SECRET_BYTES = range(24, 65)  # Standard Webhooks


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def checked_secret(provider: str, secret: str) -> str:
    """As the provider gives them: Standard Webhooks in base64, the others any long word of theirs."""
    if provider in STANDARD:
        try:
            size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if not secret.startswith("whsec_") or size not in _SECRET_BYTES:
            raise Invalid("secret", _("A secret is “whsec_” and the base64 of 24 to 64 bytes."))
    elif not 16 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid("secret", _("The secret that the shop shows: 16 to 200 letters, digits and signs."))
    return secret


def valid_secrets(store: asyncpg.Record) -> list[str]:
    until = store["old_secret_until"]
    is_old_taken = bool(store["old_secret"]) and until is not None and until > clock.now()
    return [store["secret"], *([store["old_secret"]] if is_old_taken else [])]


async def change_secret(
    store: asyncpg.Record, secret: str = "", *, overlap: timedelta = OVERLAP, actor_id: int | None = None
) -> str:
    """The secret from now on; the one before is taken as well until the overlap is over. None at all after a leak."""
    if not timedelta(0) <= overlap <= timedelta(days=MOST_OVERLAP_DAYS):
        raise Invalid("overlap", _("The old secret is taken for 0 to %(days)s days.", days=MOST_OVERLAP_DAYS))
    secret = checked_secret(store["provider"], secret.strip()) if secret else new_secret()
    async with db.transaction():
        await db.execute(
            """UPDATE store SET old_secret = CASE WHEN $3 THEN secret ELSE '' END, old_secret_until = $4, secret = $2
                WHERE id = $1 AND secret <> $2""",
            store["id"],
            secret,
            overlap > timedelta(0),
            clock.now() + overlap,
        )
        await publish(SecretChanged(store_id=store["id"]), actor_id=actor_id)
    return secret
