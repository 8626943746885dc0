"""Credit by lots: the oldest is spent first, what is over ends in the books, and refunds and ends commute."""

import asyncio
import itertools
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.errors import Conflict
from app.money import Money
from referrals.books.service import verify
from referrals.credit import lots, service
from referrals.credit.audit import check_credit_lots, check_lots_of
from referrals.credit.fold import Lot, Use, fold
from referrals.credit.schemas import NewUse
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Friend, Terms
from tests.conftest import examples
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import a_link, books_are_right, click, tell
from tests.referrals.test_codes import a_shop_of
from tests.referrals.test_credit import DOOR, use
from tests.storefront.shop import Shop, a_shop, order, refund

pytestmark = pytest.mark.anyio
START = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)


def day(n: int) -> datetime:
    return START + timedelta(days=n)


# --- the reckoning alone ---------------------------------------------------------------------------------------

days = st.integers(0, 30)
sums = st.sampled_from([0, 1, 99, 100, 250, 1_000])
spans = st.one_of(st.none(), st.integers(1, 20))


@st.composite
def grants(draw: st.DrawFn) -> list[Lot]:
    made = []
    for n in range(draw(st.integers(1, 5))):
        active, span = day(draw(days)), draw(spans)
        made.append(Lot(n, draw(sums), active, active + timedelta(days=span) if span else None))
    return made


uses = st.lists(st.tuples(sums.filter(bool), days), max_size=5).map(
    lambda found: [Use(n, amount, day(at)) for n, (amount, at) in enumerate(found)]
)


