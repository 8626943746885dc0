from typing import Any

import asyncpg
import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _
from community.chat import keepers
from community.chat.policy import MOST_ID, access_room
from community.groups.policy import access_group_contents, may_moderate


class Home(msgspec.Struct, frozen=True):
    """Where bots speak: a group's room, or one that has programs of its own."""

    room_id: int
    group_id: int | None
    """Only of a group's own room: its bots have their place in the group."""
    url: str
    """The page of its bots."""
    shown: dict[str, Any]
    """What the frame of that page needs besides."""


async def access_run_group(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The group, for those who run it: its owner and moderators."""
    require_member(viewer)
    group = await access_group_contents(viewer, slug)
    if not may_moderate(viewer, group):
        raise Forbidden(_("Only those who run this group may do this."))
    return group


async def access_kept_room(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """The room of a product or a live event, for those who may have programs there."""
    require_member(viewer)
    room = await access_room(viewer, room_id)
    if room["kind"] not in keepers.KINDS:
        raise NotFound()
    if not await keepers.may_keep(viewer, room):
        raise Forbidden(_("This is up to those who run the room."))
    return room


async def home_of_group(viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Home:
    group = await access_run_group(viewer, slug)
    room_id = await db.fetch_val("SELECT id FROM room WHERE group_id = $1 AND kind = 'group'", group["id"])
    if room_id is None:
        raise NotFound()
    return Home(room_id, group["id"], f"/g/{group['slug']}/bots", {"group": group, "kept": None})


async def home_of_room(viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Home:
    room = await access_kept_room(viewer, room_id)
    return Home(room["id"], None, f"/chat/{room['id']}/bots", {"group": None, "kept": room})


async def access_bot(home: Home, bot_id: int) -> asyncpg.Record:
    """A bot of this room that is still one."""
    bot = await db.fetch_one(
        "SELECT * FROM bot WHERE id = $1 AND room_id = $2 AND revoked_at IS NULL",
        min(bot_id, MOST_ID - 1),
        home.room_id,
    )
    if bot is None:
        raise NotFound()
    return bot
