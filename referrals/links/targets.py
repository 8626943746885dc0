"""What can be shared. Each kind is found through the viewer, so nobody makes a link to what they may not see."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec

from app import db
from app.auth import Viewer
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from community.chat.policy import access_room
from community.groups.policy import access_group, access_group_contents
from community.topics.addresses import topic_url
from community.topics.policy import access_topic
from content.guides.policy import access_guide
from content.live_events.policy import access_event
from content.reviews.policy import access_review
from content.reviews.queries import review_url
from referrals.links.destinations import at_store, origin_of, own_path, path_if_ours


class Target(msgspec.Struct, frozen=True):
    kind: str
    id: int | None
    store_id: int | None
    """The store whose orders this link can earn from; None on our own pages: any store."""
    destination: str


async def resolve(viewer: Viewer, target: str) -> Target:
    """The thing a target names; NotFound when it is not there for this viewer, Invalid when it cannot be shared."""
    target = target.strip()
    if target.startswith("/"):
        return _page(target)
    kind, _colon, name = target.partition(":")
    if kind in KINDS:
        return await KINDS[kind](viewer, name)
    if path := path_if_ours(target):
        return _page(path)
    return await _store_address(target)


async def _product(viewer: Viewer, slug: str) -> Target:
    row = await db.fetch_one(
        "SELECT id, url, store_id FROM product WHERE slug = $1 AND withdrawn_at IS NULL",
        slug,
    )
    if row is None:
        raise NotFound(_("There is no such product."))
    return Target("product", row["id"], row["store_id"], await address_at(row["store_id"], row["url"]))


async def _guide(viewer: Viewer, slug: str) -> Target:
    guide = await access_guide(viewer, slug)
    return Target("guide", guide["id"], None, f"/guides/{quote(guide['slug'])}")


async def _topic(viewer: Viewer, name: str) -> Target:
    topic = await access_topic(viewer, _number(name))
    return Target("topic", topic["id"], None, topic_url(topic["group_slug"], topic["id"], topic["slug"]))


async def _review(viewer: Viewer, name: str) -> Target:
    review = await access_review(viewer, _number(name))
    return Target("review", review["id"], review["store_id"], review_url(review["product_slug"], review["id"]))


async def _group(viewer: Viewer, slug: str) -> Target:
    group = await access_group(viewer, slug)
    return Target("group", group["id"], None, f"/g/{group['slug']}")


async def _room(viewer: Viewer, name: str) -> Target:
    """A group's room, or that of a live event, which leads to the event. Where two talk alone nobody is led."""
    row = await db.fetch_one(
        """SELECT r.id, r.kind, g.slug, e.slug AS event FROM room r LEFT JOIN groups g ON g.id = r.group_id
             LEFT JOIN live_event e ON e.room_id = r.id WHERE r.id = $1 AND r.kind <> 'direct'""",
        _number(name),
    )
    if row is None:
        raise NotFound(_("There is no such room."))
    if row["event"]:
        event = await access_event(viewer, row["event"])
        return Target("room", event["room_id"], None, f"/live/{quote(event['slug'])}")
    if row["slug"]:
        await access_group_contents(viewer, row["slug"])
    return Target("room", (await access_room(viewer, row["id"]))["id"], None, f"/chat/{row['id']}")


async def _named_page(viewer: Viewer, path: str) -> Target:
    return _page(path)


def _page(path: str) -> Target:
    return Target("page", None, None, own_path(path))


async def _store_address(url: str) -> Target:
    """An address at a store: on its own origin, or on a further host that it vouches for."""
    origin = origin_of(url)
    row = await db.fetch_one(
        """SELECT id FROM store WHERE lower(origin) = $1
           UNION ALL
           SELECT store_id FROM store_host WHERE 'https://' || host = $1
            ORDER BY 1 LIMIT 1""",
        origin,
    )
    if row is None:
        raise Invalid("target", _("A link may only lead to this site or to the store's own address."))
    return Target("url", None, row["id"], at_store(url, origin))


async def address_at(store_id: int, url: str) -> str:
    """The URL, or Invalid unless this very store vouches for its host."""
    origin = origin_of(url)
    vouched = await db.fetch_val(
        """SELECT 1 FROM store WHERE id = $1 AND lower(origin) = $2
           UNION ALL
           SELECT 1 FROM store_host WHERE store_id = $1 AND 'https://' || host = $2 LIMIT 1""",
        store_id,
        origin,
    )
    if vouched is None:
        raise Invalid("target", _("A link may only lead to this site or to the store's own address."))
    return at_store(url, origin)


def _number(name: str) -> int:
    if not name.isascii() or not name.isdigit() or len(name) > 18:
        raise NotFound()
    return int(name)


KINDS: dict[str, Callable[[Viewer, str], Awaitable[Target]]] = {
    "product": _product,
    "guide": _guide,
    "topic": _topic,
    "review": _review,
    "group": _group,
    "room": _room,
    "page": _named_page,
}
