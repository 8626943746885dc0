from datetime import UTC, datetime

from app.money import Money
from referrals.credit.schemas import CreditLotView, CreditMove, CustomerCredit, MyCredit, NewUse, StoreCredit, UseView

_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
new_use = NewUse("cart-77", "c1", Money(250, "USD"), "1003")
use = UseView("cart-77", "c1", Money(250, "USD"), "1003", Money(350, "USD"), _AT, None)
_UNTIL = datetime(2027, 3, 14, 9, 26, 53, tzinfo=UTC)
credit = CustomerCredit("c1", [Money(600, "USD")], [CreditLotView(Money(600, "USD"), _AT, _UNTIL)])
mine = MyCredit(
    [StoreCredit("north", "North", Money(600, "USD"), _UNTIL)],
    [CreditMove("granted", "north", "#1001", Money(600, "USD"), _AT)],
)
