"""Who gets the odd cent of shared credit, as docs/MONEY.md says."""

from hypothesis import given
from hypothesis import strategies as st

from referrals.attribution.shares import Share
from referrals.commissions.dues import divide


def parts(amount: int, *bps: int) -> list[int]:
    return divide(amount, 10_000, [Share(n, "sharer" if n == 0 else "author", one) for n, one in enumerate(bps)])


def test_it_goes_to_the_largest_remainder():
    assert parts(101, 7_000, 3_000) == [71, 30]
    assert parts(103, 7_500, 2_500) == [77, 26], "77.25 and 25.75"
    assert parts(10, 6_666, 1_667, 1_667) == [6, 2, 2]


def test_when_remainders_are_equal_it_goes_to_who_led_to_the_order_and_then_to_the_larger_part():
    assert parts(101, 5_000, 5_000) == [51, 50]
    assert parts(1, 5_000, 2_500, 2_500) == [1, 0, 0]
    assert parts(7, 5_000, 2_500, 2_500) == [3, 2, 2]


@given(amount=st.integers(0, 10**12), first=st.integers(0, 10_000), second=st.integers(0, 10_000))
def test_the_parts_are_the_whole_and_none_is_a_unit_away_from_its_due(amount: int, first: int, second: int):
    rest = 10_000 - first
    bps = [first, rest * second // 10_000, rest - rest * second // 10_000]
    got = parts(amount, *bps)
    assert sum(got) == amount
    assert all(abs(part * 10_000 - amount * one) < 10_000 for part, one in zip(got, bps, strict=True))
