from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from app import clock, db
from app.auth import Viewer
from app.errors import NotFound
from app.i18n import gettext as _
from app.i18n import ngettext
from app.web import form, page, redirect
from storefront.connectors.api import limit_replays
from storefront.connectors.jobs import ask_soon
from storefront.connectors.queries import finds_of, held_orders, unapplied_of, wire_of
from storefront.connectors.refusals import refused_at
from storefront.connectors.service import replay
from storefront.connectors.silence import REMEMBERED, silent_stores
from storefront.orders.doubts import clear_doubt
from storefront.orders.words import doubt_words
from storefront.stores.policy import access_own_store


class Clearance(msgspec.Struct):
    note: Annotated[str, Meta(max_length=500)] = ""


class ConnectorPages(Controller):
    """What came from a shop and waits for a person."""

    path = "/admin/programs/{slug:str}/orders"
    include_in_schema = False

    @get()
    async def show(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        messages_after: FromQuery[str | None] = None,
        found_after: FromQuery[str | None] = None,
    ) -> Response:
        store = await access_own_store(viewer, slug)
        silent = next((one for one in await silent_stores(store["id"])), None)
        return page(
            request,
            viewer,
            "storefront/connectors/orders.html",
            store=store,
            doubt_words=doubt_words,
            wire=await wire_of(store["id"]),
            refused=await refused_at(store["id"]),
            silent=silent,
            held=await held_orders(store["id"], after),
            kept=await unapplied_of(store["id"], messages_after),
            finds=await finds_of(store["id"], found_after),
        )

    @post("/{order_id:int}/clearance")
    async def clear(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], order_id: FromPath[int]
    ) -> Response[str]:
        store = await access_own_store(viewer, slug)
        told = await form(request, Clearance)
        is_cleared = await clear_doubt(viewer, store, order_id, told.note)
        said = _("The order counts from now on.") if is_cleared else _("Nothing is in doubt about this order.")
        return redirect(_place(slug), flash=said)

    @post("/messages/{inbox_id:int}/replay")
    async def read_again(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], inbox_id: FromPath[int]
    ) -> Response[str]:
        store = await access_own_store(viewer, slug)
        await limit_replays(store)
        received_at = await db.fetch_val(
            "SELECT received_at FROM inbox WHERE id = $1 AND store_id = $2", inbox_id, store["id"]
        )
        if received_at is None:
            raise NotFound()
        queued = await replay(received_at, store_id=store["id"], inbox_id=inbox_id)
        return redirect(_place(slug), flash=_said(queued))

    @post("/messages/replay")
    async def read_all_again(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[str]:
        store = await access_own_store(viewer, slug)
        await limit_replays(store)
        queued = await replay(clock.now() - REMEMBERED, store_id=store["id"])
        return redirect(_place(slug), flash=_said(queued))

    @post("/pull")
    async def ask(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[str]:
        store = await access_own_store(viewer, slug)
        await ask_soon(store)
        return redirect(_place(slug), flash=_("The shop is being asked. What it says stands here in a moment."))


def _said(queued: int) -> str:
    return ngettext("%(n)s message is being read again.", "%(n)s messages are being read again.", queued)


def _place(slug: str) -> str:
    return f"/admin/programs/{slug}/orders"
