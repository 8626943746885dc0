"""Bank details and tax numbers at rest: sealed, each bound to its purpose and its owner."""

from app import sealed
from app.auth import sign

AREA = "payout details"


def seal(purpose: str, member_id: int, fields: dict[str, str]) -> bytes:
    return sealed.seal(AREA, f"{purpose}:{member_id}", fields)


def unseal(purpose: str, member_id: int, kept: bytes) -> dict[str, str]:
    """What was sealed for this purpose and member; empty when another secret sealed it (or it was moved)."""
    return sealed.unseal(AREA, f"{purpose}:{member_id}", kept)


def fingerprint(rail: str, account: str) -> str:
    """Finds the same account again, and tells nothing else about it."""
    return sign("payout", f"{rail}:{''.join(account.split()).casefold()}")
