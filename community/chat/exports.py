"""A room's whole history as files, for those who run it: one JSON object a line, and a page to read. A job makes them,
however long the room is, and says how far it has come.

A file says what the room said when it was asked for, as long as the room still says it: with the first word in it that
is changed, taken back or withheld, the file is gone, and made anew when somebody asks.
"""

import asyncio
import secrets
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.i18n import use as speak
from app.limits import limit
from app.web import environment
from community.chat import policy, queries
from community.chat.events import FilesDropped, RoomExportAsked
from community.chat.schemas import EventView
from community.media import storage
from community.notifications.service import notify

AT_ONCE = 500
MOST_A_DAY = 10
# A room in which old words change all the time is asked for at a quieter hour.
MOST_TRIES = 5
KEPT = timedelta(days=7)
JSONL, HTML = "room.jsonl", "room.html"


async def access_exports(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """The room, for those who may take it along. Two who talk alone each have what they said in their own export."""
    require_member(viewer, "read")
    room = await policy.access_room(viewer, room_id)
    if room["kind"] == "direct" or not policy.may_moderate(viewer, room):
        raise Forbidden(_("A room is exported by those who run it."))
    return room


async def ask(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """Begin an export; the one that is under way, if there is one."""
    member_id = require_member(viewer)
    await access_exports(viewer, room_id)
    await limit("room-export", member_id, most=MOST_A_DAY, per=86_400)
    async with db.transaction():
        # Two who ask at once get the same one.
        await db.execute("SELECT 1 FROM room WHERE id = $1 FOR NO KEY UPDATE", room_id)
        under_way = await db.fetch_one(
            "SELECT * FROM room_export WHERE room_id = $1 AND state IN ('waiting', 'running')", room_id
        )
        if under_way:
            return under_way
        row = await db.fetch_one(
            """INSERT INTO room_export (room_id, asked_by_id, state, done, total, asked_at)
               SELECT id, $2, 'waiting', 0, seq, $3 FROM room WHERE id = $1 RETURNING *""",
            room_id,
            member_id,
            clock.now(),
        )
        assert row is not None
        await publish(RoomExportAsked(export_id=row["id"]), actor_id=member_id)
    return row


async def exports_of(room_id: int) -> list[asyncpg.Record]:
    """The last ones, newest first."""
    return await db.fetch("SELECT * FROM room_export WHERE room_id = $1 ORDER BY id DESC LIMIT 20", room_id)


async def access_export(viewer: Viewer, room_id: int, export_id: int) -> asyncpg.Record:
    await access_exports(viewer, room_id)
    row = await db.fetch_one("SELECT * FROM room_export WHERE id = $1 AND room_id = $2", export_id, room_id)
    if row is None:
        raise NotFound()
    return row


async def make(export_id: int) -> None:
    """Write the files and ring the bell of who asked. Done again from the start, if it was cut off, or if something in
    it was changed meanwhile."""
    for _n in range(MOST_TRIES):
        row = await db.fetch_one(
            """UPDATE room_export SET state = 'running', done = 0, dropped_at = NULL
                WHERE id = $1 AND state <> 'done' RETURNING *""",
            export_id,
        )
        if row is None or await _made(row):
            return
    await _fail(export_id)


async def _made(row: asyncpg.Record) -> bool:
    """False when the room said something else by the time the files were written; then they are gone again."""
    key = f"private/exports/{secrets.token_hex(16)}.bin"
    with tempfile.TemporaryDirectory(prefix="gv-export-") as folder:
        try:
            packed = await _write(row, Path(folder))
            await storage.put(key, packed)
        except Exception:
            await _fail(row["id"])
            raise
    async with db.transaction():
        still_true = await db.execute(
            """UPDATE room_export SET state = 'done', key = $2, done = total, finished_at = $3
                WHERE id = $1 AND dropped_at IS NULL""",
            row["id"],
            key,
            clock.now(),
        )
        if still_true:
            await notify(
                row["asked_by_id"],
                "room_export",
                source=f"room-export:{row['id']}",
                url=f"/chat/{row['room_id']}/exports",
                data={"title": await _title(row["room_id"])},
            )
    if not still_true:
        await storage.forget(key)
    return bool(still_true)


async def _fail(export_id: int) -> None:
    await db.execute("UPDATE room_export SET state = 'failed', finished_at = $2 WHERE id = $1", export_id, clock.now())


async def drop_those_with(message_id: int) -> None:
    """This message says something else now, or nothing: no export goes on saying what it said. In the transaction
    that changes it: a job that is writing just now, or begins anew, waits for it or begins again."""
    await _drop(
        """JOIN message m ON m.room_id = x.room_id AND m.seq <= x.total WHERE m.id = $1""",
        message_id,
    )


async def drop_those_naming(member_id: int) -> None:
    """This member is forgotten: no export goes on saying who they were."""
    await _drop(
        """WHERE EXISTS (SELECT 1 FROM room_event e WHERE e.room_id = x.room_id AND e.author_id = $1)
              OR EXISTS (SELECT 1 FROM message_reaction r JOIN message m ON m.id = r.message_id
                          WHERE m.room_id = x.room_id AND r.member_id = $1)""",
        member_id,
    )


async def _drop(which: str, given: int) -> None:
    """`which` is SQL of ours: how the export `x` has to do with $1."""
    rows = await db.fetch(
        f"""WITH stale AS (SELECT id, key FROM room_export
                            WHERE id IN (SELECT x.id FROM room_export x {which})
                              AND (state <> 'done' OR dropped_at IS NULL) ORDER BY id FOR UPDATE),
                 marked AS (UPDATE room_export x SET dropped_at = $2, key = '' FROM stale WHERE x.id = stale.id)
            SELECT key FROM stale WHERE key <> ''""",
        given,
        clock.now(),
    )
    if rows:
        await publish(FilesDropped(keys=[row["key"] for row in rows]))


async def forget_old() -> int:
    """A week is enough to fetch them; how many went."""
    rows = await db.fetch(
        "SELECT id, key FROM room_export WHERE key <> '' AND finished_at < $1 LIMIT 200", clock.now() - KEPT
    )
    for row in rows:
        await storage.forget(row["key"])
        await db.execute("UPDATE room_export SET key = '' WHERE id = $1", row["id"])
    return len(rows)


async def _title(room_id: int) -> str:
    return await db.fetch_val(
        "SELECT coalesce(g.name, r.name) FROM room r LEFT JOIN groups g ON g.id = r.group_id WHERE r.id = $1", room_id
    )


async def _write(row: asyncpg.Record, folder: Path) -> Path:
    """Stretch by stretch, so that a room of a million messages takes no more memory than one of a thousand."""
    lang = await db.fetch_val("SELECT lang FROM member WHERE id = $1", row["asked_by_id"])
    speak(lang or "en")
    title = await _title(row["room_id"])
    template = environment.get_template("community/chat/_export.html").module
    seq = 0
    with (folder / JSONL).open("wb") as lines, (folder / HTML).open("w", encoding="utf-8") as page:
        page.write(str(template.head(title, lang or "en", clock.now())))  # type: ignore[attr-defined]
        while rows := await queries.events_after(row["room_id"], seq, limit=AT_ONCE):
            events = [queries.view(one) for one in rows if one["seq"] <= row["total"]]
            for event in events:
                lines.write(msgspec.json.encode(event) + b"\n")
            page.write(str(template.lines(_told(events))))  # type: ignore[attr-defined]
            seq = rows[-1]["seq"]
            await db.execute("UPDATE room_export SET done = least($2, total) WHERE id = $1", row["id"], seq)
            if seq >= row["total"]:
                break
        page.write(str(template.foot()))  # type: ignore[attr-defined]
    packed = folder / "room.zip"
    await asyncio.to_thread(_pack, packed, folder)
    return packed


def _told(events: list[EventView]) -> list[EventView]:
    """What stands on the page: what was said, and who came and went. The lines of JSON hold all of it."""
    return [event for event in events if event.kind in ("message", "join", "leave")]


def _pack(packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name in (JSONL, HTML):
            into.write(folder / name, name)
