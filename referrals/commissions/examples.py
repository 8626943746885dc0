"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.commissions.whatif import Answer, Cart, CartLine, LineAnswer

cart = Cart([CartLine("GR-38", 8900, 2, 1000)], "USD", ["SUMMER20"])
answer = Answer(
    [
        LineAnswer(
            "GR-38",
            "Hand grinder 38 mm",
            Money(16_800, "USD"),
            "plain",
            1000,
            Money(1680, "USD"),
            "",
            ["Plain rate", "10 %"],
            "It waits 14 days for returns.",
        )
    ],
    Money(1680, "USD"),
    None,
    1,
)
