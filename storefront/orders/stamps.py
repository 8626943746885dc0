"""Which of two tellings is the newer one, so that any sequence of the same messages ends the same.

A stamp is the source's own time and, for tellings of the same moment, a digest of what they say: arbitrary, but
the same whoever comes first. Each field keeps the stamp of the telling it stands by.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from storefront.orders.fingerprints import email_fingerprint
from storefront.orders.schemas import CustomerTold, OrderTold


def stamp_of(told: OrderTold) -> str:
    """Of everything the telling says that another one may say differently."""
    # Of the buyer only what is kept anyway: a bare digest of an e-mail could be guessed back.
    buyer = told.customer and CustomerTold(told.customer.external_id, email_fingerprint(told.customer.email))
    said = msgspec.structs.replace(told, happening="told", happened_at=told.updated_at, customer=buyer)
    moment, _, digest = stamp(told.updated_at, msgspec.json.encode(said)).partition("|")
    # "!" comes before every digit: of the same moment, whoever names the lines wins.
    return f"{moment}|!{digest}" if told.is_rough else f"{moment}|{digest}"


def stamp(moment: datetime, content: bytes = b"") -> str:
    digest = hashlib.sha256(content).hexdigest()[:16] if content else ""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')}|{digest}"


def newest(kept: dict[str, str], stamp: str, said: dict[str, Any]) -> dict[str, Any]:
    """What of it should be written: whatever is not empty and not older than what stands."""
    return {field: value for field, value in said.items() if value and stamp > kept.get(field, "")}
