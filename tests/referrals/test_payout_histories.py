"""Generated histories of payouts: whatever happens, in whatever order and at once, nobody is paid twice or short.

Each history is a list of rounds; what stands in one round happens at the same moment.
"""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.errors import Problem
from referrals.commissions.holds import hold, lift
from referrals.commissions.release import release_due
from referrals.payouts import batches, claims, exports
from referrals.payouts.claims import Figures
from referrals.payouts.quotes import quote_for
from tests.conftest import examples
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs
from tests.referrals.cast import standing
from tests.referrals.payees import House, a_bank_account, a_house, all_is_right, earn
from tests.referrals.test_ledger import facts

pytestmark = pytest.mark.anyio

moves = st.tuples(
    st.sampled_from(
        "order refund refund ask ask credit take_back cancel hold lift settle fail return".split() + ["go_on"] * 8
    ),
    st.integers(0, 7),
)
histories = st.lists(st.lists(moves, min_size=1, max_size=3), min_size=6, max_size=14)


@settings(
    max_examples=examples(12),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
async def test_no_history_pays_twice_loses_money_or_skips_a_step(web: Browser, history: list):
    from tests.conftest import sweep

    await sweep()
    house, mara = await a_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1", 50_000)
    await earn(web, house.shop, mara, "2", 30_000)
    play = Play(web, house, mara)
    for together in history:
        done = await asyncio.gather(*(getattr(play, name)(n) for name, n in together), return_exceptions=True)
        unexpected = [one for one in done if isinstance(one, BaseException) and not isinstance(one, Problem)]
        assert unexpected == [], (together, unexpected)
        await run_jobs()
        await holds_true(house, mara)


class Play:
    """The moves. One that cannot be made now raises a Problem, as it would for a person."""

    def __init__(self, web: Browser, house: House, mara: Person) -> None:
        self.web, self.house, self.mara, self.orders, self.refunds = web, house, mara, 2, 0

    async def order(self, n: int) -> None:
        self.orders += 1
        await earn(self.web, self.house.shop, self.mara, str(self.orders), 10_000 * (n + 1))

    async def refund(self, n: int) -> None:
        from storefront.orders.service import apply_refund

        self.refunds += 1
        told: dict[str, Any] = {"line": "l1", "amount": 7_000, "currency": "USD", "at": clock.now()}
        told |= {"refund": f"r{self.refunds}"}
        fact = facts(told, "")
        await apply_refund(await self._store(), _of_order(fact, str(n % self.orders + 1)))

    async def ask(self, n: int) -> None:
        await self._ask("bank")

    async def credit(self, n: int) -> None:
        await self._ask("store_credit")

    async def take_back(self, n: int) -> None:
        await claims.take_back(self.mara.viewer, await self._some("payout", n))

    async def go_on(self, n: int) -> None:
        """The newest batch takes its next step, whatever that is; a new one begins when none is open."""
        state = await db.fetch_val("SELECT state FROM payout_batch ORDER BY id DESC LIMIT 1")
        steps = {"frozen": self.approve, "approved": self.send, "submitted": self.settle if n % 3 else self.fail}
        await steps.get(state, self.gather)(n)

    async def gather(self, n: int) -> None:
        await batches.request_batch(self.house.owner.viewer, "north", "USD", clock.now(), 100)

    async def approve(self, n: int) -> None:
        batch_id = await self._some("payout_batch", n, "state = 'frozen'")
        seen = await db.fetch_val("SELECT frozen_hash FROM payout_batch WHERE id = $1", batch_id)
        for person in (self.house.ada, self.house.ben):
            await batches.approve(person.viewer, "north", batch_id, seen=(seen or b"").hex(), password=PASSWORD)

    async def send(self, n: int) -> None:
        await batches.submit(
            self.house.owner.viewer, "north", await self._some("payout_batch", n, "state = 'approved'")
        )

    async def settle(self, n: int) -> None:
        await self._mark(n, "settled")

    async def fail(self, n: int) -> None:
        await self._mark(n, "failed")

    async def return_(self, n: int) -> None:
        await self._mark(n, "returned")

    async def hold(self, n: int) -> None:
        async with db.transaction():
            await hold([await self._some("commission", n)], "velocity")

    async def lift(self, n: int) -> None:
        async with db.transaction():
            await lift([await self._some("commission", n)], "cleared")
        await release_due()

    async def cancel(self, n: int) -> None:
        await batches.cancel(self.house.owner.viewer, "north", await self._some("payout_batch", n))

    async def _ask(self, rail: str) -> None:
        seen = await quote_for(self.mara.id, self.house.shop.id, "USD", rail)
        shown = Figures(seen.sum.amount, seen.sends)
        await claims.ask_for_payout(self.mara.viewer, await self._store(), "USD", rail, shown)

    async def _mark(self, n: int, result: str) -> None:
        payout_id = await self._some("payout", n)
        batch_id = await db.fetch_val("SELECT batch_id FROM payout WHERE id = $1", payout_id)
        # The bank blames the account each time; its owner puts it right.
        await exports.mark(self.house.ada.viewer, batch_id or 0, payout_id, result, "", "")
        await db.execute("UPDATE payout_method SET failures = 0")

    async def _some(self, table: str, n: int, condition: str = "true") -> int:
        rows = await db.fetch(f"SELECT id FROM {table} WHERE {condition} ORDER BY id DESC LIMIT 8")
        return rows[n % len(rows)]["id"] if rows else 0

    async def _store(self) -> Any:
        return await db.fetch_one("SELECT * FROM store WHERE id = $1", self.house.shop.id)


setattr(Play, "return", Play.return_)


def _of_order(fact: Any, order_id: str) -> Any:
    import msgspec

    return msgspec.structs.replace(fact, order_external_id=order_id)


async def holds_true(house: House, mara: Person) -> None:
    """Invariants 7, 8 and 9, beside everything that the audits look at."""
    await all_is_right()
    balance = await standing(mara)
    assert all(amount >= 0 for (bucket, _), amount in balance.items() if bucket != "receivable"), balance
    # A commission is in one live payout at most, and what was ever paid and not sent back was granted.
    assert await db.fetch("SELECT commission_id FROM payout_item WHERE active GROUP BY 1 HAVING count(*) > 1") == []
    over = await db.fetch(
        """SELECT i.commission_id FROM payout_item i JOIN payout p ON p.id = i.payout_id
             JOIN commission c ON c.id = i.commission_id
            WHERE p.state IN ('claimed', 'approved', 'submitted', 'settled')
            GROUP BY i.commission_id, c.granted HAVING sum(i.amount) > c.granted"""
    )
    assert over == [], "more was paid of a commission than it was ever worth"
    # No state was skipped: the trail of each commission is a chain of allowed steps.
    from referrals.commissions.states import STEPS

    for row in await db.fetch(
        "SELECT commission_id, from_state, to_state FROM commission_event ORDER BY commission_id, seq"
    ):
        assert row["to_state"] in STEPS[row["from_state"]], tuple(row)
    paid = await db.fetch(
        """SELECT DISTINCT commission_id FROM commission_event e WHERE to_state = 'paid' AND NOT EXISTS (
               SELECT 1 FROM commission_event a WHERE a.commission_id = e.commission_id AND a.to_state = 'allocated'
                  AND a.seq < e.seq)"""
    )
    assert paid == []
