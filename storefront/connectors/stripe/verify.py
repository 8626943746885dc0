import hashlib
import hmac
from collections.abc import Mapping, Sequence

import msgspec

from app import clock
from storefront.connectors.schemas import BadSignature, Signed

TOLERANCE_SECONDS = 300


class Named(msgspec.Struct):
    id: str
    type: str


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> Signed:
    """`t=…,v1=…` over `t.body`; several `v1` while Stripe rolls a secret. The event's id stands in the signed body."""
    times, signatures = [], []
    for part in headers.get("stripe-signature", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            signatures.append(value)
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise BadSignature()
    matches = [
        hmac.compare_digest(expected(secret, times[0], body).encode(), given.encode())
        for secret in secrets
        for given in signatures[:10]
    ]
    if not any(matches) or abs(clock.now().timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise BadSignature()
    try:
        event = msgspec.json.decode(body, type=Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Signed(f"unread:{hashlib.sha256(body).hexdigest()}")
    return Signed(event.id, event.type)


def expected(secret: str, time: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hex()
