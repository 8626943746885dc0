import asyncpg

from app.auth import Viewer, require_member
from app.errors import Forbidden
from app.i18n import gettext as _
from storefront.stores.queries import store_by_slug


async def access_own_store(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The store, for its owner and for admins."""
    require_member(viewer)
    store = await store_by_slug(slug)
    if not may_run(viewer, store):
        raise Forbidden(_("Only the owner of this store may do this."))
    return store


def may_run(viewer: Viewer, store: asyncpg.Record) -> bool:
    return viewer.is_admin or (viewer.is_member and store["owner_id"] == viewer.member_id)
