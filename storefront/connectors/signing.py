"""Signatures over the raw bytes, compared in constant time, with any of the secrets that are valid just now."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from storefront.connectors.schemas import BadSignature, Signed


def is_base64_hmac(secrets: Sequence[str], given: str, body: bytes) -> bool:
    """HMAC-SHA256 in base64, as Shopify and WooCommerce write it. Each secret is tried: none may answer faster."""
    matches = [
        hmac.compare_digest(base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)), given.encode())
        for secret in secrets
    ]
    return any(matches) and bool(given)


def standard_webhook(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> Signed:
    """The message's id when the store signed exactly this body within the last five minutes; else BadSignature."""
    for secret in secrets:
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        return Signed(headers["webhook-id"])
    raise BadSignature()
