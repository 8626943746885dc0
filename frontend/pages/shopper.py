"""Who a shop says is there: a short-lived token that the shop's own server signs with its secret (JWT, HS256)."""

import base64
import hashlib
import hmac
from binascii import Error as NotBase64
from collections.abc import Collection

import msgspec

from app import clock
from app.errors import SignInFirst

LONGEST = 4096
# Long enough for a page that is read, too short to be worth stealing.
MOST_SECONDS = 3600
LEEWAY = 30


class _Head(msgspec.Struct):
    alg: str


class _Claims(msgspec.Struct):
    email: str
    exp: int | float


def email_of(token: str, secrets: Collection[str]) -> str:
    """The e-mail a shop's token speaks for, or SignInFirst. Only HS256 with a secret of that very shop is taken."""
    parts = token.strip().split(".")
    if len(token) > LONGEST or len(parts) != 3:
        raise SignInFirst("This is not a token of the shop.")
    try:
        head, claims, signature = (_decoded(part) for part in parts)
        algorithm = msgspec.json.decode(head, type=_Head).alg
        said = msgspec.json.decode(claims, type=_Claims)
    except (msgspec.DecodeError, ValueError, NotBase64) as error:
        raise SignInFirst("This is not a token of the shop.") from error
    signed = ".".join(parts[:2]).encode()
    if algorithm != "HS256" or not any(_is_signed(signed, signature, secret) for secret in secrets):
        raise SignInFirst("The shop's secret does not fit this token.")
    now = clock.now().timestamp()
    if not now - LEEWAY < said.exp <= now + MOST_SECONDS + LEEWAY:
        raise SignInFirst("This token has run out, or was made to live longer than an hour.")
    return said.email


def _is_signed(signed: bytes, signature: bytes, secret: str) -> bool:
    return hmac.compare_digest(hmac.new(secret.encode(), signed, hashlib.sha256).digest(), signature)


def _decoded(part: str) -> bytes:
    # base64url as tokens have it: without padding, and nothing else in between.
    return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
