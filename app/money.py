"""Money: integer minor units and an ISO 4217 currency. No floats, no cross-currency sums."""

from decimal import Decimal

import msgspec

from app.errors import Invalid

# Exponents from ISO 4217; a currency that is not here is refused rather than guessed.
EXPONENTS = {
    **dict.fromkeys(
        "USD EUR GBP CNY CAD AUD NZD HKD SGD TWD CHF SEK NOK DKK PLN CZK INR BRL MXN THB MYR PHP ZAR".split(), 2
    ),
    **dict.fromkeys("JPY KRW VND CLP ISK".split(), 0),
    **dict.fromkeys("KWD BHD OMR JOD TND".split(), 3),
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥", "HKD": "HK$", "KRW": "₩", "INR": "₹"}
# Below PostgreSQL's bigint by a wide margin, so that sums of any real history fit as well.
LARGEST_AMOUNT = 10**14


class Money(msgspec.Struct, frozen=True):
    """An amount in minor units (cents, yen, fils) of one currency."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)


def check_currency(code: str) -> str:
    """The code itself, or Invalid for one we do not know."""
    if code not in EXPONENTS:
        raise Invalid("currency", f"“{code[:8]}” is not a currency this server knows.")
    return code


def check_amount(amount: int, field: str = "amount") -> int:
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= LARGEST_AMOUNT:
        raise Invalid(field, "An amount is a whole number of minor units, from 0 up.")
    return amount


def in_major_units(money: Money) -> Decimal:
    return Decimal(money.amount).scaleb(-EXPONENTS[money.currency])


def format_money(money: Money, *, accounting: bool = False) -> str:
    """`$1,204.50`, `¥300`, `-KWD 1.250`; `accounting` always names the currency."""
    exponent = EXPONENTS[money.currency]
    sign = "-" if money.amount < 0 else ""
    figure = f"{abs(in_major_units(money)):,.{exponent}f}"
    symbol = SYMBOLS.get(money.currency)
    if accounting or not symbol:
        return f"{sign}{money.currency} {figure}"
    return f"{sign}{symbol}{figure}"


def plain_decimal(number: Decimal) -> str:
    """`0.92`, `149.5`, `100`: as it was told, without zeros behind the point."""
    written = f"{number:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def percent(rate_bps: int) -> str:
    """`10 %`, `12.5 %`, `10.05 %`."""
    return f"{rate_bps / 100:.2f}".rstrip("0").rstrip(".") + " %"


def share_of(amount: int, rate_bps: int) -> int:
    """`rate_bps` basis points of `amount`, rounded half to even, exactly (no floats)."""
    quotient, remainder = divmod(amount * rate_bps, 10_000)
    if remainder * 2 > 10_000 or (remainder * 2 == 10_000 and quotient % 2):
        quotient += 1
    return quotient
