from uuid import UUID

import asyncpg

from app import db


def click_id(given: str) -> UUID | None:
    """The id in a `gv`, which comes from outside and may be anything."""
    try:
        return UUID(given) if len(given) in (32, 36) else None
    except ValueError:
        return None


async def click(given: str) -> asyncpg.Record | None:
    """A click with its link's owner, by the `gv` that travelled."""
    asked = click_id(given)
    if asked is None:
        return None
    return await db.fetch_one(
        """SELECT c.id, c.kind, c.occurred_at, c.link_id, l.owner_id, l.store_id, l.disabled_at
             FROM click c JOIN link l ON l.id = c.link_id WHERE c.id = $1""",
        asked,
    )
