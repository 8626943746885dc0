import asyncpg

from app import db


async def last_checks(limit: int = 30) -> list[asyncpg.Record]:
    """The last looks at the books, the newest first."""
    return await db.fetch(
        """SELECT b.*, m.handle AS asked_by_handle FROM books_check b LEFT JOIN member m ON m.id = b.asked_by
            ORDER BY b.id DESC LIMIT $1""",
        limit,
    )
