"""Generated lives of commissions: whatever refunds, disputes, holds and payouts come in whatever order, the books hold.

What is clawed back out of payouts, and given back, among it.
"""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.money import share_of
from referrals.commissions.holds import claw_back, hold, lift, mark_screened, reinstate, reject
from referrals.commissions.payable import allocate, mark_paid, return_to_available
from referrals.commissions.release import release_due
from referrals.commissions.service import settle
from referrals.ledger.schemas import AccountName, Leg
from tests.conftest import examples
from tests.factories import a_member
from tests.referrals.cast import books_are_right, standing
from tests.referrals.quick import a_quick_click, a_quick_shop, cheap_passwords, commissions_at, forget_jobs
from tests.referrals.till import a_line, sell

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)
ORDERS = 3
GROSS = 9_999

amounts = st.sampled_from([1, 333, 4_000, 9_999, 12_000])
which = st.integers(0, ORDERS - 1)
steps = st.one_of(
    st.tuples(st.sampled_from(["refund", "chargeback", "dispute_won"]), which, amounts),
    st.tuples(st.just("price"), which, st.sampled_from([0, 5_000, GROSS, 20_000])),
    st.tuples(st.sampled_from(["hold", "lift", "reject", "claw_back", "reinstate"]), which, st.just(0)),
    st.tuples(st.sampled_from(["days", "claim", "settle", "fail", "bounce"]), which, st.integers(1, 30)),
)


class Life:
    """What the shop told and what has left the house, kept apart from the books to compare them with."""

    def __init__(self, shop_id: int, commissions: list[int], orders: list[int]) -> None:
        self.shop_id, self.commissions, self.orders = shop_id, commissions, orders
        self.gross = [GROSS] * ORDERS
        self.back = [{"refund": 0, "chargeback": 0, "dispute_won": 0} for _ in range(ORDERS)]
        self.rejected: set[int] = set()
        self.claimed: dict[int, dict[int, int]] = {}
        self.paid: dict[int, dict[int, int]] = {}

    def target(self, n: int) -> int:
        if n in self.rejected:
            return 0
        back = self.back[n]
        given_back = back["refund"] + max(0, back["chargeback"] - back["dispute_won"])
        return share_of(max(0, self.gross[n] - given_back), 1000)

    def payout_with(self, commission: int) -> int | None:
        return next((payout_id for payout_id, items in self.claimed.items() if commission in items), None)

    def sent(self) -> int:
        return sum(sum(items.values()) for items in self.paid.values())


@pytest.fixture
async def lives(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """When all have been lived, the whole of the books is verified."""
    cheap_passwords(monkeypatch)
    yield
    clock.travel_home()
    await books_are_right()


@settings(
    max_examples=examples(200),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(steps, min_size=4, max_size=14))
async def test_whatever_happens_the_books_hold(lives: None, history: list[tuple[str, int, int]]):
    mara, shop = await a_member(), await a_quick_shop()
    gv = (await a_quick_click(shop, mara)).hex
    orders = [await sell(shop, gv, f"o{n}", a_line(gross=GROSS)) for n in range(ORDERS)]
    life = Life(shop.id, await commissions_at(shop), orders)
    try:
        for name, n, amount in history:
            await STEPS.get(name, told)(life, name, n, amount)
            await settle(orders[n])
            # Everything that was ever earned and not taken back is hers, or has left the house.
            owed = await standing(mara)
            assert sum(owed.values()) == sum(map(life.target, range(ORDERS))) - life.sent(), (name, n, amount)
            assert all(left >= 0 for (bucket, _currency), left in owed.items() if bucket != "receivable"), owed
        before = await standing(mara)
        for order_id in orders:
            await settle(order_id)
        assert await standing(mara) == before, "settled again, nothing moved"
    finally:
        clock.travel_home()
        await forget_jobs()


async def told(life: Life, name: str, n: int, amount: int) -> None:
    refund_id = await db.fetch_val(
        """INSERT INTO refund (store_id, external_id, order_external_id, kind, currency, refunded_at, created_at)
           SELECT store_id, $2, external_id, $3, currency, now(), now() FROM orders WHERE id = $1 RETURNING id""",
        life.orders[n],
        f"r{next(_numbers)}",
        name,
    )
    await db.execute(
        "INSERT INTO refund_line (refund_id, external_line_id, quantity, amount) VALUES ($1, 'l1', 0, $2)",
        refund_id,
        amount,
    )
    life.back[n][name] += amount


async def price(life: Life, _name: str, n: int, gross: int) -> None:
    # What was granted at first stays; only the price as told now is another.
    await db.execute("UPDATE order_line SET gross = $2, discount = 0 WHERE order_id = $1", life.orders[n], gross)
    life.gross[n] = gross


async def judge(life: Life, name: str, n: int, _amount: int) -> None:
    verb: Any = {"hold": hold, "lift": lift, "reject": reject, "claw_back": claw_back}[name]
    async with db.transaction():
        moved = await verb([life.commissions[n]], "under_review")
    if name in ("reject", "claw_back") and moved:
        life.rejected.add(n)


async def appeal(life: Life, _name: str, n: int, _amount: int) -> None:
    one = life.commissions[n]
    payout_id = life.payout_with(one)
    async with db.transaction():
        if await reinstate([one], {one: payout_id} if payout_id else {}, "appeal_upheld"):
            life.rejected.discard(n)


async def days(life: Life, _name: str, _n: int, many: int) -> None:
    await mark_screened(life.commissions)
    clock.travel(timedelta(days=many))
    await release_due()


async def claim(life: Life, _name: str, _n: int, _amount: int) -> None:
    payout_id = next(_numbers)
    async with db.transaction():
        items = {one.commission_id: one.amount for one in await allocate(life.commissions, payout_id) if one.amount}
    if items:
        life.claimed[payout_id] = items


async def arrive(life: Life, _name: str, _n: int, _amount: int) -> None:
    for payout_id, items in list(life.claimed.items())[:1]:
        async with db.transaction():
            cash = AccountName("store", life.shop_id, "cash", "USD")
            assert await mark_paid(payout_id, items, [Leg(cash, -sum(items.values()))])
        life.paid[payout_id] = life.claimed.pop(payout_id)


async def fail(life: Life, _name: str, _n: int, _amount: int) -> None:
    for payout_id in list(life.claimed)[:1]:
        async with db.transaction():
            assert await return_to_available(payout_id, life.claimed.pop(payout_id))


async def bounce(life: Life, _name: str, _n: int, _amount: int) -> None:
    for payout_id in list(life.paid)[:1]:
        async with db.transaction():
            assert await return_to_available(payout_id, life.paid.pop(payout_id), "payout_returned")


STEPS: dict[str, Any] = {
    "price": price,
    "hold": judge,
    "lift": judge,
    "reject": judge,
    "claw_back": judge,
    "reinstate": appeal,
    "days": days,
    "claim": claim,
    "settle": arrive,
    "fail": fail,
    "bounce": bounce,
}
