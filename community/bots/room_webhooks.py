"""What happens in a room, told to addresses of those who run it: taken from the room's own events, in their order.

Nothing of it is on the way of a message: an endpoint has its own place in the room's sequence, and goes on from there.
"""

from typing import Any

import asyncpg
import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock, db
from app.auth import Viewer
from app.settings import settings
from community.bots.policy import access_kept_room, access_run_group
from community.chat import keepers, queries
from community.webhooks.source import Place

GROUP, ROOM = "group", "room"
# The room an endpoint is told of: its group's, or one that has programs of its own.
_ROOM_OF = """JOIN room r ON e.owner_kind = 'group' AND r.group_id = e.owner_id AND r.kind = 'group'
                      OR e.owner_kind = 'room' AND r.id = e.owner_id"""
# What a room's event is called outside.
NAMES = {
    "message": "message.created",
    "edit": "message.edited",
    "delete": "message.deleted",
    "react": "message.reacted",
    "pin": "message.pinned",
    "join": "member.joined",
    "leave": "member.left",
    "room": "room.changed",
}
TYPES = tuple(NAMES.values())
AT_ONCE = 200


async def access_group(viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Place:
    group = await access_run_group(viewer, slug)
    return Place(group["id"], f"/g/{group['slug']}/webhooks", {"group": group, "kept": None})


async def access_room(viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Place:
    room = await access_kept_room(viewer, room_id)
    return Place(room["id"], f"/chat/{room['id']}/webhooks", {"group": None, "kept": room})


async def owner_of_group(group_id: int) -> tuple[int, str] | None:
    row = await db.fetch_one("SELECT slug, owner_id FROM groups WHERE id = $1", group_id)
    return (row["owner_id"], f"/g/{row['slug']}/webhooks") if row else None


async def owner_of_room(room_id: int) -> tuple[int, str] | None:
    member_id = await keepers.owner_of(room_id)
    return (member_id, f"/chat/{room_id}/webhooks") if member_id else None


async def start_at_of_group(group_id: int) -> int:
    return await db.fetch_val("SELECT seq FROM room WHERE group_id = $1 AND kind = 'group'", group_id) or 0


async def start_at_of_room(room_id: int) -> int:
    return await db.fetch_val("SELECT seq FROM room WHERE id = $1", room_id) or 0


async def gather(endpoint: asyncpg.Record) -> bool:
    """Take over the next events of the room as deliveries; whether there were any."""
    async with db.transaction():
        place = await db.fetch_one(
            f"""SELECT e.told_seq, e.types, r.id AS room_id, r.seq, r.epoch
                 FROM webhook_endpoint e {_ROOM_OF}
                WHERE e.id = $1 AND e.off_at IS NULL FOR UPDATE OF e""",
            endpoint["id"],
        )
        if place is None or place["told_seq"] >= place["seq"]:
            return False
        rows = await db.fetch(
            "SELECT seq, kind, at FROM room_event WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            place["room_id"],
            place["told_seq"],
            AT_ONCE,
        )
        wanted = [row for row in rows if row["kind"] in NAMES and _is_wanted(place["types"], NAMES[row["kind"]])]
        await db.execute(
            """INSERT INTO webhook_delivery
                   (endpoint_id, message_id, type, data, occurred_at, state, tries, next_at)
               SELECT $1, message_id, type, data::jsonb, at, 'waiting', 0, $6
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])
                      AS t(message_id, type, data, at)
               ON CONFLICT DO NOTHING""",
            endpoint["id"],
            # With its epoch: after a restore the same seq is another event.
            [f"room_{place['room_id']}_{place['epoch']}_{row['seq']}" for row in wanted],
            [NAMES[row["kind"]] for row in wanted],
            [msgspec.json.encode({"room": place["room_id"], "seq": row["seq"]}).decode() for row in wanted],
            [row["at"] for row in wanted],
            clock.now(),
        )
        await db.execute(
            "UPDATE webhook_endpoint SET told_seq = $2 WHERE id = $1",
            endpoint["id"],
            rows[-1]["seq"] if rows else place["seq"],
        )
    return True


async def read(endpoint: asyncpg.Record, deliveries: list[asyncpg.Record]) -> list[Any]:
    """Each event as the room shows it now: what was taken back or withheld meanwhile says nothing any more."""
    found: dict[tuple[int, int], Any] = {}
    for room_id in {delivery["data"]["room"] for delivery in deliveries}:
        place = await _place_told(endpoint, room_id)
        if place is None:
            continue
        seqs = [delivery["data"]["seq"] for delivery in deliveries if delivery["data"]["room"] == room_id]
        for row in await queries.messages_where(room_id, "", "e.seq = ANY($2::bigint[])", seqs):
            found[room_id, row["seq"]] = place | {"event": queries.view(row)}
    return [found.get((delivery["data"]["room"], delivery["data"]["seq"])) for delivery in deliveries]


async def _place_told(endpoint: asyncpg.Record, room_id: int) -> dict[str, Any] | None:
    """The room as it is called now, and its group when it is the group's own."""
    room = {"id": str(room_id), "url": f"{settings().base_url}/chat/{room_id}"}
    if endpoint["owner_kind"] == GROUP:
        group = await db.fetch_one("SELECT slug, name FROM groups WHERE id = $1", endpoint["owner_id"])
        return {"group": {"slug": group["slug"], "name": group["name"]}, "room": room} if group else None
    row = await db.fetch_one("SELECT kind, name FROM room WHERE id = $1", room_id)
    return {"room": room | {"kind": row["kind"], "name": row["name"]}} if row else None


_IS_BEHIND = """e.off_at IS NULL AND e.told_seq < r.seq
              AND (e.busy_until IS NULL OR e.busy_until < $1) AND (e.resting_until IS NULL OR e.resting_until <= $1)"""


async def behind() -> list[tuple[str, int]]:
    """Endpoints whose room has moved on without them, each with what kind of owner it has."""
    rows = await db.fetch(
        f"""SELECT e.id, e.owner_kind
              FROM webhook_endpoint e JOIN room r ON r.group_id = e.owner_id AND r.kind = 'group'
             WHERE e.owner_kind = 'group' AND {_IS_BEHIND}
            UNION ALL
            SELECT e.id, e.owner_kind FROM webhook_endpoint e JOIN room r ON r.id = e.owner_id
             WHERE e.owner_kind = 'room' AND {_IS_BEHIND}""",
        clock.now(),
    )
    return [(row["owner_kind"], row["id"]) for row in rows]


def _is_wanted(types: list[str], type: str) -> bool:
    return not types or type in types