@settings(max_examples=examples(1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(granted=grants(), used=uses, now=days, seed=st.integers(0, 999))
def test_nothing_is_lost_or_made_and_the_order_of_telling_is_nothing(
    granted: list[Lot], used: list[Use], now: int, seed: int
):
    used = [one for one in used if one.at <= day(now)]
    folded = fold(granted, used, day(now))
    for lot in granted:
        spent = sum(amount for (lot_id, _use), amount in folded.spent.items() if lot_id == lot.id)
        assert folded.remaining[lot.id] + folded.expired[lot.id] + spent == lot.amount
        assert min(folded.remaining[lot.id], folded.expired[lot.id], spent) >= 0
        assert not (lot.is_over(day(now)) and folded.remaining[lot.id])
    taken = sum(folded.spent.values())
    assert taken + folded.owed == sum(one.amount for one in used), "a use is covered, or owed"
    alive = sum(folded.remaining[lot.id] for lot in granted if lot.counts_at(day(now)))
    assert not (folded.owed and alive), "nobody may spend while something is owed"
    shuffled, mixed = list(granted), list(used)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(mixed)
    assert fold(shuffled, mixed, day(now)) == folded


@settings(max_examples=examples(1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(granted=grants(), used=uses)
def test_each_use_takes_the_oldest_that_counts_at_its_moment(granted: list[Lot], used: list[Use]):
    folded = fold(granted, used, day(60))
    for (lot_id, use_id), _amount in folded.spent.items():
        lot, use = granted[lot_id], used[use_id]
        assert not lot.is_over(use.at)
        older = [one for one in granted if one.counts_at(use.at) and (one.active_at, one.id) < (lot.active_at, lot.id)]
        # Whatever is older was spent to the last cent, unless this one only filled what was missing.
        assert all(folded.expired[one.id] + folded.remaining[one.id] == 0 for one in older)


# --- with the books --------------------------------------------------------------------------------------------

moves = st.one_of(
    st.tuples(st.just("grant"), st.sampled_from([100, 333, 1_000]), st.sampled_from([0, 3]), st.sampled_from([0, 5])),
    st.tuples(st.just("spend"), st.sampled_from([1, 100, 250, 900])),
    st.tuples(st.just("take_back"), st.integers(0, 4), st.sampled_from([0, 50, 100])),
    st.tuples(st.just("undo"), st.integers(0, 4)),
    st.tuples(st.just("days"), st.sampled_from([1, 3, 6])),
    st.tuples(st.just("sweep")),
)


class Till:
    """One customer of one shop; grants are posted as a refund or a sale would, under the customer's row."""

    def __init__(self, shop: Shop, owner: Person, customer_id: int) -> None:
        self.shop, self.owner, self.customer_id = shop, owner, customer_id
        self.grants: list[dict] = []
        self.uses: list[str] = []

    async def grant(self, amount: int, wait: int, span: int) -> None:
        active = clock.now() + timedelta(days=wait)
        made = {"id": next(_numbers), "stands": 0, "postings": 0, "active_at": active}
        made["expires_at"] = active + timedelta(days=span) if span else None
        self.grants.append(made)
        await self._bring(made, amount)

    async def take_back(self, which: int, percent_left: int) -> None:
        if self.grants:
            one = self.grants[which % len(self.grants)]
            await self._bring(one, one["stands"] * percent_left // 100)

    async def spend(self, amount: int) -> None:
        name = f"u{next(_numbers)}"
        new = NewUse(name, "c1", Money(amount, "USD"))
        try:
            await service.spend(self.owner.viewer, self.shop.slug, new)
            self.uses.append(name)
        except Conflict:
            assert await self.spendable() < amount

    async def undo(self, which: int) -> None:
        if self.uses:
            await service.give_back(self.owner.viewer, self.shop.slug, self.uses[which % len(self.uses)])

    async def days(self, many: int) -> None:
        clock.travel(timedelta(days=many))

    async def sweep(self) -> None:
        await lots.end_what_is_over()

    async def spendable(self) -> int:
        async with db.transaction():
            await lots.lock_customers([self.customer_id])
            return await lots.refold(self.customer_id, "USD")

    async def _bring(self, one: dict, amount: int) -> None:
        delta = amount - one["stands"]
        async with db.transaction():
            await lots.lock_customers([self.customer_id])
            if delta:
                one["postings"] += 1
                expense = AccountName("store", self.shop.id, "reward_expense", "USD")
                credit = AccountName("customer", self.customer_id, "store_credit", "USD")
                legs = [Leg(expense, delta), Leg(credit, -delta)]
                await post("accrue", "friend_reward", one["id"], one["postings"], legs, reason="friend_reward")
            one["stands"] = amount
            lot = lots.Grant(
                source=f"friend_reward:{one['id']}",
                store_id=self.shop.id,
                customer_id=self.customer_id,
                currency="USD",
                amount=amount,
                active_at=one["active_at"],
                expires_at=one["expires_at"],
            )
            await lots.grant_all([lot])

    async def state(self) -> list[tuple]:
        await self.spendable()
        rows = await db.fetch(
            "SELECT granted, remaining, expired FROM credit_lot WHERE customer_id = $1 ORDER BY active_at, id",
            self.customer_id,
        )
        return [tuple(row) for row in rows]


async def a_till() -> Till:
    owner = await a_member()
    shop = await a_shop(f"till-{next(_numbers)}", owner_id=owner.id)
    customer_id = await db.fetch_val(
        "INSERT INTO customer (store_id, external_id, created_at) VALUES ($1, 'c1', $2) RETURNING id",
        shop.id,
        clock.now(),
    )
    return Till(shop, owner, customer_id)


@settings(
    max_examples=examples(200),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(what=st.lists(moves, min_size=4, max_size=10))
async def test_whatever_happens_what_is_left_of_the_lots_is_the_balance(house: object, what: list[tuple]):
    till = await a_till()
    try:
        for name, *words in what:
            await getattr(till, name)(*words)
        await till.state()
        # Theirs alone: who lived in another example's future is judged by its own clock.
        assert await check_lots_of(till.customer_id, "USD") == []
        owed = await db.fetch_val(
            """SELECT coalesce(sum(u.amount - coalesce(s.spent, 0)), 0)::bigint FROM credit_use u
                 LEFT JOIN (SELECT use_id, sum(amount) AS spent FROM credit_spend GROUP BY 1) s ON s.use_id = u.id
                WHERE u.customer_id = $1 AND u.undone_at IS NULL""",
            till.customer_id,
        )
        balance = await db.fetch_val(
            """SELECT -coalesce(sum(e.amount), 0)::bigint
                 FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
                WHERE a.owner_kind = 'customer' AND a.owner_id = $1""",
            till.customer_id,
        )
        assert sum(remaining for _granted, remaining, _expired in await till.state()) - owed == balance
    finally:
        clock.travel_home()


@settings(
    max_examples=examples(20),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.sampled_from([100, 333]),
    second=st.sampled_from([0, 500]),
    spent=st.sampled_from([0, 50, 333]),
    left=st.sampled_from([0, 50, 100]),
)
async def test_the_end_of_a_lot_and_its_refund_commute(house: object, first: int, second: int, spent: int, left: int):
    """Taken back before or after it ended, and before or after anybody noticed: the same lots, the same balance."""
    ends = []
    for order_of in itertools.permutations(("take_back", "sweep")):
        for is_late in (True, False):
            till = await a_till()
            try:
                await till.grant(first, 0, 5)
                if second:
                    await till.grant(second, 1, 30)
                await till.days(2)
                if spent:
                    await till.spend(spent)
                if is_late:
                    await till.days(10)
                for name in order_of:
                    await (till.take_back(0, left) if name == "take_back" else till.sweep())
                if not is_late:
                    await till.days(10)
                ends.append(await till.state())
                assert await check_lots_of(till.customer_id, "USD") == []
            finally:
                clock.travel_home()
    assert all(one == ends[0] for one in ends), ends


# --- through the doors -----------------------------------------------------------------------------------------


async def bob_buys(web: Browser, ines: Person, bob: Person, *, wait: int = 0, days: int = 30) -> tuple[Shop, str]:
    mara = await a_member("mara")
    shop = await a_shop_of(ines, terms=Terms(friend=Friend("percent", 500, 0, wait, days)))
    gv = await click(web(), (await a_link(web, mara))["code"])
    buyer = {"id": "c1", "email": f"{bob.handle}@example.org"}
    await tell(web, shop, "order.paid", order("o1", gv=gv, customer=buyer))
    return shop, gv


async def shown(web: Browser, ines: Person) -> tuple[list[int], list[int]]:
    told = (await web(token=ines.token).get(f"{DOOR}/customers/c1")).json()
    return [one["amount"] for one in told["available"]], [one["left"]["amount"] for one in told["lots"]]


async def test_credit_waits_is_spent_and_ends_and_each_step_stands_in_the_books(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_buys(web, ines, bob, wait=14, days=30)
    client = web(token=ines.token)
    assert await shown(web, ines) == ([], [600]), "it does not count yet"
    assert "$6.00 begins to count later" in (await (await sign_in(web(), bob)).get("/earn/credit")).text
    assert (await client.post(f"{DOOR}/uses", json=use("early", 1))).status_code == 409
    clock.travel(timedelta(days=15))
    assert await shown(web, ines) == ([600], [600])
    assert (await client.post(f"{DOOR}/uses", json=use("cart-1", 250))).json()["left"]["amount"] == 350
    page = (await (await sign_in(web(), bob)).get("/earn/credit")).text
    assert "$3.50" in page and "some until" in page
    clock.travel(timedelta(days=30))
    assert await shown(web, ines) == ([], []), "over, whether anybody has swept or not"
    assert (await client.post(f"{DOOR}/uses", json=use("late", 1))).status_code == 409
    await lots.end_what_is_over()
    assert (await verify())[1] == []
    ended = await db.fetch_val(
        """SELECT -sum(e.amount)::bigint FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.kind = 'credit_expired'"""
    )
    assert ended == 350
    moves = (await web(token=bob.token).get("/api/v1/earn/credit")).json()["moves"]
    assert [(one["kind"], one["amount"]["amount"]) for one in moves] == [
        ("expired", -350),
        ("spent", -250),
        ("granted", 600),
    ]
    await books_are_right()


async def test_of_two_lots_the_older_one_is_spent_and_a_use_that_is_undone_goes_back_to_it(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    shop, gv = await bob_buys(web, ines, bob)
    clock.travel(timedelta(days=10))
    buyer = {"id": "c1", "email": "bob@example.org"}
    await tell(web, shop, "order.paid", order("o2", gv=gv, customer=buyer))
    client = web(token=ines.token)
    assert await shown(web, ines) == ([1_200], [600, 600])
    await client.post(f"{DOOR}/uses", json=use("cart-1", 700))
    assert await shown(web, ines) == ([500], [500])
    await client.delete(f"{DOOR}/uses/cart-1")
    assert await shown(web, ines) == ([1_200], [600, 600])
    await client.post(f"{DOOR}/uses", json=use("cart-2", 600))
    await tell(web, shop, "order.refunded", refund("r1", "o1", lines=[{"id": "l1", "quantity": 1, "amount": 6_000}]))
    assert await shown(web, ines) == ([300], [300]), "the newer lot fills what the refund took of the spent one"
    clock.travel(timedelta(days=25))  # the older lot is over, the newer one is not
    await lots.end_what_is_over()
    assert await shown(web, ines) == ([300], [300]) and (await verify())[1] == []


async def test_of_ten_carts_and_the_end_at_once_the_books_hold(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    shop, _gv = await bob_buys(web, ines, bob)
    client = web(token=ines.token)
    clock.travel(timedelta(days=29, hours=23, minutes=59, seconds=59))
    refunded = refund("r1", "o1", lines=[{"id": "l1", "quantity": 1, "amount": 6_000}])
    await asyncio.gather(
        *(client.post(f"{DOOR}/uses", json=use(f"cart-{n}", 100)) for n in range(10)),
        lots.end_what_is_over(),
        tell(web, shop, "order.refunded", refunded),
    )
    clock.travel(timedelta(hours=1))
    await lots.end_what_is_over()
    assert (await verify())[1] == []


async def test_a_shop_says_in_its_rules_when_credit_counts_and_ends(web: Browser):
    ines = await a_member("ines")
    await a_shop_of(ines)
    await publish_rules("north", Rules(rate_bps=1000), terms=Terms(friend=Friend("percent", 500, 0, 14, 90)))
    page = (await (await sign_in(web(), ines)).get("/admin/programs/north/rules")).text
    assert re.search(r'name="friend_wait"[^>]* value="14"', page) and re.search(
        r'name="friend_days"[^>]* value="90"', page
    )
    told = (await web(token=ines.token).get("/api/v1/stores/north/program")).text
    assert '"wait_days":14' in told.replace(" ", "")


async def test_lots_that_were_tampered_with_are_found(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_buys(web, ines, bob)
    assert await check_credit_lots() == []
    for change, undo in (
        ("UPDATE credit_lot SET remaining = 599", "UPDATE credit_lot SET remaining = 600"),
        ("UPDATE credit_lot SET granted = 700", "UPDATE credit_lot SET granted = 600"),
        ("UPDATE credit_lot SET expired = 1", "UPDATE credit_lot SET expired = 0"),
    ):
        await db.execute(change)
        assert await check_credit_lots() != [], change
        await db.execute(undo)
    assert await check_credit_lots() == []
