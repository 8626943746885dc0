"""A member as others see them: who they are, where they are, what they said last, as far as the viewer may read it."""

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import db
from app.auth import Viewer
from app.errors import NotFound
from app.text import excerpt
from app.web import page
from community.groups.policy import readable_groups
from community.members.queries import avatar_url, member_by_handle
from community.moderation.queries import in_sight
from community.privacy.queries import has_blocked
from community.sessions.queries import suspension_of
from community.topics.addresses import post_url
from content.reviews.evidence import shown
from content.reviews.queries import review_url, reviews_by
from frontend.pages.disclosure import terms_of

POSTS = 8
REVIEWS = 6
GROUPS = 12
GUIDES = 6


# The router takes a parameter for a whole segment only; what does not begin with @ is simply not there.
@get("/{at_handle:str}", include_in_schema=False)
async def show_profile(request: Request, viewer: NamedDependency[Viewer], at_handle: FromPath[str]) -> Response:
    if not at_handle.startswith("@") or len(at_handle) > 31:
        raise NotFound()
    member = await member_by_handle(at_handle[1:])
    reviews = await reviews_by(member["id"], limit=REVIEWS)
    return page(
        request,
        viewer,
        "frontend/profiles/show.html",
        member=dict(member) | {"avatar_url": avatar_url(member["avatar_key"])},
        is_suspended=await suspension_of(member["id"]) is not None,
        has_blocked=viewer.is_member and await has_blocked(viewer.member_id or 0, member["id"]),
        groups=await _groups_of(viewer, member["id"]),
        posts=await _posts_by(viewer, member["id"]),
        reviews=reviews,
        terms=await terms_of([review["store_id"] for review in reviews], [member["id"]]),
        evidence=shown,
        guides=await _guides_by(member["id"]),
        post_url=post_url,
        review_url=review_url,
        excerpt=excerpt,
    )


async def _groups_of(viewer: Viewer, member_id: int) -> list[asyncpg.Record]:
    """Their public groups, and closed or secret ones only to who is in them too."""
    return await db.fetch(
        f"""SELECT g.id, g.slug, g.name, g.member_count FROM membership own JOIN groups g ON g.id = own.group_id
             WHERE own.member_id = $1 AND own.state = 'active' AND {readable_groups("g", "$2")}
             ORDER BY g.active_at DESC LIMIT $3""",
        member_id,
        viewer.member_id,
        GROUPS,
    )


async def _posts_by(viewer: Viewer, member_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT p.id, p.number, left(p.body, 600) AS body, p.created_at, t.id AS topic_id, t.slug, t.title,
                   g.slug AS group_slug, g.name AS group_name
              FROM post p JOIN topic t ON t.id = p.topic_id JOIN groups g ON g.id = t.group_id
              JOIN post f ON f.topic_id = t.id AND f.number = 1
             WHERE p.author_id = $1 AND {readable_groups("g", "$2")}
               AND {in_sight("post", "p.id")} AND {in_sight("post", "f.id")} AND {in_sight("topic", "t.id")}
             ORDER BY p.id DESC LIMIT $3""",
        member_id,
        viewer.member_id,
        POSTS,
    )


async def _guides_by(member_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT g.slug, g.title, g.lang FROM guide g
             WHERE g.author_id = $1 AND {in_sight("guide", "g.id")} ORDER BY g.id DESC LIMIT $2""",
        member_id,
        GUIDES,
    )
