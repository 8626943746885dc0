import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from app.text import clean, slugify
from community.groups.policy import access_group
from community.topics import policy
from community.topics.addresses import topic_url
from community.topics.events import PostEdited, PostWritten, TopicOpened, TopicRetitled
from community.topics.heat import heat
from community.topics.mentions import rendered
from community.topics.schemas import LONGEST_POST, LONGEST_TITLE, NewTopic, PostMade, TopicMade

HEAT_AFTER_POST = heat("post_count + 1", "reaction_count", "created_at", "$2::timestamptz")


async def open_topic(viewer: Viewer, group_slug: str, new: NewTopic) -> TopicMade:
    """Begin a topic with its first post. Announces TopicOpened and PostWritten."""
    member_id = require_member(viewer)
    group = await access_group(viewer, group_slug)
    policy.check_may_write(group)
    title = clean(new.title, "title", least=3, most=LONGEST_TITLE)
    body = checked_body(new.body)
    html = await rendered(body)
    slug, now = slugify(title, "topic"), clock.now()
    async with db.transaction():
        topic_id = await db.fetch_val(
            f"""INSERT INTO topic (group_id, author_id, kind, title, slug, post_count, reaction_count, heat,
                                   created_at, active_at)
                VALUES ($1, $2, $3, $4, $5, 1, 0, {heat("1", "0", "$6::timestamptz", "$6")}, $6, $6) RETURNING id""",
            group["id"],
            member_id,
            new.kind,
            title,
            slug,
            now,
        )
        post_id = await _insert_post(topic_id, 1, member_id, None, body, html)
        await db.execute(
            "UPDATE groups SET topic_count = topic_count + 1, active_at = $2 WHERE id = $1", group["id"], now
        )
        await publish(TopicOpened(topic_id=topic_id, group_id=group["id"], post_id=post_id), actor_id=member_id)
        await publish(
            PostWritten(post_id=post_id, topic_id=topic_id, group_id=group["id"], number=1), actor_id=member_id
        )
    return TopicMade(id=str(topic_id), slug=slug, url=topic_url(group["slug"], topic_id, slug))


async def reply(viewer: Viewer, topic_id: int, body: str, *, reply_to_id: int | None = None) -> PostMade:
    """Write the next post of a topic. Announces PostWritten."""
    member_id = require_member(viewer)
    topic = await policy.access_topic(viewer, topic_id)
    policy.check_may_write(topic)
    body = checked_body(body)
    html = await rendered(body)
    now = clock.now()
    async with db.transaction():
        if reply_to_id is not None:
            await _check_same_topic(reply_to_id, topic_id)
        # The row lock of this update makes the number: two replies at once get one each, and none is left out.
        number = await db.fetch_val(
            f"""UPDATE topic SET post_count = post_count + 1, active_at = $2, heat = {HEAT_AFTER_POST}
                 WHERE id = $1 RETURNING post_count""",
            topic_id,
            now,
        )
        post_id = await _insert_post(topic_id, number, member_id, reply_to_id, body, html)
        # To the minute is enough for the order of groups, and keeps busy topics of one group apart.
        await db.execute(
            "UPDATE groups SET active_at = $2 WHERE id = $1 AND active_at < $2::timestamptz - interval '1 minute'",
            topic["group_id"],
            now,
        )
        await publish(
            PostWritten(post_id=post_id, topic_id=topic_id, group_id=topic["group_id"], number=number),
            actor_id=member_id,
        )
    return PostMade(id=str(post_id), number=number, html=html)


async def edit(viewer: Viewer, post_id: int, body: str, *, title: str | None = None) -> asyncpg.Record:
    """Change one's own post, and with the first one the title. The address keeps working: ids lead, words follow."""
    member_id = require_member(viewer)
    post = await policy.access_post(viewer, post_id)
    policy.check_may_edit(viewer, post)
    body = checked_body(body)
    html = await rendered(body)
    async with db.transaction():
        if post["number"] == 1 and title is not None and title != post["title"]:
            await _retitle(post["topic_id"], clean(title, "title", least=3, most=LONGEST_TITLE), member_id)
        if body != post["body"]:
            await db.execute(
                "UPDATE post SET body = $2, html = $3, edited_at = $4 WHERE id = $1", post_id, body, html, clock.now()
            )
            await publish(
                PostEdited(post_id=post_id, topic_id=post["topic_id"], number=post["number"]), actor_id=member_id
            )
    return post


async def _retitle(topic_id: int, title: str, member_id: int) -> None:
    await db.execute("UPDATE topic SET title = $2, slug = $3 WHERE id = $1", topic_id, title, slugify(title, "topic"))
    await publish(TopicRetitled(topic_id=topic_id), actor_id=member_id)


async def _insert_post(
    topic_id: int, number: int, author_id: int, reply_to_id: int | None, body: str, html: str
) -> int:
    return await db.fetch_val(
        """INSERT INTO post (topic_id, number, author_id, reply_to_id, body, html, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
        topic_id,
        number,
        author_id,
        reply_to_id,
        body,
        html,
        clock.now(),
    )


async def _check_same_topic(post_id: int, topic_id: int) -> None:
    if not await db.fetch_val("SELECT 1 FROM post WHERE id = $1 AND topic_id = $2", post_id, topic_id):
        raise Invalid("reply_to", _("The post you answer is not in this topic."))


def checked_body(body: str) -> str:
    return clean(body, "body", least=1, most=LONGEST_POST, lines=True)
