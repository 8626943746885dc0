"""A crowd: as many members as there are lines, each with a token, in the groups of some rooms.

They are written by SQL, as signing up and joining would leave them: at the door nobody may sign up by the thousand. So
whoever asks who they are, what they may read and who is here asks about each of them.
"""

import os
from datetime import UTC, datetime

from app import ids

SCOPES = "read,write"


async def seat(database: str, rooms: list[str], members: int) -> list[str]:
    """The tokens of so many new members, who belong to the groups of these rooms."""
    import asyncpg

    line = await asyncpg.connect(database)
    try:
        async with line.transaction():
            return await _seat(line, [int(room) for room in rooms], members)
    finally:
        # The planner knows of a community this large; here it grew in a second.
        await line.execute("ANALYZE member, api_token, membership")
        await line.close()


async def _seat(line, rooms: list[int], members: int) -> list[str]:
    now, name = datetime.now(UTC), f"crowd_{os.urandom(4).hex()}"
    rows = await line.fetch(
        """INSERT INTO member (handle, email, email_proven_at, name, role, created_at)
           SELECT $1 || '_' || n, $1 || '_' || n || '@example.org', $3, 'Crowd ' || n, 'member', $3
             FROM generate_series(1, $2) n RETURNING id""",
        name,
        members,
        now,
    )
    tokens = ["gv_" + ids.new_token() for _ in rows]
    keys = [(row["id"], ids.digest(token), SCOPES, now) for row, token in zip(rows, tokens, strict=True)]
    await line.copy_records_to_table(
        "api_token", columns=["member_id", "token_digest", "scopes", "created_at"], records=keys
    )
    groups = await line.fetch("SELECT group_id FROM room WHERE id = ANY($1::bigint[])", rooms)
    places = [(group["group_id"], row["id"], "member", "active", now) for group in groups for row in rows]
    await line.copy_records_to_table(
        "membership", columns=["group_id", "member_id", "role", "state", "joined_at"], records=places
    )
    await line.execute(
        "UPDATE groups SET member_count = member_count + $2 WHERE id = ANY($1::bigint[])",
        [group["group_id"] for group in groups],
        members,
    )
    return tokens
