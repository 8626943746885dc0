from datetime import timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from community.phones import codes
from community.phones.schemas import CodeView, PhoneView


async def phone_of(viewer: Viewer) -> PhoneView:
    """The viewer's own number, masked, and the code that is on its way."""
    member_id = require_member(viewer, "read")
    row = await db.fetch_one("SELECT hint, proven_at FROM member_phone WHERE member_id = $1", member_id)
    number, proven_at = (row["hint"], row["proven_at"]) if row else (None, None)
    return PhoneView(number, proven_at, bool(codes.way()), await _waiting(member_id))


async def _waiting(member_id: int) -> CodeView | None:
    row = await db.fetch_one("SELECT * FROM phone_code WHERE member_id = $1 ORDER BY id DESC LIMIT 1", member_id)
    if row is None or row["state"] not in ("asked", "sent", "failed") or row["expires_at"] < clock.now():
        return None
    return _view(row)


def _view(row: asyncpg.Record) -> CodeView:
    at_once = row["state"] == "failed"
    return CodeView(
        row["hint"],
        row["state"],
        row["expires_at"],
        row["asked_at"] + (timedelta() if at_once else codes.AGAIN_AFTER),
        codes.code_of(row) if codes.way() == "shown" else "",
    )
