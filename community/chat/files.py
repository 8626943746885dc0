"""Pictures and files in rooms: brought in first, then held by a message. Only who may read the room then gets them."""

import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
from litestar import Request
from litestar.datastructures import UploadFile

from app import clock, db, limits
from app.auth import Viewer, require_member
from app.errors import Forbidden, Invalid, NotFound, TooLarge
from app.i18n import gettext as _
from app.text import clean
from community.chat import policy
from community.chat.parts import MOST_FILES, ChatFileView
from community.media import pictures, storage

MOST_BYTES = 20 * 1024 * 1024
SIDE, SMALL_SIDE = 2000, 640
# What a member may bring in within a day, in kilobytes.
MOST_A_DAY = 400 * 1024
MOST_AN_HOUR = 400
WAITS = timedelta(days=1)
PICTURES = {"png", "jpg", "jpeg", "webp", "avif", "gif"}
# What people hand each other, and how each begins; None: any text. Programs and pages are not among them.
KINDS: dict[str, tuple[str, tuple[bytes, ...] | None]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "txt": ("text/plain; charset=utf-8", None),
    "md": ("text/markdown; charset=utf-8", None),
    "csv": ("text/csv; charset=utf-8", None),
    "json": ("application/json", None),
    "ics": ("text/calendar; charset=utf-8", None),
    "gpx": ("application/gpx+xml", None),
    "zip": ("application/zip", (b"PK\x03\x04", b"PK\x05\x06")),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (b"PK\x03\x04",)),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (b"PK\x03\x04",)),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", (b"PK\x03\x04",)),
    "odt": ("application/vnd.oasis.opendocument.text", (b"PK\x03\x04",)),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", (b"PK\x03\x04",)),
    "epub": ("application/epub+zip", (b"PK\x03\x04",)),
    "mp3": ("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "ogg": ("audio/ogg", (b"OggS",)),
    "wav": ("audio/wav", (b"RIFF",)),
    "m4a": ("audio/mp4", (b"ftyp",)),
    "mp4": ("video/mp4", (b"ftyp",)),
    "webm": ("video/webm", (b"\x1a\x45\xdf\xa3",)),
}
_UNSAFE_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')


async def let_in(viewer: Viewer, room_id: int) -> int:
    """Whether the viewer may bring something into the room now: asked before a byte of it is read. Their id."""
    member_id = require_member(viewer)
    room = await policy.access_room(viewer, room_id)
    if not policy.may_send(room):
        raise Forbidden(_("You cannot write here at the moment."))
    await limits.limit("chat-file", member_id, most=MOST_AN_HOUR, per=3600)
    return member_id


