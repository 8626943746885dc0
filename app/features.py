"""The list of what this server offers. A feature is wired here, in the order of the house, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.edge import RawRoute
from community.groups.api import GroupApi
from community.groups.pages import GroupPages
from community.members.api import MemberApi
from community.sessions.api import SessionApi
from community.sessions.pages import SessionPages
from frontend import assets
from referrals.clicks import redirect, writer
from storefront.catalog.api import CatalogApi

# Pages: cookie session, CSRF, HTML.
PAGES: list = [
    SessionPages,
    GroupPages,
]

# JSON under /api/v1: bearer token, no cookies.
API: list = [
    MemberApi,
    SessionApi,
    GroupApi,
    CatalogApi,
]

# Doors with neither a viewer nor a form: webhooks, static files, embeds, the socket.
BARE: list = [
    assets.serve,
]

# Raw ASGI routes by path prefix, for what must be fastest.
RAW_ROUTES: dict[str, RawRoute] = {redirect.PREFIX: redirect.answer}


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """What runs beside the requests of a web process (the live hub, the click writer)."""
    async with writer.running():
        yield
