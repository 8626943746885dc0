"""A campaign's report and the list of partners, as doors and pages give them."""

from typing import Any

import asyncpg

from app.money import Money, in_major_units
from app.paging import Page
from app.sheets import sheet_line
from referrals.campaigns import costs, figures, queries
from referrals.campaigns.schemas import CampaignReport, PartnerLine, PartnerResult

COLUMNS = ("handle", "name", "state", "tier", "tags", "since", "clicks", "orders", "currency", "sales", "commissions")
MOST_LINES = 5_000


async def report_on(campaign: asyncpg.Record) -> CampaignReport:
    """All that the campaign brought and cost, and each partner's part. Six queries, however many partners."""
    contracts = [one for one in await queries.contracts_of(campaign["id"]) if one["answered_at"] is not None]
    members = [one["member_id"] for one in contracts if one["state"] in ("accepted", "ended")]
    products = [one["id"] for one in await queries.products_of(campaign["id"])] or None
    span = (campaign["starts_at"], campaign["ends_at"])
    rows = await figures.sold(campaign["store_id"], *span, members=members, products=products)
    fees = await costs.fees_paid(campaign["store_id"], campaign["id"])
    volume = await costs.volume_of(campaign["store_id"], *span, members, products)
    clicks = await figures.clicks_by_member(campaign["store_id"], members, *span)
    currency = campaign["currency"]
    partners = [
        PartnerResult(
            one["handle"],
            clicks.get(one["member_id"], 0),
            figures.results_of(
                [row for row in rows if row["winner_id"] == one["member_id"]],
                Money(fees.get(one["member_id"], (0, 0))[0], currency),
                fees.get(one["member_id"], (0, 0))[1],
                [row for row in volume if row["member_id"] == one["member_id"]],
            ),
        )
        for one in contracts
        if one["member_id"] in members
    ]
    return CampaignReport(
        str(campaign["id"]),
        campaign["name"],
        campaign["starts_at"].isoformat(),
        campaign["ends_at"].isoformat(),
        sum(clicks.values()),
        figures.results_of(
            rows,
            Money(sum(fee for fee, _bonus in fees.values()), currency),
            sum(bonus for _fee, bonus in fees.values()),
            volume,
        ),
        partners,
    )


async def lines_of(store_id: int, partners: list[asyncpg.Record]) -> list[PartnerLine]:
    clicks, sold = await figures.partner_figures(store_id, [one["member_id"] for one in partners])
    return [_line(one, clicks.get(one["member_id"], 0), sold.get(one["member_id"], [])) for one in partners]


async def partner_lines(store_id: int, program_id: int, **wanted: Any) -> Page[PartnerLine]:
    page = await figures.partners_of(program_id, **wanted)
    return Page(await lines_of(store_id, page.items), page.next)


async def partner_sheet(store_id: int, program_id: int, *, search: str, state: str) -> str:
    """As CSV, one line for each partner and currency. No cell is taken for a formula."""
    found = await figures.partners_of(program_id, limit=MOST_LINES, search=search, state=state)
    sheet = [sheet_line(COLUMNS)]
    for line in await lines_of(store_id, found.items):
        start = (line.handle, line.name, line.state, line.tier, ", ".join(line.tags), line.since[:10], line.clicks)
        amounts = zip(line.sales, line.commissions, strict=True)
        cells = [(one.currency, f"{in_major_units(one)}", f"{in_major_units(mine)}") for one, mine in amounts]
        sheet += [sheet_line((*start, line.orders, *money)) for money in cells or [("", "", "")]]
    return "".join(sheet)


def _line(partner: asyncpg.Record, clicks: int, sold: list[Any]) -> PartnerLine:
    return PartnerLine(
        handle=partner["handle"],
        name=partner["name"],
        state=partner["state"],
        tier=partner["tier"],
        tags=list(partner["tags"]),
        since=partner["created_at"].isoformat(),
        clicks=clicks,
        orders=sum(row["orders"] for row in sold),
        sales=[Money(row["sales"], row["currency"]) for row in sold],
        commissions=[Money(row["commissions"], row["currency"]) for row in sold],
    )