async def keep(viewer: Viewer, room_id: int, name: str, content: bytes) -> ChatFileView:
    """Bring a file into a room; a message of the viewer's may hold it within a day."""
    member_id = await let_in(viewer, room_id)
    name = _named(name)
    await limits.limit("chat-bytes", member_id, most=MOST_A_DAY, per=86_400, cost=1 + len(content) // 1024)
    if _ending(name) in PICTURES:
        return await _keep_picture(member_id, room_id, name, content)
    media_type = _checked(name, content)
    key = f"private/chat/{secrets.token_hex(16)}.bin"
    await storage.put(key, content)
    return await _note(member_id, room_id, "file", key, name, media_type, len(content))


async def _keep_picture(member_id: int, room_id: int, name: str, content: bytes) -> ChatFileView:
    large, small = await pictures.develop(content, [str(SIDE), str(SMALL_SIDE)], field="files")
    key = f"private/chat/{secrets.token_hex(16)}.webp"
    await storage.put(key, large.content)
    await storage.put(_small(key), small.content)
    size = len(large.content)
    return await _note(member_id, room_id, "picture", key, name, "image/webp", size, large.width, large.height)


async def _note(
    member_id: int,
    room_id: int,
    kind: str,
    key: str,
    name: str,
    media_type: str,
    size: int,
    width: int = 0,
    height: int = 0,
) -> ChatFileView:
    file_id = await db.fetch_val(
        """INSERT INTO chat_file
                  (room_id, owner_id, place, kind, key, name, media_type, bytes, width, height, created_at)
           VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id""",
        room_id,
        member_id,
        kind,
        key,
        name,
        media_type,
        size,
        width,
        height,
        clock.now(),
    )
    address = f"/chat/{room_id}/files/{file_id}"
    small = f"{address}?size=small" if kind == "picture" else ""
    return ChatFileView(str(file_id), kind, name, media_type, size, address, small, width, height)


async def access_file(viewer: Viewer, room_id: int, file_id: int) -> asyncpg.Record:
    """A file of a room the viewer may read now, while its message stands; before, only who brought it in has it."""
    await policy.access_room(viewer, room_id)
    row = await db.fetch_one(
        """SELECT f.* FROM chat_file f LEFT JOIN message m ON m.id = f.message_id
            WHERE f.id = $1 AND f.room_id = $2
              AND CASE WHEN f.message_id IS NULL THEN f.owner_id = $3
                       ELSE m.deleted_at IS NULL AND NOT EXISTS (
                           SELECT 1 FROM hiding h WHERE h.subject_kind = 'message' AND h.subject_id = m.id) END""",
        file_id,
        room_id,
        viewer.member_id,
    )
    if row is None:
        raise NotFound()
    return row


async def content_of(file: asyncpg.Record, *, small: bool = False) -> bytes:
    return await storage.get(_small(file["key"]) if small and file["kind"] == "picture" else file["key"])


async def withdraw(viewer: Viewer, room_id: int, file_id: int) -> None:
    """Take a file back that no message holds yet."""
    key = await db.fetch_val(
        """DELETE FROM chat_file WHERE id = $1 AND room_id = $2 AND owner_id = $3 AND message_id IS NULL
           RETURNING key""",
        file_id,
        room_id,
        require_member(viewer),
    )
    if key is None:
        raise NotFound()
    await forget([key])


async def forget(keys: list[str]) -> None:
    """Remove the bytes; those that are gone already are fine."""
    for key in keys:
        await storage.forget(key)
        if key.endswith(".webp"):
            await storage.forget(_small(key))


async def forget_waiting() -> int:
    """Remove what was brought in and never said; how much that was."""
    gone = await db.fetch(
        """DELETE FROM chat_file WHERE id IN (SELECT id FROM chat_file WHERE message_id IS NULL AND created_at < $1
                                               ORDER BY created_at LIMIT 1000) RETURNING key""",
        clock.now() - WAITS,
    )
    await forget([row["key"] for row in gone])
    return len(gone)


# --- what the writer asks, inside its transaction ---


async def free_among(file_ids: list[int]) -> set[tuple[int, int, int]]:
    """(room, owner, file) of those that no message holds yet, locked until the message is said."""
    rows = await db.fetch(
        """SELECT id, room_id, owner_id FROM chat_file WHERE id = ANY($1::bigint[]) AND message_id IS NULL
            ORDER BY id FOR UPDATE""",
        file_ids,
    )
    return {(row["room_id"], row["owner_id"], row["id"]) for row in rows}


async def hand_over(held: list[tuple[int, list[int]]]) -> None:
    """(message, files in their order): these messages hold them now."""
    triples = [(message_id, file_id, place) for message_id, ids in held for place, file_id in enumerate(ids)]
    message_ids, file_ids, places = zip(*triples, strict=True)
    await db.execute(
        """UPDATE chat_file f SET message_id = t.message_id, place = t.place
             FROM unnest($1::bigint[], $2::bigint[], $3::int[]) AS t(message_id, file_id, place)
            WHERE f.id = t.file_id""",
        message_ids,
        file_ids,
        places,
    )


# --- from a form ---


async def given_in(request: Request, field: str) -> list[tuple[str, bytes]]:
    """The files of a multipart form with their names, bounded; an empty file field is no file."""
    form = await request.form()
    given = [one for one in form.getall(field, []) if isinstance(one, UploadFile) and one.filename]
    if len(given) > MOST_FILES:
        raise Invalid(field, _("At most %(n)s files at once, please.", n=MOST_FILES))
    found = []
    for one in given:
        content = await one.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TooLarge(_("A file may have up to 20 MB."))
        found.append((one.filename, content))
    return found


def disposition(file: Any) -> str:
    """How a browser takes it: pictures are shown, everything else is saved under its name."""
    kind = "inline" if file["kind"] == "picture" else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(file['name'], safe='')}"


def _named(name: str) -> str:
    return clean(_UNSAFE_IN_NAMES.sub("-", name).strip(". -")[-120:], "files", most=120) or "file"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _checked(name: str, content: bytes) -> str:
    """The type a file is handed out as, or Invalid: only kinds we know, and only if they begin like one."""
    known = KINDS.get(_ending(name))
    if known is None:
        raise Invalid(
            "files", _("This kind of file is not taken here. These are: %(kinds)s.", kinds=", ".join(sorted(KINDS)))
        )
    media_type, beginnings = known
    if not content:
        raise Invalid("files", _("This file is empty."))
    if beginnings is None:
        is_one = b"\x00" not in content[:4096]
    else:
        is_one = any(start in content[4:12] if start == b"ftyp" else content.startswith(start) for start in beginnings)
    if not is_one:
        raise Invalid("files", _("This file is not what its name says."))
    return media_type


def _small(key: str) -> str:
    return key.replace(".webp", "-small.webp")
