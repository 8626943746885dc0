"""What the JSON doors take and give, as the OpenAPI document shows it."""

from referrals.programs.schemas import ProgramTold, ProgramView
from referrals.programs.terms import Caps, Exclusion, Rule, Terms

_terms = Terms(
    currency="USD",
    rules=[Rule(name="Grinders", scope="category", value="Coffee / Grinders", rate_bps=1500)],
    deny=[Exclusion("category", "Gift cards")],
    caps=Caps(month=50_000),
)
told = ProgramTold(rate_bps=1000, terms=_terms)
program = ProgramView(
    store="north",
    version=2,
    published_at="2026-03-14T09:26:53+00:00",
    rate_bps=1000,
    hold_days=14,
    window_days=30,
    model="last",
    terms=_terms,
    words=[
        "10 % of the price after discounts, without tax and shipping.",
        "Grinders: 15 % for the category Coffee / Grinders.",
    ],
)
