import asyncpg

from app import clock, db, ids
from app.gathered import gathered


async def member_of_token(token: str) -> asyncpg.Record | None:
    """The member an API token speaks for, with its scopes."""
    return await db.fetch_one(
        """SELECT m.id, m.handle, m.name, m.role, m.avatar_key, t.scopes, t.id AS token_id, t.used_at, t.used_from
             FROM api_token t JOIN member m ON m.id = t.member_id
            WHERE t.token_digest = $1 AND t.revoked_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.lifted_at IS NULL
                                                          AND (s.until IS NULL OR s.until > $2))""",
        ids.digest(token),
        clock.now(),
    )


async def suspension_of(member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT reason, until FROM suspension
            WHERE member_id = $1 AND lifted_at IS NULL AND (until IS NULL OR until > $2)
            ORDER BY id DESC LIMIT 1""",
        member_id,
        clock.now(),
    )


async def sessions_of(member_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT id, user_agent, created_at, seen_at FROM session
            WHERE member_id = $1 AND expires_at > $2 ORDER BY seen_at DESC LIMIT 50""",
        member_id,
        clock.now(),
    )


@gathered()
async def member_to_speak_for(asked: list[tuple[int, int | None]]) -> dict[tuple[int, int | None], asyncpg.Record]:
    """By (member, API token they came by): the member, unless suspended, or the token revoked meanwhile."""
    rows = await db.fetch(
        """SELECT asked.token_id, m.id, m.handle, m.name, m.role, m.avatar_key
             FROM unnest($1::bigint[], $2::bigint[]) AS asked(member_id, token_id)
             JOIN member m ON m.id = asked.member_id
            WHERE (asked.token_id IS NULL OR EXISTS (
                      SELECT 1 FROM api_token t
                       WHERE t.id = asked.token_id AND t.member_id = m.id AND t.revoked_at IS NULL))
              AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.lifted_at IS NULL
                                                          AND (s.until IS NULL OR s.until > $3))""",
        [member_id for member_id, _token_id in asked],
        [token_id for _member_id, token_id in asked],
        clock.now(),
    )
    return {(row["id"], row["token_id"]): row for row in rows}


@gathered()
async def member_of_session(digests: list[bytes]) -> dict[bytes, asyncpg.Record]:
    """Who sits at the browser of a session, by its token's digest, unless suspended; without the frame of a page."""
    rows = await db.fetch(
        """SELECT s.token_digest, s.id AS session_id, s.seen_at, m.id, m.handle, m.name, m.role, m.avatar_key
             FROM session s JOIN member m ON m.id = s.member_id
            WHERE s.token_digest = ANY($1::bytea[]) AND s.expires_at > $2
              AND NOT EXISTS (SELECT 1 FROM suspension x WHERE x.member_id = m.id AND x.lifted_at IS NULL
                                                          AND (x.until IS NULL OR x.until > $2))""",
        digests,
        clock.now(),
    )
    return {bytes(row["token_digest"]): row for row in rows}


async def shut_out(
    member_ids: list[int], session_ids: list[int], token_ids: list[int]
) -> tuple[set[int], set[int], set[int]]:
    """Of these members, the suspended ones; of these sessions and API tokens, those that have ended."""
    row = await db.fetch_one(
        """SELECT ARRAY(SELECT member_id FROM suspension
                         WHERE member_id = ANY($1::bigint[]) AND lifted_at IS NULL
                           AND (until IS NULL OR until > $4)) AS members,
                  ARRAY(SELECT t.id FROM unnest($2::bigint[]) AS t(id)
                         WHERE NOT EXISTS (SELECT 1 FROM session s
                                            WHERE s.id = t.id AND s.expires_at > $4)) AS sessions,
                  ARRAY(SELECT t.id FROM unnest($3::bigint[]) AS t(id)
                         WHERE NOT EXISTS (SELECT 1 FROM api_token a
                                            WHERE a.id = t.id AND a.revoked_at IS NULL)) AS tokens""",
        member_ids,
        session_ids,
        token_ids,
        clock.now(),
    )
    assert row is not None
    return set(row["members"]), set(row["sessions"]), set(row["tokens"])
