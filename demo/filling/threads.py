"""Topics, posts, reactions and what was said in the rooms, with everything that the services derive from them."""

import hashlib
from uuid import UUID

from app import db
from app.text import chat_markdown, slugify
from community.topics.events import PostWritten
from community.topics.heat import heat
from community.topics.jobs import tell_members
from community.topics.mentions import rendered
from demo.filling.rows import Filling, copy_in, go_to, take_ids

DAY = 86400
BELLS_OF_DAYS = 12


async def write_threads(f: Filling) -> None:
    """In the order of time, so that ids rise with it."""
    topics = [(group, n, topic) for group in f.content.groups for n, topic in enumerate(group.topics, 1)]
    topics.sort(key=lambda place: -place[2].posts[0].ago)
    for (group, n, _), topic_id in zip(topics, await take_ids("topic", len(topics)), strict=True):
        f.topics[group.slug, n] = topic_id
    await copy_in(
        "topic",
        "id group_id author_id kind title slug post_count reaction_count heat created_at active_at",
        [
            (
                f.topics[group.slug, n],
                f.groups[group.slug],
                f.members[topic.posts[0].by],
                topic.kind,
                topic.title,
                slugify(topic.title, "topic"),
                len(topic.posts),
                sum(len(post.reactions) for post in topic.posts),
                0.0,
                f.at(topic.posts[0].ago),
                f.at(topic.posts[-1].ago),
            )
            for group, n, topic in topics
        ],
    )
    await db.execute(f"UPDATE topic SET heat = {heat('post_count', 'reaction_count', 'created_at', 'active_at')}")
    posts = [
        (f.topics[group.slug, n], number, post)
        for group, n, topic in topics
        for number, post in enumerate(topic.posts, 1)
    ]
    posts.sort(key=lambda place: -place[2].ago)
    for (topic_id, number, _), post_id in zip(posts, await take_ids("post", len(posts)), strict=True):
        f.posts[topic_id, number] = post_id
    await copy_in(
        "post",
        "id topic_id number author_id reply_to_id body html created_at",
        [
            (
                f.posts[topic_id, number],
                topic_id,
                number,
                f.members[post.by],
                f.posts[topic_id, post.reply_to] if post.reply_to else None,
                post.body,
                await rendered(post.body),
                f.at(post.ago),
            )
            for topic_id, number, post in posts
        ],
    )
    rng = f.rng("reactions")
    await copy_in(
        "reaction",
        "post_id member_id emoji created_at",
        [
            (
                f.posts[topic_id, number],
                f.members[reaction.by],
                reaction.emoji,
                f.at(int(post.ago * rng.uniform(0.3, 0.99))),
            )
            for topic_id, number, post in posts
            for reaction in post.reactions
        ],
    )


async def write_chats(f: Filling) -> None:
    rng = f.rng("chats")
    messages, pointers = [], []
    for group in f.content.groups:
        room_id = f.rooms[group.slug]
        for seq, line in enumerate(group.chat, 1):
            told = (room_id, f.members[line.by], UUID(int=rng.getrandbits(128), version=4))
            mark = hashlib.sha256(f"\n{line.body}".encode()).digest()
            messages.append((*told, mark, seq, line.body, chat_markdown(line.body), f.at(line.ago)))
        for handle in group.members:
            behind = rng.choice((0, 0, 1, 3, 5)) if handle != "jonas" else 0
            read = max(len(group.chat) - behind, 0)
            pointers.append((room_id, f.members[handle], read, read))
    messages.sort(key=lambda message: message[-1])
    await copy_in("message", "room_id author_id client_id fingerprint seq body html created_at", messages)
    await db.execute(
        """INSERT INTO room_event (room_id, seq, said, kind, message_id, author_id, data, at)
           SELECT room_id, seq, seq, 'message', id, author_id, '{}', created_at FROM message ORDER BY id"""
    )
    await copy_in("read_pointer", "room_id member_id seq said", pointers)


async def ring_bells(f: Filling) -> None:
    """The posts of the last days ring for whoever they answer; what is older than a day was read."""
    recent = [
        (post.ago, group.slug, n, number)
        for group in f.content.groups
        for n, topic in enumerate(group.topics, 1)
        for number, post in enumerate(topic.posts, 1)
        if post.ago < BELLS_OF_DAYS * DAY
    ]
    for ago, slug, n, number in sorted(recent, reverse=True):
        go_to(f.at(ago))
        topic_id = f.topics[slug, n]
        told = PostWritten(post_id=f.posts[topic_id, number], topic_id=topic_id, group_id=f.groups[slug], number=number)
        await tell_members(told)
    # Bells rang for orders before; a list is read by id, as time would have given them.
    await db.execute(
        """UPDATE notification n SET id = -placed.place
             FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM notification) placed
            WHERE placed.id = n.id"""
    )
    await db.execute("UPDATE notification SET id = -id")
    await db.execute(
        "UPDATE notification SET read_at = created_at + interval '3 hours' WHERE created_at < $1", f.at(DAY)
    )
