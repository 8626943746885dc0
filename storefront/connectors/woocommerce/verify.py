import hashlib
import re
from collections.abc import Mapping, Sequence

from storefront.connectors.schemas import BadSignature, Signed
from storefront.connectors.signing import is_base64_hmac

_GREETING = re.compile(rb"webhook_id=\d{1,20}")


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> Signed | None:
    """None for the unsigned `webhook_id=7` that a new webhook says first; it only wants to hear 200."""
    given = headers.get("x-wc-webhook-signature", "")
    if not given and _GREETING.fullmatch(body.strip()):
        return None
    if not is_base64_hmac(secrets, given, body):
        raise BadSignature()
    topic, delivery = headers.get("x-wc-webhook-topic", "").lower(), headers.get("x-wc-webhook-delivery-id", "")
    if not topic or not delivery:
        raise BadSignature("The headers that name the message (X-WC-Webhook-Topic, -Delivery-ID) are missing.")
    # A delivery id is a hash of webhook and second: two changes in one second share it, so the body names it as well.
    return Signed(f"{topic}:{delivery}:{hashlib.sha256(body).hexdigest()[:32]}", topic)
