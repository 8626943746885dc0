"""Generated histories of payouts: whatever happens, in whatever order and at once, nobody is paid twice or short.

Each history is a list of rounds; what stands in one round happens at the same moment.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.errors import Problem
from referrals.commissions.holds import hold, lift
from referrals.commissions.release import release_due
from referrals.commissions.states import STEPS
from referrals.payouts import batches, claims, exports
from referrals.payouts.claims import Figures
from referrals.payouts.quotes import quote_for
from tests.conftest import examples
from tests.factories import PASSWORD, Person, a_member
from tests.referrals.payees import a_bank_account, all_is_right
from tests.referrals.quick import (
    a_quick_click,
    a_quick_shop,
    cheap_passwords,
    commissions_at,
    forget_jobs,
    run_jobs_of,
    standing_at,
)
from tests.referrals.till import a_line, give_back, sell
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio

moves = st.tuples(
    st.sampled_from(
        "order refund refund ask ask credit take_back cancel hold lift settle fail return".split() + ["go_on"] * 8
    ),
    st.integers(0, 7),
)
histories = st.lists(st.lists(moves, min_size=1, max_size=3), min_size=5, max_size=10)


class People(msgspec.Struct):
    owner: Person
    ada: Person
    ben: Person
    mara: Person


@pytest.fixture
async def people(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    """The same people for every history; when all have run, the books and all payouts are verified as a whole."""
    cheap_passwords(monkeypatch)
    ada, ben = [await a_member(name, role="admin") for name in ("ada", "ben")]
    found = People(await a_member("owner"), ada, ben, await a_member("mara"))
    await a_bank_account(found.mara)
    clock.travel_home()
    await db.execute("UPDATE payout_method SET usable_at = created_at - interval '1 day'")
    yield found
    clock.travel_home()
    await all_is_right()


@settings(
    max_examples=examples(200),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
async def test_no_history_pays_twice_loses_money_or_skips_a_step(people: People, history: list):
    shop = await a_quick_shop(people.owner, hold_days=0)
    play = Play(shop, people, (await a_quick_click(shop, people.mara)).hex)
    await play.order(4)
    await play.order(2)
    try:
        for together in history:
            done = await asyncio.gather(*(getattr(play, name)(n) for name, n in together), return_exceptions=True)
            unexpected = [one for one in done if isinstance(one, BaseException) and not isinstance(one, Problem)]
            assert unexpected == [], (together, unexpected)
            # Orders and refunds settle themselves; what a batch, a rail or a check has to do is done by its job.
            await run_jobs_of("referrals.payouts", "referrals.fraud")
            await holds_true(shop)
    finally:
        clock.travel_home()
        await forget_jobs()


class Play:
    """The moves. One that cannot be made now raises a Problem, as it would for a person."""

    def __init__(self, shop: Shop, people: People, gv: str) -> None:
        self.shop, self.people, self.gv, self.orders, self.refunds = shop, people, gv, 0, 0

    async def order(self, n: int) -> None:
        self.orders += 1
        await sell(self.shop, self.gv, str(self.orders), a_line(gross=10_000 * (n + 1)), buyer=f"c{self.orders}")
        # What was screened, and has no time left on hold, is released.
        await db.execute("UPDATE commission SET screened_at = created_at WHERE screened_at IS NULL")
        await release_due()

    async def refund(self, n: int) -> None:
        self.refunds += 1
        await give_back(self.shop, str(n % self.orders + 1), f"r{self.refunds}", 7_000)

    async def ask(self, n: int) -> None:
        await self._ask("bank")

    async def credit(self, n: int) -> None:
        await self._ask("store_credit")

    async def take_back(self, n: int) -> None:
        await claims.take_back(self.people.mara.viewer, await self._some("payout", n))

    async def go_on(self, n: int) -> None:
        """The newest batch takes its next step, whatever that is; a new one begins when none is open."""
        state = await db.fetch_val(
            "SELECT state FROM payout_batch WHERE store_id = $1 ORDER BY id DESC LIMIT 1", self.shop.id
        )
        steps = {"frozen": self.approve, "approved": self.send, "submitted": self.settle if n % 3 else self.fail}
        await steps.get(state, self.gather)(n)

    async def gather(self, n: int) -> None:
        await batches.request_batch(self.people.owner.viewer, self.shop.slug, "USD", clock.now(), 100)

    async def approve(self, n: int) -> None:
        batch_id = await self._some("payout_batch", n, "state = 'frozen'")
        seen = await db.fetch_val("SELECT frozen_hash FROM payout_batch WHERE id = $1", batch_id)
        for person in (self.people.ada, self.people.ben):
            await batches.approve(person.viewer, self.shop.slug, batch_id, seen=(seen or b"").hex(), password=PASSWORD)

    async def send(self, n: int) -> None:
        await batches.submit(
            self.people.owner.viewer, self.shop.slug, await self._some("payout_batch", n, "state = 'approved'")
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
        await batches.cancel(self.people.owner.viewer, self.shop.slug, await self._some("payout_batch", n))

    async def _ask(self, rail: str) -> None:
        seen = await quote_for(self.people.mara.id, self.shop.id, "USD", rail)
        shown = Figures(seen.sum.amount, seen.sends)
        await claims.ask_for_payout(self.people.mara.viewer, await self._store(), "USD", rail, shown)

    async def _mark(self, n: int, result: str) -> None:
        payout_id = await self._some("payout", n)
        batch_id = await db.fetch_val("SELECT batch_id FROM payout WHERE id = $1", payout_id)
        # The bank blames the account each time; its owner puts it right.
        await exports.mark(self.people.ada.viewer, batch_id or 0, payout_id, result, "", "")
        await db.execute("UPDATE payout_method SET failures = 0")

    async def _some(self, table: str, n: int, condition: str = "true") -> int:
        if table == "commission":
            ids = (await commissions_at(self.shop))[-8:][::-1]
            return ids[n % len(ids)] if ids else 0
        rows = await db.fetch(
            f"SELECT id FROM {table} WHERE store_id = $1 AND {condition} ORDER BY id DESC LIMIT 8", self.shop.id
        )
        return rows[n % len(rows)]["id"] if rows else 0

    async def _store(self) -> Any:
        return await db.fetch_one("SELECT * FROM store WHERE id = $1", self.shop.id)


setattr(Play, "return", Play.return_)


async def holds_true(shop: Shop) -> None:
    """Invariants 7, 8 and 9 at this shop; the audits look at all of it in the end."""
    balance = await standing_at(shop)
    assert all(amount >= 0 for bucket, amount in balance.items() if bucket != "receivable"), balance
    ids = await commissions_at(shop)
    # A commission is in one live payout at most, and what was ever paid and not sent back was granted.
    twice = await db.fetch(
        """SELECT commission_id FROM payout_item WHERE active AND commission_id = ANY($1::bigint[])
            GROUP BY 1 HAVING count(*) > 1""",
        ids,
    )
    assert twice == []
    over = await db.fetch(
        """SELECT i.commission_id FROM payout_item i JOIN payout p ON p.id = i.payout_id
             JOIN commission c ON c.id = i.commission_id
            WHERE p.store_id = $1 AND p.state IN ('claimed', 'approved', 'submitted', 'settled')
            GROUP BY i.commission_id, c.granted HAVING sum(i.amount) > c.granted""",
        shop.id,
    )
    assert over == [], "more was paid of a commission than it was ever worth"
    wrong = await db.fetch(
        """SELECT p.id FROM payout p WHERE p.store_id = $1 AND p.amount <> (
                  SELECT coalesce(sum(i.amount), 0) FROM payout_item i WHERE i.payout_id = p.id)""",
        shop.id,
    )
    assert wrong == [], "a payout is not the sum of its items"
    # No state was skipped: the trail of each commission is a chain of allowed steps.
    trail = await db.fetch(
        """SELECT commission_id, from_state, to_state FROM commission_event WHERE commission_id = ANY($1::bigint[])
            ORDER BY commission_id, seq""",
        ids,
    )
    allocated = set()
    for row in trail:
        assert row["to_state"] in STEPS[row["from_state"]], tuple(row)
        if row["to_state"] == "allocated":
            allocated.add(row["commission_id"])
        assert row["to_state"] != "paid" or row["commission_id"] in allocated
