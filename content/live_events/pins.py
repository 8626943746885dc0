"""Products that the hosts hold up, with the price and the stock of the moment."""

from typing import Any

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict, NotFound
from app.i18n import gettext as _
from app.text import clean
from community.chat import writer
from content.live_events import policy
from content.live_events.schemas import NewPin

MOST_UP = 30


async def pin(viewer: Viewer, slug: str, new: NewPin) -> int:
    """Hold a product up; the pin's id. One that is up already keeps its pin, with the new note."""
    event = await policy.access_event_to_run(viewer, slug)
    note = clean(new.note, "note", most=200)
    product = await db.fetch_one("SELECT * FROM product WHERE slug = $1 AND withdrawn_at IS NULL", new.product)
    if product is None:
        raise NotFound(_("There is no such product."))
    async with db.transaction():
        await _on_stage(event["id"])
        up = await db.fetch_one(
            "SELECT id, note FROM live_pin WHERE event_id = $1 AND product_id = $2 AND unpinned_at IS NULL",
            event["id"],
            product["id"],
        )
        if up is not None and up["note"] == note:
            return up["id"]
        if up is not None:
            pin_id = up["id"]
            await db.execute("UPDATE live_pin SET note = $2 WHERE id = $1", pin_id, note)
        else:
            pin_id = await _put_up(event["id"], product["id"], note)
        await writer.append(
            event["room_id"],
            "room",
            author_id=viewer.member_id,
            data={"what": "pin", "pin": str(pin_id), "note": note, "product": facts_of(product)},
        )
    return pin_id


async def unpin(viewer: Viewer, slug: str, pin_id: int) -> bool:
    """Take it down; whether it was up."""
    event = await policy.access_event_to_tidy(viewer, slug)
    async with db.transaction():
        taken = await db.execute(
            "UPDATE live_pin SET unpinned_at = $3 WHERE id = $1 AND event_id = $2 AND unpinned_at IS NULL",
            pin_id,
            event["id"],
            clock.now(),
        )
        if taken:
            await writer.append(
                event["room_id"], "room", author_id=viewer.member_id, data={"what": "unpin", "pin": str(pin_id)}
            )
    return bool(taken)


async def tell_of_product(product_id: int) -> None:
    """The rooms in which this product is up hear its price and stock of now."""
    rooms = await db.fetch(
        """SELECT DISTINCT e.room_id FROM live_pin p JOIN live_event e ON e.id = p.event_id
            WHERE p.product_id = $1 AND p.unpinned_at IS NULL AND e.state IN ('planned', 'live')""",
        product_id,
    )
    for room in rooms:
        async with db.transaction():
            # Read only when alone with the room: of two that tell, the later one knows the newer price.
            await db.execute("SELECT 1 FROM room WHERE id = $1 FOR NO KEY UPDATE", room["room_id"])
            product = await db.fetch_one("SELECT * FROM product WHERE id = $1", product_id)
            if product is not None:
                await writer.append(room["room_id"], "room", data={"what": "product", "product": facts_of(product)})


def facts_of(product: asyncpg.Record) -> dict[str, Any]:
    """What a card says of the product, free of language."""
    return {
        "id": str(product["id"]),
        "slug": product["slug"],
        "title": product["title"],
        "picture": product["picture"],
        "price": {"amount": product["price"], "currency": product["currency"]} if product["price"] else None,
        "stock": product["stock"],
        "available": product["withdrawn_at"] is None and product["stock"] != 0,
    }


async def _on_stage(event_id: int) -> None:
    """Alone with the event, if things can still be held up there."""
    state = await db.fetch_val("SELECT state FROM live_event WHERE id = $1 FOR NO KEY UPDATE", event_id)
    if state not in ("planned", "live"):
        raise Conflict(_("The event is over."))


async def _put_up(event_id: int, product_id: int, note: str) -> int:
    if (
        await db.fetch_val("SELECT count(*) FROM live_pin WHERE event_id = $1 AND unpinned_at IS NULL", event_id)
        >= MOST_UP
    ):
        raise Conflict(_("At most %(n)s products at a time. Take one down first.", n=MOST_UP))
    return await db.fetch_val(
        "INSERT INTO live_pin (event_id, product_id, note, pinned_at) VALUES ($1, $2, $3, $4) RETURNING id",
        event_id,
        product_id,
        note,
        clock.now(),
    )
