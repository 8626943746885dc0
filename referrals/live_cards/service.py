"""Holding a product up gives its card the own link of who holds it up, so that the room's purchases are theirs.

Of several hosts, who held a product up first in an event keeps its card for as long as they host: taking it down and
holding it up again moves nobody's credit to somebody else.
"""

import asyncpg

from app import db
from app.auth import Viewer
from content.live_events import pins, policy
from content.live_events.schemas import NewPin
from referrals.links.schemas import NewLink
from referrals.links.service import share


async def pin(viewer: Viewer, slug: str, new: NewPin) -> int:
    """Hold the product up, by a link that tells this event's buyers from others; the pin's id."""
    event = await policy.access_event_to_run(viewer, slug)
    link, _is_new = await share(viewer, NewLink(f"product:{new.product}", placement=placement_of(event)))
    async with db.transaction():
        pin_id = await pins.pin(viewer, slug, new)
        # Alone with the event since the pin: of two hosts who hold up one thing at once, the second finds the first.
        await db.execute(
            "INSERT INTO live_pin_link (pin_id, link_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            pin_id,
            await _kept_link(event, pin_id) or link["id"],
        )
    return pin_id


async def _kept_link(event: asyncpg.Record, pin_id: int) -> int | None:
    """The link by which a host of this event held up the same product before."""
    return await db.fetch_val(
        """SELECT l.id FROM live_pin now
             JOIN live_pin p ON p.event_id = now.event_id AND p.product_id = now.product_id
             JOIN live_pin_link c ON c.pin_id = p.id JOIN link l ON l.id = c.link_id AND l.disabled_at IS NULL
            WHERE now.id = $1 AND (l.owner_id = $2 OR EXISTS (
                  SELECT 1 FROM room_member rm WHERE rm.room_id = $3 AND rm.member_id = l.owner_id
                     AND rm.role = 'host' AND rm.state = 'active'))
            ORDER BY c.id LIMIT 1""",
        pin_id,
        event["host_id"],
        event["room_id"],
    )


def placement_of(event: asyncpg.Record) -> str:
    """What the link is called among the host's others; the same, whatever the event is called later."""
    return f"live: {event['slug']}"[:60]
