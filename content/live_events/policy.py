import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _
from community.groups.policy import readable_rooms
from community.members.queries import AVATAR_URL, as_author
from community.moderation.queries import in_sight

# `$2` is the viewer.
_FACTS = f"""
    SELECT e.*, m.id AS member_id, m.handle, m.name, coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '')
               AS avatar_url,
           g.slug AS group_slug, g.name AS group_name, s.slug AS store_slug, s.name AS store_name,
           ms.role AS group_role, r.seq AS room_seq, r.access_version, r.is_open,
           (SELECT count(*)::int FROM live_reminder lr WHERE lr.event_id = e.id) AS reminder_count,
           EXISTS (SELECT 1 FROM live_reminder lr WHERE lr.event_id = e.id AND lr.member_id = $2::bigint)
               AS is_reminded,
           EXISTS (SELECT 1 FROM live_invite li WHERE li.event_id = e.id AND li.member_id = $2::bigint) AS is_invited,
           (SELECT coalesce(jsonb_agg({as_author("hm")} ORDER BY rh.id), '[]')
              FROM room_member rh JOIN member hm ON hm.id = rh.member_id
             WHERE rh.room_id = e.room_id AND rh.member_id <> e.host_id AND rh.role = 'host' AND rh.state = 'active')
               AS cohosts,
           NOT {in_sight("live", "e.id")} AS is_hidden
      FROM live_event e
      JOIN room r ON r.id = e.room_id
      JOIN member m ON m.id = e.host_id
      LEFT JOIN groups g ON g.id = e.group_id
      LEFT JOIN membership ms ON ms.group_id = e.group_id AND ms.member_id = $2::bigint AND ms.state = 'active'
      LEFT JOIN store s ON s.id = e.store_id"""
# An event is there for whoever may read its room.
EVENT = f"""{_FACTS} WHERE {readable_rooms("r", "$2")}"""
# For what is told to everybody in the room; who that is, the room knows.
EVENT_OF_ROOM = f"{_FACTS} WHERE e.room_id = $1"


# In lists: not what moderators hid, nor what a hidden member holds.
LISTED = f"""{EVENT} AND {in_sight("live", "e.id")} AND {in_sight("member", "e.host_id")}"""


async def access_event(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The event, or NotFound: one in a room that is closed to the viewer and a missing one look the same.

    A hidden one is there for its hosts and for moderators.
    """
    row = await db.fetch_one(f"{EVENT} AND e.slug = $1", slug, viewer.member_id)
    if row is None or (row["is_hidden"] and not may_tidy(viewer, row)):
        raise NotFound()
    return row


async def access_own_event(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The event, for its host."""
    require_member(viewer)
    event = await access_event(viewer, slug)
    if not is_host(viewer, event):
        raise Forbidden(_("Only the host may do this."))
    return event


async def access_event_to_run(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The event, for its host and who hosts along."""
    require_member(viewer)
    event = await access_event(viewer, slug)
    if not runs(viewer, event):
        raise Forbidden(_("Only its hosts may do this."))
    return event


async def access_event_to_tidy(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The event, for its hosts and for moderators of its group and of the community."""
    require_member(viewer)
    event = await access_event(viewer, slug)
    if not may_tidy(viewer, event):
        raise Forbidden(_("Only its hosts or a moderator may do this."))
    return event


def is_host(viewer: Viewer, event: asyncpg.Record) -> bool:
    return viewer.is_member and event["host_id"] == viewer.member_id


def runs(viewer: Viewer, event: asyncpg.Record) -> bool:
    """The host, and who hosts along."""
    return is_host(viewer, event) or any(host["id"] == viewer.member_id for host in event["cohosts"])


def may_tidy(viewer: Viewer, event: asyncpg.Record) -> bool:
    return runs(viewer, event) or keeps_order(viewer, event)


def keeps_order(viewer: Viewer, event: asyncpg.Record) -> bool:
    return viewer.is_moderator or event["group_role"] in ("owner", "moderator")
