"""Bank details and tax numbers at rest: sealed with AES-GCM by the server's secret, bound to their owner."""

import hashlib
import secrets
from typing import Any

import msgspec

from app.auth import sign
from app.settings import settings

NONCE_BYTES = 12


def seal(purpose: str, member_id: int, fields: dict[str, str]) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, msgspec.json.encode(fields), _owner(purpose, member_id))


def unseal(purpose: str, member_id: int, sealed: bytes) -> dict[str, str]:
    """What was sealed for this purpose and member; empty when another secret sealed it (or it was moved)."""
    from cryptography.exceptions import InvalidTag

    try:
        plain = _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _owner(purpose, member_id))
    except (InvalidTag, ValueError):
        return {}
    return msgspec.json.decode(plain, type=dict[str, str])


def fingerprint(rail: str, account: str) -> str:
    """Finds the same account again, and tells nothing else about it."""
    return sign("payout", f"{rail}:{''.join(account.split()).casefold()}")


def _cipher() -> Any:
    # Loaded when somebody's account is opened, which is seldom: it is 6 MB in every web process otherwise.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.sha256(b"payout details:" + settings().secret_key.encode()).digest())


def _owner(purpose: str, member_id: int) -> bytes:
    # A sealed value copied into another member's row does not open there.
    return f"{purpose}:{member_id}".encode()
