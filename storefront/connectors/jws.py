"""Signatures with a published key: a detached JSON Web Signature, RS256 over the raw body (RFC 7515 and 7797).

Nothing of what the header says chooses how it is checked: one algorithm, one way of putting the body in, and a key that
was fetched from where the store's operator said.
"""

import base64
import binascii
import re
from typing import Any

import msgspec

from storefront.connectors.schemas import BadSignature

BITS = range(2048, 8193)
MOST_KEYS = 20
MOST_LETTERS = 4096
_OTHER_SIGNS = re.compile(r"[^A-Za-z0-9_=-]")


class Header(msgspec.Struct):
    alg: str
    kid: str
    b64: bool
    crit: list[str] = []


class Signature(msgspec.Struct, frozen=True):
    """`key_id`: the key it says it was made with, which proves nothing yet."""

    key_id: str
    header: bytes
    signature: bytes


class Key(msgspec.Struct):
    kty: str
    kid: str = ""
    use: str = "sig"
    alg: str = "RS256"
    n: str = ""
    e: str = ""


class KeySet(msgspec.Struct):
    keys: list[Key]


def read_signature(given: str) -> Signature:
    """`header..signature`; BadSignature when it is anything but that.

    The body has to be in it unencoded (`b64: false`). Otherwise any token of the same key would be a signed message:
    its middle part, sent as the body.
    """
    parts = given.split(".")
    if len(given) > MOST_LETTERS or len(parts) != 3 or parts[1] or not given.isascii():
        raise BadSignature()
    try:
        header = msgspec.json.decode(_unpacked(parts[0]), type=Header)
        signature = _unpacked(parts[2])
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadSignature() from error
    if header.alg != "RS256" or header.b64 or header.crit not in ([], ["b64"]) or not header.kid:
        raise BadSignature()
    return Signature(header.kid, parts[0].encode(), signature)


def is_signed(key: Any, given: Signature, body: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(given.signature, given.header + b"." + body, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def read_keys(told: bytes) -> dict[str, Any]:
    """The keys of a key set that may sign this way, by their names; ValueError when it is no key set."""
    try:
        told_keys = msgspec.json.decode(told, type=KeySet).keys[:MOST_KEYS]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a key set ({error})") from error
    # Of two under one name the one that can sign counts.
    read = [(key.kid, _public_key(key)) for key in told_keys if key.kid and key.kty == "RSA"]
    return {name: key for name, key in read if key is not None}


def _public_key(key: Key) -> Any:
    # Loaded when a key is read, which is seldom: it is 6 MB in every web process otherwise.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    if key.use != "sig" or key.alg != "RS256":
        return None
    try:
        modulus, exponent = (int.from_bytes(_unpacked(part), "big") for part in (key.n, key.e))
        return RSAPublicNumbers(exponent, modulus).public_key() if modulus.bit_length() in BITS else None
    except ValueError:
        return None


def _unpacked(text: str) -> bytes:
    """Base64url, its padding left out or not; any other sign is refused."""
    try:
        if _OTHER_SIGNS.search(text):
            raise binascii.Error()
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
