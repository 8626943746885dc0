import asyncpg

from app import db
from app.errors import NotFound

AVATAR_URL = "/media/"


def avatar_url(key: str) -> str:
    return AVATAR_URL + key if key else ""


def as_author(alias: str) -> str:
    """SQL: this member as others see them beside their words (id, handle, name, avatar_url), one JSON value."""
    return (
        f"jsonb_build_object('id', {alias}.id, 'handle', {alias}.handle, 'name', {alias}.name, "
        f"'avatar_url', coalesce('{AVATAR_URL}' || nullif({alias}.avatar_key, ''), ''))"
    )


async def find_credential(login: str) -> asyncpg.Record | None:
    column = "email" if "@" in login else "handle"
    return await db.fetch_one(
        f"""SELECT c.member_id, c.password_hash
              FROM member m JOIN credential c ON c.member_id = m.id
             WHERE lower(m.{column}) = lower($1)""",
        login,
    )


async def member_by_handle(handle: str) -> asyncpg.Record:
    """The person with this handle. Bots have no page, no letters and no account."""
    row = await db.fetch_one(
        """SELECT id, handle, name, bio, avatar_key, role, lang, email, email_proven_at, created_at
             FROM member WHERE lower(handle) = lower($1) AND kind = 'person'""",
        handle,
    )
    if row is None:
        raise NotFound()
    return row
