"""From which sums on somebody has to tell an office: data, not advice. The operator's own rows stand before these."""

import msgspec

EU = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


class Threshold(msgspec.Struct, frozen=True):
    """From `amount` a calendar year on, in this currency: `tell` the member, `ask` for a tax number before more is
    paid, or `withhold` a part while there is none. `country` may be EU."""

    regime: str
    country: str
    currency: str
    amount: int
    action: str
    since_year: int
    withhold_bps: int = 0


SHIPPED = (
    # Nonemployee compensation of a year: 600 USD up to 2025, 2,000 USD from 2026.
    Threshold("US 1099-NEC", "US", "USD", 60_000, "ask", 2020),
    Threshold("US 1099-NEC", "US", "USD", 200_000, "ask", 2026),
    # Platforms withhold by the running total of the year and report each quarter; who does it is theirs to decide.
    Threshold("CN IIT", "CN", "CNY", 80_000, "tell", 2025),
    # A platform asks its sellers for a tax number before it pays them more.
    Threshold("EU DAC7", "EU", "EUR", 200_000, "ask", 2023),
)


def in_force(rows: tuple[Threshold, ...], country: str, currency: str, year: int) -> list[Threshold]:
    """Of each regime that may reach this person, the threshold of this year. An unknown country may be any."""
    newest: dict[tuple[str, str], Threshold] = {}
    for row in sorted(rows, key=lambda row: row.since_year):
        here = not country or row.country == country or (row.country == "EU" and country in EU)
        if here and row.currency == currency and row.since_year <= year:
            newest[row.regime, row.country] = row
    return list(newest.values())
