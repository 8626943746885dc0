import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.paging import Page, cut, decode
from community.members.queries import avatar_url
from community.privacy.schemas import PrivacyView

BY_DEFAULT = PrivacyView("everyone", False)


def no_block_between(one: str, other: str) -> str:
    """SQL: neither of these two members has blocked the other. Whatever rings, names or counts somebody says it."""
    return (
        f"NOT EXISTS (SELECT 1 FROM member_block mb WHERE (mb.member_id = {one} AND mb.blocked_id = {other})"
        f" OR (mb.member_id = {other} AND mb.blocked_id = {one}))"
    )


def is_wanted(author: str, member: str) -> str:
    """SQL: this member did not block the author. Their words are not put before one; who looks for them finds them."""
    return f"NOT EXISTS (SELECT 1 FROM member_block mb WHERE mb.member_id = {member} AND mb.blocked_id = {author})"


async def has_blocked(member_id: int, other_id: int) -> bool:
    return await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM member_block WHERE member_id = $1 AND blocked_id = $2)", member_id, other_id
    )


async def privacy_of(member_id: int) -> PrivacyView:
    row = await db.fetch_one("SELECT may_write, is_hidden, hides_reading FROM privacy WHERE member_id = $1", member_id)
    return PrivacyView(row["may_write"], row["is_hidden"], row["hides_reading"]) if row else BY_DEFAULT


async def blocked_by(viewer: Viewer, *, cursor: str | None, limit: int = 50) -> Page[asyncpg.Record]:
    """Whom the viewer blocked, the latest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT b.id AS block_id, b.created_at AS since, m.id, m.handle, m.name, m.avatar_key
             FROM member_block b JOIN member m ON m.id = b.blocked_id
            WHERE b.member_id = $1 AND ($2::bigint IS NULL OR b.id < $2) ORDER BY b.id DESC LIMIT $3""",
        require_member(viewer, "read"),
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["block_id"],))


async def unseen_pairs(member_ids: list[int]) -> set[tuple[int, int]]:
    """Of these members: (a, b) where b must not see that a is here, because one of them blocked the other."""
    rows = await db.fetch(
        """SELECT member_id, blocked_id FROM member_block
            WHERE member_id = ANY($1::bigint[]) AND blocked_id = ANY($1::bigint[])""",
        member_ids,
    )
    pairs = {(row["member_id"], row["blocked_id"]) for row in rows}
    return pairs | {(b, a) for a, b in pairs}


def face_of(row: asyncpg.Record) -> dict[str, object]:
    """A row with `avatar_key`, as the face macros take a member."""
    return dict(row) | {"avatar_url": avatar_url(row["avatar_key"])}
