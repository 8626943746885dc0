"""Holding a product up gives its card the host's own link, so that the room's purchases are the host's."""

import asyncpg

from app import db
from app.auth import Viewer
from content.live_events import pins, policy
from content.live_events.schemas import NewPin
from referrals.links.schemas import NewLink
from referrals.links.service import share


async def pin(viewer: Viewer, slug: str, new: NewPin) -> int:
    """Hold the product up, by a link of the host's that tells this event's buyers from others; the pin's id."""
    event = await policy.access_own_event(viewer, slug)
    link, _is_new = await share(viewer, NewLink(f"product:{new.product}", placement=placement_of(event)))
    async with db.transaction():
        pin_id = await pins.pin(viewer, slug, new)
        await db.execute(
            "INSERT INTO live_pin_link (pin_id, link_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", pin_id, link["id"]
        )
    return pin_id


def placement_of(event: asyncpg.Record) -> str:
    """What the link is called among the host's others; the same, whatever the event is called later."""
    return f"live: {event['slug']}"[:60]
