import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.idempotency import once
from app.limits import limit
from app.web import form, form_again, fragment, header_safe, is_htmx, page, redirect
from community.groups.policy import access_group, can_read, may_post
from community.groups.queries import members_of
from community.topics import mentions, policy, queries, reactions, service
from community.topics.addresses import id_in, post_url, start_of_page, topic_url
from community.topics.schemas import EMOJIS, Edit, NewPostForm, NewTopicForm, PostMade, Sign, TopicMade

NEW, EDIT = "community/topics/new.html", "community/topics/edit.html"


class GroupHome(Controller):
    """A group as one finds it: what it is about, who is in it, what is talked about, and the door to a new topic."""

    path = "/g/{slug:str}"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        group = await access_group(viewer, slug)
        if not can_read(group):
            return page(request, viewer, "community/topics/closed.html", group=group)
        sort = sort_of(request)
        topics = await queries.topics_of(group["id"], sort=sort, cursor=request.query_params.get("after"))
        members, room_id = await members_of(group["id"]), await queries.room_of_group(group["id"])
        return page(
            request,
            viewer,
            "community/topics/group.html",
            made_from=(group, topics, members, room_id),
            group=group,
            sort=sort,
            topics=topics,
            members=members,
            room_id=room_id,
        )

    @get("/new")
    async def show_new(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        require_member(viewer)
        group = await access_group(viewer, slug)
        policy.check_may_write(group)
        return page(request, viewer, NEW, group=group, values={}, problem=None)

    @post("/new")
    async def open_topic(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        member_id = require_member(viewer)
        group = await access_group(viewer, slug)
        try:
            new = await form(request, NewTopicForm)
            await limit("open-topic", member_id, most=30, per=3600)
            made = await once(request, member_id, TopicMade, lambda: service.open_topic(viewer, slug, new))
        except Problem as problem:
            return await form_again(request, viewer, NEW, problem, group=group)
        return redirect(made.url)


class ThreadPages(Controller):
    """A topic, twenty posts a page. `after` is the number of the last post of the page before."""

    path = "/g/{slug:str}/t/{thread:str}"
    include_in_schema = False

    @get("/")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], thread: FromPath[str]
    ) -> Response:
        topic = await policy.access_topic(viewer, id_in(thread))
        if (slug, thread) != (topic["group_slug"], f"{topic['id']}-{topic['slug']}"):
            return redirect(_kept_query(request, topic), status=301)
        after = _after(request, topic["post_count"])
        posts = await queries.posts_of(viewer, topic["id"], after=after)
        answers = _number(request, "reply_to")
        return page(
            request,
            viewer,
            "community/topics/thread.html",
            topic=topic,
            made_from=(topic, posts),
            posts=posts,
            after=after,
            pages=_pages(topic["post_count"], after),
            answers=answers if answers <= topic["post_count"] else 0,
            emojis=EMOJIS,
            may_post=may_post(topic),
        )

    @post("/posts")
    async def reply(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], thread: FromPath[str]
    ) -> Response:
        member_id = require_member(viewer)
        topic = await policy.access_topic(viewer, id_in(thread))
        try:
            new = await form(request, NewPostForm)
            await limit("post", member_id, most=60, per=60, cost=mentions.effort(new.body))
            made = await once(
                request,
                member_id,
                PostMade,
                lambda: service.reply(viewer, topic["id"], new.body, reply_to_id=new.reply_to),
            )
        except Problem as problem:
            if is_htmx(request):
                raise
            return await form_again(request, viewer, "community/topics/reply.html", problem, topic=topic, emojis=EMOJIS)
        if is_htmx(request):
            return await _appended(request, viewer, topic, made, shown=new.shown)
        return redirect(post_url(topic["group_slug"], topic["id"], topic["slug"], made.number))


