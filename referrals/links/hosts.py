"""Further hosts that a store vouches for: its blog, its booking site. Links may lead there, and earn."""

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from referrals.links import closures
from referrals.links.domains import checked_host
from referrals.links.events import HostAllowed, HostForbidden, LinkClosed
from storefront.stores.policy import access_own_store

MOST = 50


async def allow(viewer: Viewer, store_slug: str, host: str) -> str:
    """Let links lead to a host too. Allowing it twice changes nothing. The host as it is kept."""
    store, host = await access_own_store(viewer, store_slug), checked_host(host)
    await limit("store-host", store["id"], most=100, per=3600)
    if len(await hosts_of(store["id"])) >= MOST:
        raise Conflict(_("A store vouches for at most %(most)s hosts. Remove one first.", most=MOST))
    async with db.transaction():
        added = await db.execute(
            """INSERT INTO store_host (store_id, host, added_by_id, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            store["id"],
            host,
            viewer.member_id,
            clock.now(),
        )
        if added:
            await publish(HostAllowed(store_id=store["id"], host=host), actor_id=viewer.member_id)
    return host


async def forbid(viewer: Viewer, store_slug: str, host: str) -> int:
    """No longer vouch for a host. Links that lead there are switched off in the same commit; how many."""
    store = await access_own_store(viewer, store_slug)
    host = host.strip().lower()
    async with db.transaction():
        gone = await db.execute("DELETE FROM store_host WHERE store_id = $1 AND host = $2", store["id"], host)
        closed = await closures.close(await _links_to(store, host), viewer.member_id) if gone else []
        for link in closed:
            await publish(LinkClosed(link_id=link["id"], owner_id=link["owner_id"]), actor_id=viewer.member_id)
        if gone:
            forbidden = HostForbidden(store_id=store["id"], host=host, closed=len(closed))
            await publish(forbidden, actor_id=viewer.member_id)
    return len(closed)


async def hosts_of(store_id: int) -> list[str]:
    rows = await db.fetch("SELECT host FROM store_host WHERE store_id = $1 ORDER BY host", store_id)
    return [row["host"] for row in rows]


async def _links_to(store: asyncpg.Record, host: str) -> list[int]:
    """A link of the store's, or one that is no store's, may lead there by itself or by one of its routes."""
    origin = f"https://{host}"
    if origin == store["origin"].lower():
        return []
    rows = await db.fetch(
        """SELECT id FROM link
            WHERE disabled_at IS NULL AND (store_id = $1 OR store_id IS NULL) AND EXISTS (
                  SELECT 1 FROM (SELECT destination
                       UNION ALL SELECT r ->> 'destination' FROM jsonb_array_elements(
                                 coalesce(routes -> 'rules', '[]') || coalesce(routes -> 'split', '[]')) r) d(leads)
                   WHERE substring(lower(d.leads) FROM '^https?://[^/?#]*') = $2)
            ORDER BY id FOR UPDATE""",
        store["id"],
        origin,
    )
    return [row["id"] for row in rows]
