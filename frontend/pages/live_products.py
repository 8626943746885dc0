"""Products for the desk of a live event: found by their names, like everywhere else, or by their address."""

import asyncpg

from app.auth import Viewer
from content.live_events.forms import slug_in
from content.reviews.shelf import products_by_ids, products_by_slugs, shelf
from search.service import search

SHOWN, SUGGESTED = 8, 3


async def products_to_show(viewer: Viewer, event: asyncpg.Record, q: str) -> list[asyncpg.Record]:
    """What can be held up and is called so, best first; without a question the newest."""
    if event["state"] not in ("planned", "live"):
        return []
    q = q.strip()[:200]
    if not q:
        ids = [product["id"] for product in (await shelf(limit=SUGGESTED)).products.items]
    else:
        named = await products_by_slugs([slug_in(q)])
        found = await search(viewer, q, kind="product", limit=SHOWN) if not named else None
        ids = [*named, *(int(hit.id) for hit in found.items)] if found else list(named)
    cards = await products_by_ids(ids)
    return [cards[id] for id in ids if id in cards and cards[id]["withdrawn_at"] is None]
