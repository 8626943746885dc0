import msgspec

from app.money import Money


class NewCampaign(msgspec.Struct):
    name: str = ""
    brief: str = ""
    starts_on: str = ""
    ends_on: str = ""
    currency: str = ""
    fee_budget: str = ""
    products: str = ""
    """One a line: the product's name in addresses of ours. Empty: everything the store has."""


class NewOffer(msgspec.Struct):
    """Milestones stand beside each other in three lists."""

    handle: str = ""
    rate: str = ""
    title: list[str] = []
    fee: list[str] = []
    due_on: list[str] = []


class Work(msgspec.Struct):
    proof_url: str = ""
    note: str = ""


class Verdict(msgspec.Struct):
    verdict: str = ""
    reason: str = ""


class Result(msgspec.Struct):
    """What came of a campaign, or of one partner in it, in one currency.

    `sales` are after refunds. `cost` is all of commissions, fees, the buyers' credit, the campaign's part of what a
    month's `volume` added, and the `bonus` on what was paid out as credit. What came back for each unit spent is
    `return_bps` in basis points (10,000: as much as was spent); null while nothing was spent.
    """

    orders: int
    sales: Money
    commissions: Money
    fees: Money
    credit: Money
    cost: Money
    return_bps: int | None
    volume: Money
    bonus: Money


class PartnerResult(msgspec.Struct):
    handle: str
    clicks: int
    results: list[Result]


class CampaignReport(msgspec.Struct):
    id: str
    name: str
    starts_at: str
    ends_at: str
    clicks: int
    results: list[Result]
    partners: list[PartnerResult]


class PartnerLine(msgspec.Struct):
    """A partner of a store and what came by them, ever: sales after refunds, and the commissions on them."""

    handle: str
    name: str
    state: str
    tier: str
    tags: list[str]
    since: str
    clicks: int
    orders: int
    sales: list[Money]
    commissions: list[Money]


class PartnerLineList(msgspec.Struct):
    items: list[PartnerLine]
    next: str | None


class Figures(msgspec.Struct):
    """A programme's last days in one currency. `sales` came by members and stand after refunds; `share_bps` is what
    the whole `cost` is of them: commissions of orders, `fees` of campaigns, a month's `volume`, other `rewards`
    (bounties, new members, leads), the buyers' credit, and the `bonus` on what was paid out as credit."""

    orders: int
    sales: Money
    commissions: Money
    credit: Money
    share_bps: int | None
    fees: Money
    volume: Money
    rewards: Money
    bonus: Money
    cost: Money


class Overview(msgspec.Struct):
    """`pending` is what is promised and not yet payable, `payable` what may be taken out, whenever it was earned."""

    days: int
    clicks: int
    bots: int
    figures: list[Figures]
    pending: list[Money]
    payable: list[Money]
