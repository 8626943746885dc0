from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.openapi import door
from app.paging import limit_of
from referrals.campaigns import examples, figures, queries, reports
from referrals.campaigns.schemas import CampaignReport, Overview, PartnerLineList
from referrals.partners.applying import access_program
from storefront.stores.policy import access_own_store


class ProgramFiguresApi(Controller):
    """For a store's owner and for admins."""

    path = "/stores/{slug:str}"
    tags = ["earn"]

    @get("/program/overview", summary="A programme's figures", opt=door(gives=examples.overview, scope="read"))
    async def overview(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], days: FromQuery[int | None] = None
    ) -> Overview:
        """Of the last `days` (30 unless told, at most 366), by currency; sales stand after refunds."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        return await figures.overview_of(store["id"], min(max(days or 30, 1), 366))

    @get("/partners", summary="A store's partners and what came by them", opt=door(gives=examples.lines, scope="read"))
    async def partners(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        find: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> PartnerLineList:
        """Newest first. `find` finds a piece of a handle, name, tier or tag."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        program = await access_program(slug)
        search = (find or "")[:100].replace("\0", "")
        found = await reports.partner_lines(
            store["id"], program["id"], cursor=after, limit=limit_of(limit), search=search
        )
        return PartnerLineList(found.items, found.next)

    @get(
        "/campaigns/{campaign_id:int}/report",
        summary="What a campaign brought, and all that it cost",
        opt=door(gives=examples.report, scope="read"),
    )
    async def report(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], campaign_id: FromPath[int]
    ) -> CampaignReport:
        """Cost is everything that was granted for it, after whatever was taken back: each sum once, as posted."""
        require_member(viewer, "read")
        return await reports.report_on(await queries.access_campaign(viewer, slug, campaign_id))
