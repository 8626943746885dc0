from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.idempotency import once
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.payouts import claims, examples, methods, queries
from referrals.payouts.claims import Figures, FiguresChanged
from referrals.payouts.schemas import (
    MethodList,
    MethodView,
    NewMethod,
    NewPayout,
    PayoutList,
    PayoutView,
    QuoteList,
)
from referrals.payouts.views import method_view, payout_view, quote_view
from storefront.stores.queries import store_by_slug


class PayoutApi(Controller):
    path = "/payouts"
    tags = ["earn"]

    @get("", summary="Your payouts, newest first", opt=door(gives=examples.payouts, scope="read"))
    async def index(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> PayoutList:
        page = await queries.payouts_of(viewer, cursor=after, limit=limit_of(limit))
        return PayoutList([payout_view(row) for row in page.items], page.next)

    @get("/quotes", summary="What a payout would be, by store and rail", opt=door(gives=examples.quotes, scope="read"))
    async def quotes(self, viewer: NamedDependency[Viewer]) -> QuoteList:
        """Everything available to you now, and for each way of being paid what it would cost and bring."""
        offers = await queries.offers_to(require_member(viewer, "read"))
        return QuoteList([quote_view(store["slug"], one) for store, quotes in offers for one in quotes])

    @post(
        "",
        summary="Take out what is available at a store",
        opt=door(
            takes=examples.new_payout,
            gives=examples.payout,
            refuses=(NotFound, Conflict, FiguresChanged),
            scope="write",
            once=True,
        ),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[PayoutView]:
        """`amount` and `receives` are those of the quote. Store credit is settled at once; money waits for the
        store's next batch, which two people approve."""
        member_id = require_member(viewer)
        asked = await json_body(request, NewPayout)
        store = await store_by_slug(asked.store)

        async def ask_once() -> int:
            shown = Figures(asked.amount, asked.receives)
            return await claims.ask_for_payout(viewer, store, asked.currency, asked.rail, shown)

        payout_id = await once(request, member_id, int, ask_once)
        return Response(payout_view(await queries.access_payout(viewer, payout_id)), status_code=201)

    @get("/{payout_id:int}", summary="One payout", opt=door(gives=examples.payout, scope="read", refuses=(NotFound,)))
    async def show(self, viewer: NamedDependency[Viewer], payout_id: FromPath[int]) -> PayoutView:
        return payout_view(await queries.access_payout(viewer, payout_id))

    @delete(
        "/{payout_id:int}",
        summary="Take a waiting payout back",
        opt=door(scope="write", refuses=(NotFound, Conflict)),
    )
    async def take_back(self, viewer: NamedDependency[Viewer], payout_id: FromPath[int]) -> None:
        """Until a batch has taken it. The money is available again."""
        await claims.take_back(viewer, payout_id)


class PayoutMethodApi(Controller):
    path = "/payout-methods"
    tags = ["earn"]

    @get("", summary="The accounts your payouts may go to", opt=door(gives=examples.methods, scope="read"))
    async def index(self, viewer: NamedDependency[Viewer]) -> MethodList:
        return MethodList([method_view(row) for row in await methods.methods_of(require_member(viewer, "read"))])

    @post(
        "",
        summary="Be paid at this account from now on",
        opt=door(takes=examples.new_method, gives=examples.method, scope="write"),
    )
    async def add(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[MethodView]:
        """Takes the place of your account of the same rail. It can be paid to after 72 hours, and you hear of it by
        mail. A token alone is not enough: the password is asked for as well."""
        member_id = require_member(viewer)
        asked = await json_body(request, NewMethod)
        await methods.add_method(viewer, asked.rail, asked.details, password=asked.password)
        row = await methods.live_method(member_id, asked.rail)
        assert row is not None
        return Response(method_view(row), status_code=201)

    @delete("/{method_id:int}", summary="Pay nothing there any more", opt=door(scope="write", refuses=(NotFound,)))
    async def remove(self, viewer: NamedDependency[Viewer], method_id: FromPath[int]) -> None:
        await methods.remove_method(viewer, method_id)
