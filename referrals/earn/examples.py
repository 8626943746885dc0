"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.earn.schemas import CandidateView, CommissionList, CommissionView, EntryView, RuleView, Summary, Why

commission = CommissionView(
    id="8",
    order="1001",
    product="hand-grinder-38-mm",
    title="Hand grinder 38 mm",
    amount=Money(400, "USD"),
    granted=Money(890, "USD"),
    state="pending",
    hold_until="2026-03-28T09:26:53+00:00",
    role="link",
    why_url="/earn/orders/1001/why",
)
commissions = CommissionList([commission], None)
summary = Summary({"USD": {"pending": Money(400, "USD"), "available": Money(0, "USD")}}, 37, 29, 2)
why = Why(
    order="1001",
    store="north",
    ordered_at="2026-03-14T09:26:53+00:00",
    you_won=True,
    winner="ada",
    rule=RuleView("Default", "The last click within 30 days earns.", "last", 1000, 30, 14, 1),
    candidates=[
        CandidateView("ada", True, "link", "2026-03-13T18:00:00+00:00", True, "last_click", "The last click before it.")
    ],
    commissions=[commission],
    entries=[EntryView("2026-03-14T09:27:00+00:00", "commission", "order paid", "pending", Money(890, "USD"))],
    amount=Money(400, "USD"),
)
