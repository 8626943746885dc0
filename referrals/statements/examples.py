"""What the JSON doors give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.statements.schemas import Link, Month, Months, Move, Proof, Statement, StatementEntry

_HASH = "9b74c9897bac770ffc029102a200c5de3e0a2fd7c1ab9d1b2f8f1d2f6d1c1f10"

months = Months([Month("2026-03", "USD", 2, Money(400, "USD"))])
entry = StatementEntry(
    at="2026-03-14T09:27:00+00:00",
    kind="accrue",
    reason="order_paid",
    words="The order was paid",
    order="1001",
    store="North",
    title="Hand grinder 38 mm",
    amount=Money(890, "USD"),
    moves=[Move("pending", Money(890, "USD"))],
    balance=Money(890, "USD"),
    hash=_HASH,
    why_url="/earn/orders/1001/why?store=north",
)
statement = Statement(
    member="ada",
    month="2026-03",
    currency="USD",
    opening={},
    closing={"pending": Money(890, "USD")},
    opening_total=Money(0, "USD"),
    closing_total=Money(890, "USD"),
    earned=Money(890, "USD"),
    taken_back=Money(0, "USD"),
    paid_out=Money(0, "USD"),
    balance_before=Money(0, "USD"),
    entries=[entry],
    next=None,
    stamp=_HASH,
)
proof = Proof(
    member="ada",
    month="2026-03",
    currency="USD",
    algorithm="sha256(prev_hash bytes + told as UTF-8) = hash",
    accounts=[["member", "7", "pending", "USD"]],
    opening={},
    closing={"pending": 890},
    links=[Link("1", "0" * 64, '{"at":"2026-03-14T09:27:00.000000+00:00","entries":[],"kind":"accrue"}', _HASH)],
)