class PostPages(Controller):
    path = "/posts/{post_id:int}"
    include_in_schema = False

    @get("/")
    async def find(self, request: Request, viewer: NamedDependency[Viewer], post_id: FromPath[int]) -> Response:
        """The post's place in its thread, for links that only know its id."""
        row = await policy.access_post(viewer, post_id)
        return redirect(_url_of(row), status=302)

    @get("/edit")
    async def show_edit(self, request: Request, viewer: NamedDependency[Viewer], post_id: FromPath[int]) -> Response:
        require_member(viewer)
        row = await policy.access_post(viewer, post_id)
        policy.check_may_edit(viewer, row)
        values = {"body": row["body"], "title": row["title"]}
        return page(request, viewer, EDIT, post=row, values=values, problem=None, post_url=_url_of(row))

    @post("/edit")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], post_id: FromPath[int]) -> Response:
        member_id = require_member(viewer)
        row = await policy.access_post(viewer, post_id)
        try:
            changed = await form(request, Edit)
            await limit("edit", member_id, most=60, per=60, cost=mentions.effort(changed.body))
            await service.edit(viewer, post_id, changed.body, title=changed.title or None)
        except Problem as problem:
            return await form_again(request, viewer, EDIT, problem, post=row, post_url=_url_of(row))
        return redirect(_url_of(await policy.access_post(viewer, post_id)))

    @post("/reactions")
    async def react(self, request: Request, viewer: NamedDependency[Viewer], post_id: FromPath[int]) -> Response:
        await limit("react", require_member(viewer), most=120, per=60)
        row = await reactions.react(viewer, post_id, (await form(request, Sign)).emoji)
        return await _reactions_shown(request, viewer, row)

    @post("/reactions/end")
    async def take_back(self, request: Request, viewer: NamedDependency[Viewer], post_id: FromPath[int]) -> Response:
        await limit("react", require_member(viewer), most=120, per=60)
        row = await reactions.take_back(viewer, post_id, (await form(request, Sign)).emoji)
        return await _reactions_shown(request, viewer, row)


@post("/preview", include_in_schema=False)
async def preview(request: Request, viewer: NamedDependency[Viewer]) -> Response:
    """What this Markdown will look like (htmx, under the form it is typed in)."""
    member_id, written = require_member(viewer), await form(request, NewPostForm)
    await limit("preview", member_id, most=60, per=60, cost=mentions.effort(written.body))
    html = await mentions.rendered(service.checked_body(written.body)) if written.body.strip() else ""
    return fragment(request, viewer, "community/topics/_preview.html", html=html)


def sort_of(request: Request) -> queries.Sort:
    asked = request.query_params.get("sort")
    return asked if asked in queries.SORTS else "hot"


async def _appended(request: Request, viewer: Viewer, topic: asyncpg.Record, made: PostMade, *, shown: int) -> Response:
    """What the page lacks, up to the new post, and a fresh composer; or the page on which the post stands."""
    posts = await queries.posts_of(viewer, topic["id"], after=shown)
    if not any(post["number"] == made.number for post in posts):
        response = fragment(request, viewer, "community/topics/_preview.html", html="")
        response.headers["HX-Redirect"] = header_safe(
            post_url(topic["group_slug"], topic["id"], topic["slug"], made.number)
        )
        return response
    template = "community/topics/_appended.html"
    return fragment(request, viewer, template, is_fragment=True, topic=topic, posts=posts, emojis=EMOJIS)


async def _reactions_shown(request: Request, viewer: Viewer, row: asyncpg.Record) -> Response:
    if not is_htmx(request):
        return redirect(_url_of(row))
    shown = await queries.post_shown(viewer, row["id"])
    return fragment(request, viewer, "community/topics/_reactions_shown.html", post=shown, emojis=EMOJIS)


def _url_of(post: asyncpg.Record) -> str:
    return post_url(post["group_slug"], post["topic_id"], post["topic_slug"], post["number"])


def _kept_query(request: Request, topic: asyncpg.Record) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return topic_url(topic["group_slug"], topic["id"], topic["slug"]) + (f"?{query}" if query else "")


def _after(request: Request, post_count: int) -> int:
    """The start of a page that exists, whatever the address says; `?post=37` finds the page of that post."""
    if number := _number(request, "post"):
        return start_of_page(min(number, post_count))
    return min(_number(request, "after"), start_of_page(post_count))


def _number(request: Request, name: str) -> int:
    given = request.query_params.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _pages(post_count: int, after: int) -> dict[str, int | None]:
    """The `after=` of the neighbours and the last page; None where there is none."""
    last = start_of_page(post_count)
    size = queries.POSTS_A_PAGE
    return {
        "previous": max(after - size, 0) if after else None,
        "next": after + size if after + size < post_count else None,
        "last": last if after < last else None,
        "number": after // size + 1,
        "count": last // size + 1,
    }
