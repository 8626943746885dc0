"""What was said in rooms. The index follows each room's own sequence of events, so that no message costs
a job: a chore brings it up to date, and whoever searches one room brings that room up to date first.

Who may read a room is asked when the question is asked, of PostgreSQL, whichever engine finds the rest.
"""

import asyncio
import time
from collections.abc import Callable

import asyncpg

from app import db
from app.auth import Viewer
from app.paging import cut, decode
from app.text import excerpt
from community.chat.policy import rooms_to_read
from community.groups.policy import readable_rooms
from community.moderation.queries import in_sight
from community.privacy.queries import is_wanted
from search.schemas import Facets, Hit, HitAuthor, HitGroup, SearchAnswer
from search.snippets import highlighted, snippet
from search.words import Term, tsquery, tsquery_of_best, tsvector

AT_ONCE = 500
# Whoever searches a room waits for so many events to be indexed; a room that is further behind is left to the chore.
MOST_WAITED_FOR = 4 * AT_ONCE
CHORE_SECONDS = 40
LONGEST = 4_000


# Of whom one blocked nothing is found, but where nobody else talks. Ranked are the newest so many of what fits: as in
# postgres.py, ranking every hit of a common word takes too long.
CANDIDATES = 1000
_FOUND = """m.id, m.room_id, m.seq, m.body, m.extra, m.created_at, a.handle, a.name AS author_name,
           r.kind AS room_kind, coalesce(g.name, r.name) AS room_name, g.slug AS group_slug, g.name AS group_name"""
_ABOUT_IT = """JOIN message m ON m.id = d.message_id
      JOIN room r ON r.id = m.room_id
      JOIN member a ON a.id = m.author_id
      LEFT JOIN groups g ON g.id = r.group_id"""
_ASKED_FOR = "d.words @@ $1::tsquery AND ($2::bigint IS NULL OR d.room_id = $2)"
_MAY_BE_TOLD = f"""($3::bigint IS NULL OR r.group_id = $3)
       AND m.deleted_at IS NULL AND {readable_rooms("r", "$4")} AND {in_sight("message", "m.id")}
       AND ((r.kind = 'direct' AND (SELECT count(*) FROM room_member n WHERE n.room_id = r.id) = 2)
            OR {is_wanted("m.author_id", "$4")})"""
_NEWEST = f"""
    SELECT {_FOUND} FROM search_message d {_ABOUT_IT}
     WHERE {_ASKED_FOR} AND {_MAY_BE_TOLD} AND ($5::bigint IS NULL OR m.id < $5)
     ORDER BY m.id DESC LIMIT """
# Each word counts, a whole one more than its stem; much of it in few words counts more; and so do the very words asked.
# The candidates are taken from the index alone: joined first, 30,000 messages were sorted for them (200 ms).
_BEST = f"""
    WITH fitting AS MATERIALIZED (
        SELECT d.message_id, d.words FROM search_message d
         WHERE {_ASKED_FOR} AND d.room_id IN (
               SELECT r.id FROM room r WHERE ($3::bigint IS NULL OR r.group_id = $3) AND {readable_rooms("r", "$4")})
         ORDER BY d.message_id DESC LIMIT {CANDIDATES})
    SELECT * FROM (
        SELECT {_FOUND}, round((ts_rank('{{0.05, 0.2, 0.4, 1.0}}', d.words, $5::tsquery, 1)
                         + CASE WHEN position(lower($6) IN lower(m.body)) > 0 THEN 0.1 ELSE 0 END
                        )::numeric, 6)::float8 AS score
          FROM fitting d {_ABOUT_IT} WHERE {_MAY_BE_TOLD}) scored
     WHERE $7::float8 IS NULL OR (score, id) < ($7::float8, $8::bigint)
     ORDER BY score DESC, id DESC LIMIT """


