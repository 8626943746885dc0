import asyncpg

from app import db
from app.auth import Viewer
from app.errors import Forbidden, Gone, NotFound
from app.i18n import gettext as _
from community.groups.policy import readable_groups
from community.members.queries import as_author
from community.moderation.queries import in_sight


def listed_topics(topic: str, first_post: str) -> str:
    """SQL: a topic that lists may show. Who hides the first post hides the topic from them."""
    return f"{in_sight('topic', f'{topic}.id')} AND {in_sight('post', f'{first_post}.id')}"


async def access_topic(viewer: Viewer, topic_id: int) -> asyncpg.Record:
    """The topic with its group and the viewer's place in it, or NotFound for who may not read the group."""
    row = await db.fetch_one(
        f"""SELECT t.id, t.group_id, t.author_id, t.kind, t.title, t.slug, t.post_count, t.reaction_count,
                   t.created_at, t.active_at, g.slug AS group_slug, g.name AS group_name, g.visibility,
                   g.description AS group_description, g.member_count, ms.state AS membership,
                   ms.role AS membership_role, {as_author("m")} AS author, h.reason AS hidden,
                   r.id AS room_id
              FROM topic t
              JOIN groups g ON g.id = t.group_id
              JOIN member m ON m.id = t.author_id
              LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $2::bigint
              LEFT JOIN hiding h ON h.subject_kind = 'topic' AND h.subject_id = t.id
              LEFT JOIN room r ON r.group_id = g.id AND r.kind = 'group'
             WHERE t.id = $1 AND {readable_groups("g", "$2")}""",
        topic_id,
        viewer.member_id,
    )
    if row is None:
        raise NotFound()
    if row["hidden"] is not None and not (viewer.is_moderator or row["author_id"] == viewer.member_id):
        raise Gone(_("A moderator took this topic down: %(reason)s", reason=row["hidden"]))
    return row


async def access_post(viewer: Viewer, post_id: int) -> asyncpg.Record:
    """A post with its topic and the viewer's place in the group, or NotFound. A hidden one is its author's only."""
    row = await db.fetch_one(
        f"""SELECT p.*, t.title, t.slug AS topic_slug, t.kind AS topic_kind, g.id AS group_id, g.slug AS group_slug,
                   g.name AS group_name, m.handle AS author_handle, {as_author("m")} AS author,
                   ms.state AS membership, ms.role AS membership_role, h.reason AS hidden
              FROM post p
              JOIN topic t ON t.id = p.topic_id
              JOIN groups g ON g.id = t.group_id
              JOIN member m ON m.id = p.author_id
              LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $2::bigint
              LEFT JOIN hiding h ON h.subject_kind = 'post' AND h.subject_id = p.id
             WHERE p.id = $1 AND {readable_groups("g", "$2")} AND {in_sight("topic", "t.id")}""",
        post_id,
        viewer.member_id,
    )
    if row is None or (row["hidden"] is not None and not may_see_hidden(viewer, row)):
        raise NotFound()
    return row


def may_see_hidden(viewer: Viewer, row: asyncpg.Record) -> bool:
    return viewer.is_moderator or (viewer.is_member and row["author_id"] == viewer.member_id)


def check_may_write(row: asyncpg.Record) -> None:
    """Members of the group write; others read, where they may."""
    if row["membership"] == "pending":
        raise Forbidden(_("A moderator has yet to let you in. You can write after that."))
    if row["membership"] != "active":
        raise Forbidden(_("Join the group to write in it."))


def check_may_edit(viewer: Viewer, post: asyncpg.Record) -> None:
    if post["author_id"] != viewer.member_id:
        raise Forbidden(_("Only its author changes a post."))
    if post["hidden"] is not None:
        raise Forbidden(_("A moderator took this post down; it cannot be changed."))
    check_may_write(post)
