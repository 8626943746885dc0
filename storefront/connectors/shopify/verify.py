from collections.abc import Mapping, Sequence

from storefront.connectors.schemas import BadSignature, Signed
from storefront.connectors.signing import is_base64_hmac


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> Signed:
    """One action of a merchant has one event id over all its topics, so both together name the message."""
    if not is_base64_hmac(secrets, _header(headers, "hmac-sha256"), body):
        raise BadSignature()
    topic = _header(headers, "topic").lower()
    event_id = _header(headers, "event-id") or _header(headers, "webhook-id")
    if not topic or not event_id:
        raise BadSignature("The headers that name the message (X-Shopify-Topic, X-Shopify-Event-Id) are missing.")
    return Signed(f"{topic}:{event_id}", topic)


def _header(headers: Mapping[str, str], name: str) -> str:
    """Shopify writes its headers with `X-` in webhooks, and without it in its newer events."""
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}") or ""
