import asyncpg

from app import db


async def accounts_of(member_id: int) -> list[asyncpg.Record]:
    """A member's own, the newest first; there are few."""
    return await db.fetch("SELECT * FROM social_account WHERE member_id = $1 ORDER BY id DESC", member_id)


async def account(account_id: int, member_id: int | None) -> asyncpg.Record | None:
    return await db.fetch_one("SELECT * FROM social_account WHERE id = $1 AND member_id = $2", account_id, member_id)


async def has_proven(member_id: int, platform: str, account: str = "") -> bool:
    """Whether this account (or any) of the platform was proven to be theirs."""
    found: bool = await db.fetch_val(
        """SELECT EXISTS (SELECT FROM social_account WHERE member_id = $1 AND platform = $2 AND state = 'proven'
                             AND ($3 = '' OR account = $3))""",
        member_id,
        platform,
        account,
    )
    return found
