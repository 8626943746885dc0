"""What of each kind can be found: documents made from the rows as they are now. What is hidden makes none."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app import db
from app.text import excerpt
from community.moderation.queries import in_sight
from community.topics.addresses import topic_url
from community.topics.policy import listed_topics
from content.guides.queries import guides_by_ids
from content.live_events.queries import events_by_ids
from content.reviews.queries import review_url, reviews_by_ids
from search.engine import Document

# Enough for any review or guide; of a long topic its opening and its latest posts.
MOST_BODY = 40_000
POSTS = 150


async def documents_of(kind: str, ids: Sequence[int]) -> list[Document]:
    """The documents of these rows; those that are gone, withdrawn or hidden are left out."""
    return await MAKERS[kind](list(ids))


async def ids_after(kind: str, last: int, limit: int) -> list[int]:
    """The next ids of a kind, for walking through all of them."""
    rows = await db.fetch(f"SELECT id FROM {TABLES[kind]} WHERE id > $1 ORDER BY id LIMIT $2", last, limit)
    return [row["id"] for row in rows]


async def how_many() -> int:
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in TABLES.values())
    return await db.fetch_val(f"SELECT {counts}")


async def _groups(ids: list[int]) -> list[Document]:
    rows = await db.fetch("SELECT id, slug, name, description, lang, active_at FROM groups WHERE id = ANY($1)", ids)
    return [
        Document(
            "group",
            row["id"],
            row["name"],
            _plain(row["description"]),
            f"/g/{row['slug']}",
            row["active_at"],
            lang=row["lang"],
            group_id=row["id"],
        )
        for row in rows
    ]


async def _topics(ids: list[int]) -> list[Document]:
    rows = await db.fetch(
        f"""SELECT t.id, t.title, t.slug, t.group_id, t.active_at, g.slug AS group_slug,
                   (SELECT string_agg(few.body, E'\\n\\n' ORDER BY few.number)
                      FROM (SELECT p.number, p.body FROM post p
                             WHERE p.topic_id = t.id AND {in_sight("post", "p.id")}
                             ORDER BY p.number = 1 DESC, p.number DESC LIMIT {POSTS}) few) AS body
              FROM topic t
              JOIN groups g ON g.id = t.group_id
              JOIN post f ON f.topic_id = t.id AND f.number = 1
             WHERE t.id = ANY($1) AND {listed_topics("t", "f")}""",
        ids,
    )
    return [
        Document(
            "topic",
            row["id"],
            row["title"],
            _plain(row["body"]),
            topic_url(row["group_slug"], row["id"], row["slug"]),
            row["active_at"],
            group_id=row["group_id"],
        )
        for row in rows
    ]


async def _products(ids: list[int]) -> list[Document]:
    rows = await db.fetch(
        """SELECT id, slug, title, description, brand, category, updated_at FROM product
            WHERE id = ANY($1) AND withdrawn_at IS NULL""",
        ids,
    )
    return [
        Document(
            "product",
            row["id"],
            row["title"],
            " · ".join(filter(None, (row["brand"], row["category"], _plain(row["description"])))),
            f"/p/{row['slug']}",
            row["updated_at"],
            product_id=row["id"],
        )
        for row in rows
    ]


async def _reviews(ids: list[int]) -> list[Document]:
    return [
        Document(
            "review",
            row["id"],
            row["title"] or row["product_title"],
            _plain(row["body"]),
            review_url(row["product_slug"], row["id"]),
            row["edited_at"] or row["created_at"],
            lang=row["lang"],
            product_id=row["product_id"],
        )
        for row in await reviews_by_ids(ids)
    ]


async def _guides(ids: list[int]) -> list[Document]:
    return [
        Document(
            "guide",
            row["id"],
            row["title"],
            _plain("\n\n".join((row["summary"], *_said_in(row["blocks"])))),
            f"/guides/{row['slug']}",
            row["checked_at"],
            lang=row["lang"],
        )
        for row in await guides_by_ids(ids)
    ]


async def _live(ids: list[int]) -> list[Document]:
    """Events with what their hosts said in them. One of a closed group is found by who may read the group."""
    return [
        Document(
            "live",
            row["id"],
            row["title"],
            _plain("\n\n".join((row["summary"], row["said"] or ""))),
            f"/live/{row['slug']}" + ("/replay" if row["state"] == "ended" else ""),
            row["went_live_at"] or row["starts_at"],
            lang=row["lang"],
            group_id=row["group_id"],
        )
        for row in await events_by_ids(ids)
    ]


def _said_in(blocks: Any) -> list[str]:
    """Every text of a guide's blocks, but neither their HTML nor their product ids."""
    if isinstance(blocks, str):
        return [blocks]
    if isinstance(blocks, dict):
        blocks = [value for key, value in blocks.items() if key not in ("type", "html", "product")]
    return [text for block in blocks for text in _said_in(block)] if isinstance(blocks, list) else []


def _plain(source: str | None) -> str:
    return excerpt(source or "", MOST_BODY)


TABLES = {
    "group": "groups",
    "topic": "topic",
    "product": "product",
    "review": "review",
    "guide": "guide",
    "live": "live_event",
}
MAKERS: dict[str, Callable[[list[int]], Awaitable[list[Document]]]] = {
    "group": _groups,
    "topic": _topics,
    "product": _products,
    "review": _reviews,
    "guide": _guides,
    "live": _live,
}
