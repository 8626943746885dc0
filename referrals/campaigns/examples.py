"""What the JSON doors give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.campaigns.schemas import (
    CampaignReport,
    Figures,
    Overview,
    PartnerLine,
    PartnerLineList,
    PartnerResult,
    Result,
)


def usd(amount: int) -> Money:
    return Money(amount, "USD")


result = Result(3, usd(24_000), usd(2_400), usd(15_000), usd(600), usd(18_000), 13_333, usd(0), usd(0))
report = CampaignReport(
    "8",
    "Spring on the trail",
    "2026-03-01T00:00:00+00:00",
    "2026-03-31T23:59:59+00:00",
    37,
    [result],
    [PartnerResult("mara", 37, [result])],
)
line = PartnerLine(
    "mara",
    "Mara",
    "approved",
    "Gold",
    ["trail", "video"],
    "2026-02-14T09:26:53+00:00",
    37,
    3,
    [usd(24_000)],
    [usd(2_400)],
)
lines = PartnerLineList([line], None)
figures = Figures(
    3, usd(24_000), usd(2_400), usd(600), 2_083, usd(0), usd(0), usd(2_000), usd(0), usd(5_000)
)  # fmt: skip
overview = Overview(30, 37, 12, [figures], [usd(2_000)], [usd(400)])
