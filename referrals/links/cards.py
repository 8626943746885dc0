"""What a chat app shows of a link before anybody opens it: the title and picture of the thing, and who may earn."""

import asyncpg
import msgspec

from app import db
from app.auth import STRANGER
from app.errors import Problem
from app.i18n import gettext as _
from app.text import excerpt
from community.groups.policy import access_group_contents
from community.moderation.queries import in_sight
from community.topics.policy import access_topic
from content.live_events.policy import access_event
from content.live_events.queries import slug_of_room


class Card(msgspec.Struct, frozen=True):
    title: str
    text: str = ""
    image_url: str = ""


async def card_of(link: asyncpg.Record) -> Card:
    """The card of a link. What a stranger may not read stays unsaid, since a preview is seen by anyone."""
    kind, target_id = link["target_kind"], link["target_id"]
    if kind == "product":
        row = await db.fetch_one("SELECT title, description, picture FROM product WHERE id = $1", target_id)
        found = Card(row["title"], excerpt(row["description"]), row["picture"]) if row else None
    elif kind == "review":
        row = await db.fetch_one(
            f"""SELECT p.title, p.picture, r.body FROM review r JOIN product p ON p.id = r.product_id
                 WHERE r.id = $1 AND {in_sight("review", "r.id")}""",
            target_id,
        )
        found = Card(row["title"], excerpt(row["body"]), row["picture"]) if row else None
    elif kind == "guide":
        row = await db.fetch_one(
            f"SELECT g.title, g.summary FROM guide g WHERE g.id = $1 AND {in_sight('guide', 'g.id')}", target_id
        )
        found = Card(row["title"], excerpt(row["summary"])) if row else None
    elif kind in ("topic", "group", "room"):
        found = await _of_conversation(kind, target_id)
    else:
        found = None
    return found or Card(_("Shared on Grapevine"))


async def _of_conversation(kind: str, target_id: int) -> Card | None:
    try:
        if kind == "topic":
            topic = await access_topic(STRANGER, target_id)
            return Card(topic["title"], topic["group_name"])
        if kind == "room" and (live := await slug_of_room(target_id)):
            event = await access_event(STRANGER, live)
            return Card(event["title"], excerpt(event["summary"]))
        column = "g.id" if kind == "group" else "r.id"
        slug = await db.fetch_val(
            f"SELECT g.slug FROM groups g LEFT JOIN room r ON r.group_id = g.id WHERE {column} = $1", target_id
        )
        group = await access_group_contents(STRANGER, slug or "")
        return Card(group["name"], excerpt(group["description"]))
    except Problem:
        return None
