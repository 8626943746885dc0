import asyncpg
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound, TooMany
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.commissions.causes import causes_of
from referrals.commissions.queries import commissions_of
from referrals.earn import examples
from referrals.earn.funnels import Funnel, funnels_of
from referrals.earn.origin import explain_commission
from referrals.earn.queries import access_decision, summary_of
from referrals.earn.schemas import CommissionList, CommissionWhy, FunnelList, LinkFunnel, Summary, Why
from referrals.earn.why import commission_view, explain, without_order
from referrals.links.queries import links_of
from referrals.objections import examples as objection_examples
from referrals.objections.queries import view_of
from referrals.objections.schemas import Objecting, ObjectionView
from referrals.objections.service import object_to


class EarnApi(Controller):
    path = "/earn"
    tags = ["earn"]

    @get(
        "/summary",
        summary="What you are owed, by currency and bucket",
        opt=door(gives=examples.summary, scope="read"),
    )
    async def summary(self, viewer: NamedDependency[Viewer]) -> Summary:
        return await summary_of(require_member(viewer, "read"))

    @get(
        "/commissions",
        summary="Your commissions, newest first",
        opt=door(gives=examples.commissions, scope="read"),
    )
    async def commissions(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> CommissionList:
        """`amount` is what stands after refunds."""
        page = await commissions_of(require_member(viewer, "read"), cursor=after, limit=limit_of(limit))
        causes = await causes_of(without_order(page.items))
        return CommissionList([commission_view(row, causes.get(row["id"])) for row in page.items], page.next)

    @get(
        "/commissions/{number:str}/why",
        summary="Why one commission is yours",
        opt=door(gives=examples.commission_why, scope="read"),
    )
    async def commission(self, viewer: NamedDependency[Viewer], number: FromPath[str]) -> CommissionWhy:
        """What it came from, by which rules, each step and entry. Who bought, or joined, is never named."""
        return await explain_commission(viewer, number)

    @get(
        "/funnel",
        summary="What came of each of your links",
        opt=door(gives=examples.funnels, scope="read"),
    )
    async def funnel(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> FunnelList:
        """Newest link first: people who clicked (machines apart), who joined, leads, orders, refunds, what is left."""
        member_id = require_member(viewer, "read")
        page = await links_of(member_id, cursor=after, limit=limit_of(limit))
        funnels = await funnels_of(member_id, [link["id"] for link in page.items])
        return FunnelList([_funnel_view(link, funnels[link["id"]]) for link in page.items], page.next)

    @get(
        "/orders/{ref:str}/why",
        summary="Why you did, or did not, earn from an order",
        opt=door(gives=examples.why, scope="read", refuses=(Conflict,)),
    )
    async def why(
        self, viewer: NamedDependency[Viewer], ref: FromPath[str], store: FromQuery[str | None] = None
    ) -> Why:
        """`ref` is the store's order id. Only who was a candidate sees it; the buyer is never named.

        Stores number alike: when several orders of yours are called so, it is 409 until you name the `store`.
        """
        return await explain(viewer, ref, store or "")

    @post(
        "/orders/{ref:str}/objection",
        summary="Object to how an order was decided",
        status_code=201,
        opt=door(
            takes=objection_examples.objecting,
            gives=objection_examples.objection,
            refuses=(NotFound, Conflict, TooMany),
            scope="write",
        ),
    )
    async def object(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        ref: FromPath[str],
        store: FromQuery[str | None] = None,
    ) -> ObjectionView:
        """Once for each decision that was not in your favour, within 60 days. Who gains nothing by it answers."""
        require_member(viewer)
        decision = await access_decision(viewer, ref, store or "")
        return view_of(await object_to(viewer, decision, (await json_body(request, Objecting)).words))


def _funnel_view(link: asyncpg.Record, funnel: Funnel) -> LinkFunnel:
    return LinkFunnel(
        link["code"], link["clicks"], link["bots"], funnel.joined, funnel.orders, funnel.refunds, funnel.net,
        funnel.leads,
    )  # fmt: skip
