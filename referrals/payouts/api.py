from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.idempotency import once
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.payouts import claims, examples, methods, queries, rates
from referrals.payouts.claims import Figures, FiguresChanged
from referrals.payouts.schemas import (
    MethodList,
    MethodView,
    NewMethod,
    NewPayout,
    NewRateTold,
    PayoutList,
    PayoutView,
    QuoteList,
    RateList,
    RateView,
)
from referrals.payouts.views import method_view, payout_view, quote_view, rate_view
from storefront.stores.policy import access_own_store
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
            shown = Figures(asked.amount, asked.receives, asked.arrives)
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
        await methods.add_method(viewer, asked.rail, asked.details, password=asked.password, currency=asked.currency)
        row = await methods.live_method(member_id, asked.rail)
        assert row is not None
        return Response(method_view(row), status_code=201)

    @delete("/{method_id:int}", summary="Pay nothing there any more", opt=door(scope="write", refuses=(NotFound,)))
    async def remove(self, viewer: NamedDependency[Viewer], method_id: FromPath[int]) -> None:
        await methods.remove_method(viewer, method_id)


class PayoutRateApi(Controller):
    path = "/stores/{slug:str}/payout-rates"
    tags = ["earn"]

    @get("", summary="The rates a store pays out by, newest first", opt=door(gives=examples.rates, scope="read"))
    async def index(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> RateList:
        """For the store's owner and admins. A rate is used at a payout and nowhere else."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        page = await rates.rates_of(store["id"], cursor=after, limit=limit_of(limit))
        return RateList([rate_view(row) for row in page.items], page.next)

    @post(
        "",
        summary="Tell a rate for payouts from now on",
        opt=door(takes=examples.new_rate, gives=examples.rate, scope="write", once=True),
    )
    async def tell(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[RateView]:
        """Nothing changes a rate afterwards: a slip is told anew, and the rate taken last counts. Older than seven days
        it pays nobody. Whoever told a rate is not paid by it."""
        store = await access_own_store(viewer, slug)
        told = await json_body(request, NewRateTold)

        async def tell_once() -> int:
            new = rates.NewRate(told.base, told.quote, told.rate, told.source, told.taken_at or clock.now())
            return await rates.tell_rate(viewer, slug, new)

        rate_id = await once(request, require_member(viewer), int, tell_once)
        page = await rates.rates_of(store["id"], cursor=None, limit=1, rate_id=rate_id)
        return Response(rate_view(page.items[0]), status_code=201)
