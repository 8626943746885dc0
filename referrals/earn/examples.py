"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.earn.goals import Board, Goal, Seat
from referrals.earn.schemas import (
    BoardList,
    CandidateView,
    CommissionList,
    CommissionView,
    CommissionWhy,
    EntryView,
    FunnelList,
    GoalList,
    GoalTold,
    LinkFunnel,
    RuleView,
    SeatTaken,
    StepView,
    Summary,
    Why,
)

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
    why_url="/earn/orders/1001/why?store=north",
    words="/r/mara",
    hold="It waits 14 days for returns.",
)
commissions = CommissionList([commission], None)
summary = Summary({"USD": {"pending": Money(400, "USD"), "available": Money(0, "USD")}}, 37, 29, 2)
why = Why(
    order="1001",
    store="North",
    store_slug="north",
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
commission_why = CommissionWhy(
    id="9",
    store="North",
    store_slug="north",
    cause="bounty",
    title="A film in the rain",
    words="Your work for a bounty",
    order="",
    order_why_url="",
    url="/earn/bounties/3",
    link="",
    amount=Money(15_000, "USD"),
    granted=Money(15_000, "USD"),
    state="pending",
    created_at="2026-03-14T09:26:53+00:00",
    hold_until="2026-03-28T09:26:53+00:00",
    rule="Work for a bounty",
    rules_version=2,
    hold_days=14,
    hold="It waits 14 days for returns.",
    facts=[],
    steps=[StepView("2026-03-14T09:26:53+00:00", "", "pending", "bounty", "Your work for a bounty was approved")],
    entries=[EntryView("2026-03-14T09:26:53+00:00", "accrue", "bounty", "pending", Money(15_000, "USD"))],
)
funnels = FunnelList([LinkFunnel("mara", 37, 12, 2, 3, 1, [Money(400, "USD")], 4)], None)
goal_told = GoalTold(50_000)
goals = GoalList([Goal(Money(50_000, "USD"), Money(400, "USD"))])
boards = BoardList([Board("USD", [Seat(1, "ada", "Ada", True), Seat(2, "mara", "Mara", False)], 5, 1)])
seated, left = SeatTaken(True), SeatTaken(False)
