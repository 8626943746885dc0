"""What has to be read again but tells a thief nothing: sealed (AES-GCM) by the server's secret, bound to its owner."""

import hashlib
import secrets
from typing import Any

import msgspec

from app.settings import settings

NONCE_BYTES = 12


def seal(area: str, owner: str, fields: dict[str, str]) -> bytes:
    """`area` has a key of its own; what is sealed for one `owner` ("method:7") does not open for another."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(area).encrypt(nonce, msgspec.json.encode(fields), owner.encode())


def unseal(area: str, owner: str, sealed: bytes) -> dict[str, str]:
    """What was sealed for this owner; empty when another secret sealed it (or it was moved)."""
    from cryptography.exceptions import InvalidTag

    try:
        plain = _cipher(area).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError):
        return {}
    return msgspec.json.decode(plain, type=dict[str, str])


def _cipher(area: str) -> Any:
    # Loaded when something is opened, which is seldom: it is 6 MB in every web process otherwise.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.sha256(f"{area}:{settings().secret_key}".encode()).digest())
