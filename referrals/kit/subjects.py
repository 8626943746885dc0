"""What a link is about, as anybody may see it: the words, the price and the picture of a poster or a greeting."""

from collections.abc import Awaitable, Callable

import asyncpg
import msgspec

from app import clock, db
from app.auth import STRANGER
from app.disclosure import market_of
from app.errors import Gone, NotFound
from app.i18n import gettext as _
from app.money import Money
from app.text import excerpt
from community.groups.policy import access_group, can_read
from community.moderation.queries import in_sight
from community.topics.policy import access_topic
from content.live_events.policy import access_event
from content.live_events.queries import slug_of_room
from referrals.links.passing import EARLY, closed_because, key_of
from referrals.links.queries import link_by_code
from referrals.programs.queries import version_at
from referrals.programs.terms import Friend, terms_of

QUOTED = 220


class Subject(msgspec.Struct, frozen=True):
    title: str
    quote: str = ""
    """Words of its own for where there is no picture."""
    price: Money | None = None
    store: str = ""
    picture: str = ""
    """The path of a picture of ours."""
    tags: tuple[str, ...] = ()
    """What it would be filed under: brand and category."""


class Offer(msgspec.Struct, frozen=True):
    """What the programme behind a link says to a reader: its market, and what a friend gets."""

    market: str = ""
    friend: Friend | None = None
    currency: str = ""


async def open_link(code: str) -> asyncpg.Record:
    """The link of a code for a poster or a greeting; NotFound, or Gone when its owner closed it."""
    link = await link_by_code(code)
    if link is None:
        raise NotFound(_("There is no link with this code. It may have been mistyped."))
    # Posters are printed before the day on which a link opens.
    if closed_because(link, clock.now()) not in ("", EARLY):
        raise Gone(_("Whoever shared this link has switched it off."))
    return link


async def subject_of(link: asyncpg.Record) -> Subject:
    """What a stranger may see of it: a poster hangs where everybody passes. Whatever they may not see is not there."""
    if key_of(link):
        return Subject(_("For those who know the password"))
    find = FINDERS.get(link["target_kind"])
    found = await find(link["target_id"]) if find else None
    if found is not None:
        return found
    if find is not None:
        raise NotFound()
    store = await db.fetch_val("SELECT name FROM store WHERE id = $1", link["store_id"]) if link["store_id"] else ""
    return Subject(store or _("Come and talk about what you buy"), _("Word of mouth, credited."))


async def offer_of(link: asyncpg.Record) -> Offer:
    if link["store_id"] is None:
        return Offer()
    currency = await db.fetch_val("SELECT currency FROM store WHERE id = $1", link["store_id"])
    version = await version_at(link["store_id"], clock.now())
    if version is None:
        return Offer(market_of(currency))
    terms = terms_of(version)
    return Offer(market_of(terms.market or currency), terms.friend, terms.currency or currency)


async def _product(product_id: int) -> Subject | None:
    row = await db.fetch_one(
        """SELECT p.title, p.description, p.price, p.currency, p.picture, p.brand, p.category, s.name AS store
             FROM product p JOIN store s ON s.id = p.store_id WHERE p.id = $1 AND p.withdrawn_at IS NULL""",
        product_id,
    )
    if row is None:
        return None
    price = Money(row["price"], row["currency"]) if row["price"] else None
    tags = tuple(filter(None, (row["brand"], row["category"].rpartition("/")[2].strip())))
    return Subject(row["title"], excerpt(row["description"], QUOTED), price, row["store"], row["picture"], tags)


async def _review(review_id: int) -> Subject | None:
    row = await db.fetch_one(
        f"""SELECT p.title, r.body FROM review r JOIN product p ON p.id = r.product_id
             WHERE r.id = $1 AND {in_sight("review", "r.id")}""",
        review_id,
    )
    return Subject(row["title"], excerpt(row["body"], QUOTED)) if row else None


async def _guide(guide_id: int) -> Subject | None:
    """With the picture of its first product that has one."""
    row = await db.fetch_one(
        f"""SELECT g.title, g.summary, coalesce((
                  SELECT p.picture FROM guide_product gp JOIN product p ON p.id = gp.product_id
                   WHERE gp.guide_id = g.id AND p.picture <> '' ORDER BY gp.position LIMIT 1), '') AS picture
             FROM guide g WHERE g.id = $1 AND {in_sight("guide", "g.id")}""",
        guide_id,
    )
    return Subject(row["title"], excerpt(row["summary"], QUOTED), picture=row["picture"]) if row else None


async def _topic(topic_id: int) -> Subject | None:
    topic = await access_topic(STRANGER, topic_id)
    said = await db.fetch_val(
        f"SELECT left(p.body, 900) FROM post p WHERE p.topic_id = $1 AND p.number = 1 AND {in_sight('post', 'p.id')}",
        topic_id,
    )
    return Subject(topic["title"], excerpt(said or topic["group_name"], QUOTED))


async def _group(group_id: int) -> Subject | None:
    return await _public_group("g.id", group_id)


async def _room(room_id: int) -> Subject | None:
    if live := await slug_of_room(room_id):
        event = await access_event(STRANGER, live)
        return Subject(event["title"], excerpt(event["summary"], QUOTED))
    return await _public_group("r.id", room_id)


async def _public_group(column: str, number: int) -> Subject | None:
    slug = await db.fetch_val(
        f"SELECT g.slug FROM groups g LEFT JOIN room r ON r.group_id = g.id WHERE {column} = $1 LIMIT 1", number
    )
    group = await access_group(STRANGER, slug or "")
    return Subject(group["name"], excerpt(group["description"], QUOTED)) if can_read(group) else None


FINDERS: dict[str, Callable[[int], Awaitable[Subject | None]]] = {
    "product": _product,
    "review": _review,
    "guide": _guide,
    "topic": _topic,
    "group": _group,
    "room": _room,
}
