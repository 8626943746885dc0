from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.money import LARGEST_AMOUNT, Money, check_amount, check_currency, format_money, share_of


@given(st.integers(0, LARGEST_AMOUNT), st.integers(0, 10_000))
def test_a_share_is_rounded_half_to_even_exactly(amount: int, rate: int):
    exact = (Decimal(amount) * rate / 10_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert share_of(amount, rate) == exact


def test_amounts_are_written_with_the_currency_s_own_exponent():
    assert format_money(Money(120450, "USD")) == "$1,204.50"
    assert format_money(Money(300, "JPY")) == "¥300"
    assert format_money(Money(-1250, "KWD")) == "-KWD 1.250"
    assert format_money(Money(5, "USD"), accounting=True) == "USD 0.05"


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize("amount", [-1, 1.5, True, "5", LARGEST_AMOUNT + 1])
def test_an_odd_amount_is_refused(amount):
    with pytest.raises(Invalid):
        check_amount(amount)


@pytest.mark.parametrize("code", ["", "usd", "XXX", "USDT"])
def test_an_unknown_currency_is_refused(code: str):
    with pytest.raises(Invalid):
        check_currency(code)
