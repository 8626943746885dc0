"""Messages between servers, signed by Standard Webhooks: what comes in is verified, what goes out is signed.

Secrets are kept sealed, so that a copy of the database alone lets nobody speak in another's name.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from litestar import Request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.errors import Problem
from app.settings import settings

BODY_SECONDS = 10


class BadSignature(Problem):
    """The signature is missing, wrong or too old. Nothing was kept."""

    status = 401
    type = "bad-signature"
    title = "Not signed by this sender"


class SameIdOtherBody(Problem):
    """This message id came before, with another body. The first one stands."""

    status = 409
    type = "same-id-other-body"
    title = "Already received differently"
    event_id = ""
    """Which, for whoever counts them."""


class TooSlow(Problem):
    """The rest of the message did not come in time. Nothing was kept; send it again."""

    status = 408
    type = "too-slow"
    title = "The message did not arrive"


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


async def whole_body(request: Request) -> bytes:
    """The raw bytes that were signed. A sender that says a byte now and then may not hold a connection for ever."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError as error:
        raise TooSlow() from error


def verified_id(valid_secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> str:
    """The message's id, when exactly this body was signed with one of these within five minutes; else BadSignature."""
    for secret in valid_secrets:
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return headers["webhook-id"]
    raise BadSignature()


def headers_of(valid_secrets: Sequence[str], message_id: str, body: bytes) -> dict[str, str]:
    """What a message goes out with. Signed with each secret: while one spreads, receivers know the one before."""
    now = datetime.now(UTC)
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in valid_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
    }


def seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def unsealed(*sealed: str) -> list[str]:
    """Those of these secrets that can be read: none that was kept under another GRAPEVINE_SECRET_KEY."""
    from cryptography.fernet import InvalidToken

    found = []
    for one in sealed:
        try:
            found += [_box().decrypt(one.encode()).decode()] if one else []
        except InvalidToken:
            continue
    return found


def _box() -> Any:
    # Loaded when a secret is used, which is seldom: it is 6 MB in every web process otherwise.
    from cryptography.fernet import Fernet

    key = hashlib.sha256(b"signed-messages:" + settings().secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
