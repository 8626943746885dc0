"""The screenshots and PDFs that prove handed-in work. A picture is re-encoded, a PDF only ever saved to a disk."""

import secrets
from datetime import timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from community.media import storage
from community.media.pictures import MOST_BYTES, develop, too_large
from referrals.bounties import queries

MOST_FILES = 6
MOST_WAITING = 12
PICTURE_SIDE = 2000
KEPT_UNUSED = timedelta(days=1)


async def bring(viewer: Viewer, bounty_id: int, raw: bytes, name: str) -> asyncpg.Record:
    """Keep one file for work that is handed in next."""
    member_id = require_member(viewer)
    await limit("upload", member_id, most=60, per=3600)
    if await queries.bounty(bounty_id) is None:
        raise NotFound()
    waiting = await db.fetch_val(
        "SELECT count(*) FROM bounty_file WHERE member_id = $1 AND submission_id IS NULL", member_id
    )
    if waiting >= MOST_WAITING:
        raise Invalid("file", _("Hand in what you brought before bringing more."))
    content, ending = await _made_safe(raw)
    key = f"{storage.PRIVATE}bounties/{secrets.token_hex(16)}.{ending}"
    await storage.put(key, content)
    row = await db.fetch_one(
        """INSERT INTO bounty_file (bounty_id, member_id, key, name, media_type, bytes, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *""",
        bounty_id,
        member_id,
        key,
        _plain(name, ending),
        storage.media_type_of(key),
        len(content),
        clock.now(),
    )
    assert row is not None
    return row


async def content_of(viewer: Viewer, file_id: int) -> tuple[asyncpg.Record, bytes]:
    """A file for whoever brought it, and once it was handed in for the store's owner and admins."""
    member_id = require_member(viewer, "read")
    row = await db.fetch_one(
        """SELECT f.*, s.owner_id FROM bounty_file f JOIN bounty b ON b.id = f.bounty_id
             JOIN program p ON p.id = b.program_id JOIN store s ON s.id = p.store_id WHERE f.id = $1""",
        file_id,
    )
    is_mine = row is not None and row["member_id"] == member_id
    is_told = row is not None and row["submission_id"] is not None
    if row is None or not (is_mine or (is_told and (viewer.is_admin or row["owner_id"] == member_id))):
        raise NotFound()
    return row, await storage.get(row["key"])


async def sweep() -> None:
    """What was brought and never handed in."""
    rows = await db.fetch(
        "DELETE FROM bounty_file WHERE submission_id IS NULL AND created_at < $1 RETURNING key",
        clock.now() - KEPT_UNUSED,
    )
    for row in rows:
        await storage.forget(row["key"])


async def forget(member_id: int) -> None:
    """A member leaves: what they brought goes with them."""
    for row in await db.fetch("DELETE FROM bounty_file WHERE member_id = $1 RETURNING key", member_id):
        await storage.forget(row["key"])


async def _made_safe(raw: bytes) -> tuple[bytes, str]:
    if raw[:5] != b"%PDF-":
        (made,) = await develop(raw, [str(PICTURE_SIDE)], field="file")
        return made.content, "webp"
    if len(raw) > MOST_BYTES:
        raise too_large()
    if b"%%EOF" not in raw[-2048:]:
        raise Invalid("file", _("This PDF is incomplete."))
    return raw, "pdf"


def _plain(name: str, ending: str) -> str:
    """What a header and a disk can bear of a stranger's file name."""
    stem = name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    kept = "".join(sign if sign.isalnum() or sign in "-_ " else "-" for sign in stem).strip(" -")[:60]
    return f"{kept or 'proof'}.{ending}"