async def find(
    viewer: Viewer,
    text: str,
    asked: list[Term],
    *,
    room_id: int | None,
    group_id: int | None,
    newest: bool,
    cursor: str | None,
    limit: int,
) -> SearchAnswer:
    """What holds every word, in a room, in the room of a group, or in all rooms the viewer may read: what fits best
    first, or the newest."""
    if room_id is not None and room_id not in await rooms_to_read(viewer, [room_id]):
        return SearchAnswer(items=[], facets=Facets(), engine="postgres")
    if room_id is not None:
        await catch_up(room_id, most=MOST_WAITED_FOR)
    where = (tsquery(asked), room_id, group_id, viewer.member_id)
    if newest:
        (before,) = decode(cursor, (int,)) or (None,)
        rows = await db.fetch(f"{_NEWEST}{limit + 1:d}", *where, before)
        page = cut(rows, limit, lambda row: (row["id"],))
    else:
        after = decode(cursor, (float, int)) or (None, None)
        async with db.transaction():
            # A rare word wants another plan than a common one; one plan for all took 280 ms instead of 50.
            await db.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            rows = await db.fetch(f"{_BEST}{limit + 1:d}", *where, tsquery_of_best(asked), text.strip(), *after)
        page = cut(rows, limit, lambda row: (row["score"], row["id"]))
    return SearchAnswer(
        items=[_hit(row, asked) for row in page.items], facets=Facets(), next=page.next, engine="postgres"
    )


async def catch_up(room_id: int, *, most: int = AT_ONCE) -> int:
    """Bring up to `most` events of a room into the index; how many. Who is second waits, and finds it done."""
    done = 0
    while done < most:
        taken = await _take_some(room_id)
        done += taken
        if taken < AT_ONCE:
            break
    return done


async def catch_up_everywhere(*, seconds: float = CHORE_SECONDS, progress: Callable[[int], None] | None = None) -> int:
    """Every room that moved since; how many events. What does not fit into the time is for the next turn."""
    until, done = time.monotonic() + seconds, 0
    rooms = await db.fetch(
        """SELECT r.id FROM room r LEFT JOIN search_room s ON s.room_id = r.id
            WHERE r.seq > coalesce(s.seq, 0) ORDER BY r.seq - coalesce(s.seq, 0), r.id"""
    )
    for room in rooms:
        while taken := await _take_some(room["id"]):
            done += taken
            if progress:
                progress(taken)
            if time.monotonic() > until:
                return done
    return done


async def forget_everything() -> None:
    """Begin anew, at every room's first event."""
    async with db.transaction():
        await db.execute("DELETE FROM search_room")
        await db.execute("DELETE FROM search_message")


async def _take_some(room_id: int) -> int:
    async with db.transaction():
        await db.execute("INSERT INTO search_room (room_id, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING", room_id)
        seq = await db.fetch_val("SELECT seq FROM search_room WHERE room_id = $1 FOR UPDATE", room_id)
        events = await db.fetch(
            f"SELECT seq, message_id FROM room_event WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT {AT_ONCE}",
            room_id,
            seq,
        )
        if not events:
            return 0
        await _index(room_id, sorted({event["message_id"] for event in events if event["message_id"]}))
        await db.execute("UPDATE search_room SET seq = $2 WHERE room_id = $1", room_id, events[-1]["seq"])
    return len(events)


async def _index(room_id: int, message_ids: list[int]) -> None:
    """The words of these messages as they are now. Of one that is gone, not even its words stay."""
    rows = await db.fetch(
        "SELECT id, body, extra FROM message WHERE id = ANY($1::bigint[]) AND deleted_at IS NULL", message_ids
    )
    words = await asyncio.to_thread(lambda: [tsvector("", _text(row)) for row in rows])
    there = {row["id"] for row in rows}
    await db.execute(
        "DELETE FROM search_message WHERE message_id = ANY($1::bigint[])",
        [message_id for message_id in message_ids if message_id not in there],
    )
    await db.execute(
        """INSERT INTO search_message (message_id, room_id, words)
           SELECT id, $1, words::tsvector FROM unnest($2::bigint[], $3::text[]) AS t(id, words)
           ON CONFLICT (message_id) DO UPDATE SET words = excluded.words
                 WHERE search_message.words <> excluded.words""",
        room_id,
        [row["id"] for row in rows],
        words,
    )


def _text(row: asyncpg.Record) -> str:
    names = " ".join(file["name"] for file in row["extra"].get("files", ()))
    return f"{excerpt(row['body'], LONGEST)} {names}".strip()


def _hit(row: asyncpg.Record, asked: list[Term]) -> Hit:
    title = row["author_name"] if row["room_kind"] == "direct" else row["room_name"]
    return Hit(
        kind="message",
        id=str(row["id"]),
        title=title,
        title_html=str(highlighted(title, [])),
        snippet=str(snippet(_text(row), asked)),
        url=f"/chat/{row['room_id']}?around={row['seq']}#message-{row['id']}",
        lang="",
        updated_at=row["created_at"],
        group=HitGroup(row["group_slug"], row["group_name"]) if row["group_slug"] else None,
        author=HitAuthor(row["handle"], row["author_name"], False),
    )
