"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.payouts.schemas import (
    MethodList,
    MethodView,
    NewMethod,
    NewPayout,
    NewRateTold,
    PayoutList,
    PayoutView,
    QuoteList,
    QuoteView,
    RateList,
    RateUsed,
    RateView,
)

new_payout = NewPayout("south", "USD", "store_credit", 1200, 1200)
payout = PayoutView(
    id="8",
    number="PO-8",
    store="south",
    rail="store_credit",
    account="",
    state="settled",
    reason="",
    amount=Money(1200, "USD"),
    netted=Money(0, "USD"),
    fee=Money(0, "USD"),
    withheld=Money(0, "USD"),
    bonus=Money(0, "USD"),
    receives=Money(1200, "USD"),
    asked_at="2026-03-30T09:26:53+00:00",
    changed_at="2026-03-30T09:26:53+00:00",
    credit_code="k7m2p9xh4tq8w3na",
    advice_url="/earn/payouts/8",
    arrives=Money(1200, "USD"),
)
payouts = PayoutList([payout], None)
quotes = QuoteList(
    [
        QuoteView(
            store="south",
            rail="bank",
            account="DE•• 3000",
            available=Money(5000, "USD"),
            owed=Money(0, "USD"),
            fee=Money(25, "USD"),
            bonus=Money(0, "USD"),
            withheld=Money(0, "USD"),
            amount=Money(5000, "USD"),
            receives=Money(4975, "USD"),
            is_early=False,
            minimum=Money(2000, "USD"),
            least=Money(0, "USD"),
            pays_on="2026-04-01T00:00:00+00:00",
            trouble="",
            words="",
            arrives=Money(4577, "EUR"),
            rate=RateUsed("2", "0.92", "ECB reference rate", "2026-03-30T14:00:00+00:00"),
        )
    ]
)
new_method = NewMethod("paypal", {"account": "ada@example.org"}, "correct horse battery", "EUR")
method = MethodView("3", "paypal", "a•••@example.org", "2026-04-02T09:26:53+00:00", "cooling_off", "EUR")
methods = MethodList([method])
new_rate = NewRateTold("USD", "EUR", "0.92", "ECB reference rate")
rate = RateView("2", "USD", "EUR", "0.92", "ECB reference rate", "2026-03-30T14:00:00+00:00", "olga", True)
rates = RateList([rate], None)
