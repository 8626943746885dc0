"""Who is called by a message: `@handle`, `@room` by those who run it, and whoever is answered."""

import re

import asyncpg

from app import db
from app.text import chat_markdown, excerpt
from community.chat import policy, reads
from community.notifications.service import notify, requote, rung_for
from community.privacy.queries import no_block_between
from community.topics.mentions import link_mentions, mentioned

EVERYBODY = "room"
# A bell for each of more than these would take minutes, and mean nothing.
MOST_CALLED = 2_000
_TO_EVERYBODY = re.compile(r'<a href="/@room">(@room)</a>', re.IGNORECASE)


def rendered(body: str) -> str:
    """Safe HTML of a message, with the members it names linked."""
    html = chat_markdown(body)
    if "@" not in html:
        return html
    return _TO_EVERYBODY.sub(r'<strong class="called">\1</strong>', link_mentions(html))


def calls(body: str, reply_to: int | None) -> bool:
    """Whether somebody may have to be told of it."""
    return reply_to is not None or ("@" in body and bool(mentioned(body)))


async def tell(message_id: int) -> None:
    """Ring the bells of those a message calls, and count it in their rooms; each once, however often it is changed.

    Only readers of the room hear of it, never those who muted it, nor who has read it by now.
    """
    async with db.transaction():
        # Alone with it: words that are changed or taken back in this moment are told after this, and then it counts.
        await db.execute("SELECT 1 FROM message WHERE id = $1 FOR NO KEY UPDATE", message_id)
        message = await _message(message_id)
        if message is None:
            return
        called = await _called(message, mentioned(message["body"]))
        fresh = await db.fetch(
            """INSERT INTO message_mention (message_id, member_id) SELECT $1, id FROM unnest($2::bigint[]) AS m(id)
               ON CONFLICT DO NOTHING RETURNING member_id""",
            message_id,
            sorted(called),
        )
        await _take_back(message, called)
        await reads.mention(message["room_id"], [row["member_id"] for row in fresh], message["seq"])
    assert message is not None
    loud = await reads.who_hears(message["room_id"], called) if called else set()
    if message["kind"] == "direct":
        return  # Where few talk, the bell rings for every word; see community.direct.
    # Not only those who are new to it: the job may have been cut off after it had counted them.
    quoted = excerpt(message["body"], 140)
    source = f"message:{message_id}"
    # Whoever was shown out since it rang reads no new words in their bell.
    await requote(source, quoted, to=await policy.readers_among(message["room_id"], await rung_for(source)))
    for member_id in sorted(loud - await _have_read(message, sorted(loud))):
        await notify(
            member_id,
            "reply" if member_id == message["answered_id"] else "mention",
            source=source,
            url=f"/chat/{message['room_id']}?around={message['seq']}#message-{message_id}",
            data={
                "name": message["name"],
                "handle": message["handle"],
                "title": message["room"],
                "excerpt": quoted,
            },
            by=message["author_id"],
        )


async def _take_back(message: asyncpg.Record, called: list[int]) -> None:
    """Whom it calls no longer, since it was changed, has nothing to look for there."""
    gone = await db.execute(
        "DELETE FROM message_mention WHERE message_id = $1 AND member_id <> ALL($2::bigint[])", message["id"], called
    )
    if gone:
        await reads.take_back_mentions(message["room_id"], message["seq"])
        await reads.mention(message["room_id"], called, message["seq"])


async def _message(message_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT m.id, m.room_id, m.seq, m.author_id, m.body, a.name, a.handle,
                  coalesce(g.name, r.name) AS room, r.kind,
                  q.author_id AS answered_id,
                  EXISTS (SELECT 1 FROM membership ms WHERE ms.group_id = r.group_id AND ms.member_id = m.author_id
                                                        AND ms.role IN ('owner', 'moderator'))
                      OR EXISTS (SELECT 1 FROM room_member rm WHERE rm.room_id = r.id AND rm.member_id = m.author_id
                                                                AND rm.role IN ('host', 'moderator')) AS runs_it
             FROM message m
             JOIN room r ON r.id = m.room_id
             JOIN member a ON a.id = m.author_id
             LEFT JOIN groups g ON g.id = r.group_id
             LEFT JOIN message q ON q.id = m.reply_to_id
            WHERE m.id = $1 AND m.deleted_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM hiding h WHERE h.subject_kind = 'message' AND h.subject_id = m.id)""",
        message_id,
    )


async def _called(message: asyncpg.Record, names: list[str]) -> list[int]:
    """The members it calls who may read the room; not its author, who blocked them, or is only asked to talk."""
    everybody = EVERYBODY in names and message["runs_it"]
    rows = await db.fetch(
        f"""SELECT id FROM member WHERE lower(handle) = ANY($2::text[]) OR id = $3
            UNION SELECT ms.member_id FROM room r JOIN membership ms ON ms.group_id = r.group_id
                   WHERE r.id = $1 AND $4 AND ms.state = 'active'
            UNION SELECT rm.member_id FROM room_member rm WHERE rm.room_id = $1 AND $4 AND rm.state = 'active'
            LIMIT {MOST_CALLED}""",
        message["room_id"],
        [name for name in names if name != EVERYBODY],
        message["answered_id"],
        everybody,
    )
    wanted = {row["id"] for row in rows} - {message["author_id"]}
    readers = await policy.readers_among(message["room_id"], sorted(wanted)) if wanted else set()
    if not readers:
        return []
    rows = await db.fetch(
        f"""SELECT m.id FROM unnest($2::bigint[]) AS m(id)
             WHERE {no_block_between("m.id", "$3::bigint")} AND NOT EXISTS (
                   SELECT 1 FROM room_member rm
                    WHERE rm.room_id = $1 AND rm.member_id = m.id AND rm.state <> 'active')""",
        message["room_id"],
        sorted(readers),
        message["author_id"],
    )
    return [row["id"] for row in rows]


async def _have_read(message: asyncpg.Record, member_ids: list[int]) -> set[int]:
    rows = await db.fetch(
        "SELECT member_id FROM read_pointer WHERE room_id = $1 AND member_id = ANY($2::bigint[]) AND seq >= $3",
        message["room_id"],
        member_ids,
        message["seq"],
    )
    return {row["member_id"] for row in rows}
