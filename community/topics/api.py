from urllib.parse import unquote

import asyncpg
import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Forbidden, Gone, Invalid
from app.idempotency import once
from app.limits import limit as rate_limit
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from community.groups.policy import access_group_contents
from community.topics import examples, mentions, policy, queries, reactions, service
from community.topics.addresses import post_url, topic_url
from community.topics.schemas import (
    Author,
    NewPost,
    NewTopic,
    PostMade,
    Posts,
    PostView,
    ReactionCount,
    Reactions,
    TopicMade,
    Topics,
    TopicView,
)


class TopicApi(Controller):
    tags = ["topics"]

    @post(
        "/groups/{slug:str}/topics",
        summary="Open a topic",
        status_code=201,
        opt=door(takes=examples.new_topic, gives=examples.topic_made, scope="write", once=True),
    )
    async def open_topic(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Response[TopicMade]:
        """With its first post in Markdown. Takes an Idempotency-Key."""
        member_id = require_member(viewer)
        await rate_limit("open-topic", member_id, most=120, per=3600)
        new = await json_body(request, NewTopic)
        made = await once(request, member_id, TopicMade, lambda: service.open_topic(viewer, slug, new))
        return Response(made, status_code=201)

    @get(
        "/groups/{slug:str}/topics",
        summary="Topics of a group: hot, new or top",
        opt=door(gives=examples.topics, refuses=(Forbidden, Invalid)),
    )
    async def list_topics(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        sort: FromQuery[str] = "hot",
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Topics:
        group = await access_group_contents(viewer, slug)
        shown = await queries.topics_of(group["id"], sort=_sort(sort), cursor=after, limit=limit_of(limit))
        return Topics([_topic_view(row, group["slug"]) for row in shown.items], shown.next)

    @get("/topics/{topic_id:int}", summary="A topic", opt=door(gives=examples.topic, refuses=(Forbidden, Gone)))
    async def show_topic(self, viewer: NamedDependency[Viewer], topic_id: FromPath[int]) -> TopicView:
        topic = await policy.access_topic(viewer, topic_id)
        return _topic_view(topic, topic["group_slug"])

    @get(
        "/topics/{topic_id:int}/posts",
        summary="Posts of a topic in their order",
        opt=door(gives=examples.posts, refuses=(Forbidden, Gone)),
    )
    async def list_posts(
        self,
        viewer: NamedDependency[Viewer],
        topic_id: FromPath[int],
        after: FromQuery[int | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Posts:
        """`after` is the number of the last post seen."""
        topic = await policy.access_topic(viewer, topic_id)
        most = limit_of(limit)
        rows = await queries.posts_of(viewer, topic_id, after=after or 0, limit=most + 1)
        items = [_post_view(viewer, row, topic) for row in rows[:most]]
        return Posts(items, str(items[-1].number) if len(rows) > most else None)

    @post(
        "/topics/{topic_id:int}/posts",
        summary="Reply",
        status_code=201,
        opt=door(takes=examples.new_post, gives=examples.post_made, refuses=(Gone,), scope="write", once=True),
    )
    async def reply(
        self, request: Request, viewer: NamedDependency[Viewer], topic_id: FromPath[int]
    ) -> Response[PostMade]:
        """In Markdown; `reply_to` is the id of the post it answers. Takes an Idempotency-Key."""
        member_id = require_member(viewer)
        new = await json_body(request, NewPost)
        await rate_limit("post", member_id, most=60, per=60, cost=mentions.effort(new.body))
        answered = _id(new.reply_to, "reply_to")
        made = await once(
            request, member_id, PostMade, lambda: service.reply(viewer, topic_id, new.body, reply_to_id=answered)
        )
        return Response(made, status_code=201)


class ReactionApi(Controller):
    path = "/posts/{post_id:int}/reactions/{emoji:str}"
    tags = ["topics"]

    @put(
        summary="React to a post",
        opt=door(gives=examples.reactions, refuses=(Gone, Invalid), scope="write"),
    )
    async def react(self, viewer: NamedDependency[Viewer], post_id: FromPath[int], emoji: FromPath[str]) -> Reactions:
        """Again changes nothing."""
        await rate_limit("react", require_member(viewer), most=120, per=60)
        await reactions.react(viewer, post_id, unquote(emoji))
        return await _counts(viewer, post_id)

    @delete(
        summary="Take a reaction back",
        status_code=200,
        opt=door(gives=examples.reactions, refuses=(Gone, Invalid), scope="write"),
    )
    async def take_back(
        self, viewer: NamedDependency[Viewer], post_id: FromPath[int], emoji: FromPath[str]
    ) -> Reactions:
        """Again changes nothing."""
        await rate_limit("react", require_member(viewer), most=120, per=60)
        await reactions.take_back(viewer, post_id, unquote(emoji))
        return await _counts(viewer, post_id)


async def _counts(viewer: Viewer, post_id: int) -> Reactions:
    shown = await queries.post_shown(viewer, post_id)
    return Reactions(msgspec.convert(shown["reactions"], list[ReactionCount]))


def _topic_view(row: asyncpg.Record, group_slug: str) -> TopicView:
    return TopicView(
        id=str(row["id"]),
        slug=row["slug"],
        url=topic_url(group_slug, row["id"], row["slug"]),
        group=group_slug,
        kind=row["kind"],
        title=row["title"],
        author=_author(row["author"]),
        post_count=row["post_count"],
        reaction_count=row["reaction_count"],
        created_at=row["created_at"],
        active_at=row["active_at"],
    )


def _post_view(viewer: Viewer, row: asyncpg.Record, topic: asyncpg.Record) -> PostView:
    withheld = row["hidden"] is not None and not policy.may_see_hidden(viewer, row)
    return PostView(
        id=str(row["id"]),
        number=row["number"],
        author=_author(row["author"]),
        body=None if withheld else row["body"],
        html=None if withheld else row["html"],
        reply_to=str(row["reply_to_id"]) if row["reply_to_id"] else None,
        reactions=msgspec.convert(row["reactions"], list[ReactionCount]),
        hidden=row["hidden"],
        url=post_url(topic["group_slug"], topic["id"], topic["slug"], row["number"]),
        created_at=row["created_at"],
        edited_at=row["edited_at"],
    )


def _author(author: dict) -> Author:
    return Author(str(author["id"]), author["handle"], author["name"])


def _sort(asked: str) -> queries.Sort:
    if asked not in queries.SORTS:
        raise Invalid("sort", f"One of {', '.join(queries.SORTS)}.")
    return asked


def _id(given: str | int | None, field: str) -> int | None:
    if given is None or given == "":
        return None
    given = str(given)
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Invalid(field, "This is not an id of ours.")
    return int(given)
