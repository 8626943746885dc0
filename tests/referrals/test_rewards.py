"""What is earned without an order line: a month's volume, an active new member, a conversion."""

import itertools
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.money import share_of
from referrals.commissions import postings, rewards
from referrals.commissions.audit import check_commissions
from referrals.commissions.holds import reject
from referrals.commissions.limits import set_budget
from referrals.commissions.release import release_due
from referrals.commissions.volume import addition, restore
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, EventPay, Step, Terms, Volume
from tests.conftest import examples
from tests.factories import Browser, a_group, a_member, run_jobs
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_line, a_shop_that_pays, give_back, sell

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


def stepped(mode: str) -> Terms:
    return Terms(currency="USD", volume=Volume(mode, [Step(10_000, 1500), Step(30_000, 2000)]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "sold", "more"),
    [
        ("marginal", 10_000, 0),
        ("marginal", 20_000, 500),
        ("marginal", 40_000, 1_000 + 1_000),
        ("retroactive", 9_999, 0),
        ("retroactive", 10_000, 500),
        ("retroactive", 40_000, 4_000),
    ],
)
def test_the_steps_of_a_month(mode: str, sold: int, more: int):
    volume = stepped(mode).volume
    assert volume and addition(volume, 1000, sold) == more


@pytest.mark.parametrize("mode", ["marginal", "retroactive"])
async def test_a_month_that_goes_well_pays_more_and_a_refund_takes_it_back(web: Browser, mode: str):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(stepped(mode))
    gv = await a_click(web, kol, shop)
    for number in range(4):
        await sell(shop, gv, str(number), buyer=f"b{number}")
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 4_000 + (2_000 if mode == "marginal" else 4_000)}
    await books_are_right()
    for number in range(4):
        await give_back(shop, str(number), f"r{number}", 10_000 if number else 5_000)
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 500}
    reasons = await db.fetch("SELECT DISTINCT reason FROM ledger_transaction WHERE kind IN ('accrue', 'reduce')")
    assert "rerated" in {row["reason"] for row in reasons}
    await books_are_right()


@settings(
    max_examples=examples(8),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    told=st.lists(
        st.tuples(st.integers(1, 30_000), st.lists(st.integers(1, 9_000), max_size=2)), min_size=1, max_size=4
    ),
    mode=st.sampled_from(["marginal", "retroactive"]),
    seed=st.integers(0, 10**6),
)
async def test_in_whatever_order_a_month_is_told_it_ends_at_the_same_sum(
    web: Browser, told: list, mode: str, seed: int
):
    name = f"v{next(_numbers)}"
    kol = await a_member(f"kol-{name}")
    shop = await a_shop_that_pays(stepped(mode), name)
    gv = await a_click(web, kol, shop)
    events: list = [("sell", n, gross) for n, (gross, _backs) in enumerate(told)]
    events += [(f"r{n}-{m}", n, back) for n, (_gross, backs) in enumerate(told) for m, back in enumerate(backs)]
    events *= 2
    random.Random(seed).shuffle(events)
    for what, number, amount in events:
        if what == "sell":
            await sell(shop, gv, str(number), a_line(gross=amount), buyer=f"b{number}")
        else:
            await give_back(shop, str(number), what, amount)
    await run_jobs()
    left = [max(0, gross - sum(backs)) for gross, backs in told]
    volume = stepped(mode).volume
    assert volume
    wanted = sum(share_of(one, 1000) for one in left) + addition(volume, 1000, sum(left))
    assert (await standing(kol)).get(("pending", "USD"), 0) == wanted
    await books_are_right()


async def test_a_new_member_pays_when_active_not_when_signed_up(web: Browser):
    kol, new = await a_member("kol"), await a_member("new", email_is_proven=False)
    shop = await a_shop_that_pays(Terms(currency="USD", activation=250))
    gv = await a_click(web, kol, shop)
    await db.execute(
        "INSERT INTO signup_referral (member_id, referrer_id, click_id, created_at) VALUES ($1, $2, $3::uuid, $4)",
        new.id, kol.id, gv, clock.now(),
    )  # fmt: skip
    await a_group(new, "tea")
    as_new = web(token=new.token)
    topic = await as_new.post("/api/v1/groups/tea/topics", json={"title": "Which leaves?", "body": "Mine are bitter."})
    assert topic.status_code == 201
    await run_jobs()
    assert await standing(kol) == {}, "an e-mail that nobody proved"
    await db.execute("UPDATE member SET email_proven_at = now() WHERE id = $1", new.id)
    for _ in range(2):
        await rewards.consider_activation(new.id)
    assert await standing(kol) == {("pending", "USD"): 250}
    seen = (await web(token=kol.token).get("/api/v1/earn/commissions")).json()["items"]
    assert [(one["title"], one["amount"]["amount"]) for one in seen] == [("A new member became active", 250)]
    await run_jobs()
    await books_are_right()


async def test_a_conversion_pays_what_the_rules_name_once(web: Browser):
    owner, kol = await a_member("ona"), await a_member("kol")
    pays = [EventPay("trial", amount=200), EventPay("course", "percent", 500)]
    shop = await a_shop_that_pays(Terms(currency="USD", budget="Leads", events=pays))
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await set_budget(await db.fetch_val("SELECT id FROM program"), "Leads", 650, "USD")
    gv = await a_click(web, kol, shop)
    as_owner = web(token=owner.token)
    told = [
        {"id": "1", "kind": "trial", "quantity": 2},
        {"id": "1", "kind": "trial", "quantity": 2},
        {"id": "2", "kind": "course", "value": {"amount": 4_000, "currency": "USD"}},
        {"id": "3", "kind": "unknown"},
        {"id": "4", "kind": "trial"},
    ]
    for one in told:
        answer = await as_owner.post("/api/v1/conversions", json={"store": "north", "gv": gv} | one)
        assert answer.status_code in (200, 201), answer.text
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 650}, "400 and 200, and what the budget had left"
    await books_are_right()
    await publish_rules("north", terms=Terms())
    await books_are_right()


async def test_such_commissions_are_held_and_released_like_any_other(web: Browser):
    kol = await a_member("kol")
    await a_shop_that_pays(Terms())
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY version DESC LIMIT 1")
    assert rules
    async with db.transaction():
        first = await rewards.grant(
            "test:1", rules, member_id=kol.id, role="sharer", rule="x", amount=77, currency="USD", reason="lead"
        )
        again = await rewards.grant(
            "test:1", rules, member_id=kol.id, role="sharer", rule="x", amount=77, currency="USD", reason="lead"
        )
    assert first and again is None
    await run_jobs()
    clock.travel(timedelta(days=15))
    assert await release_due() == 1 and await standing(kol) == {("available", "USD"): 77}
    await rewards.take_back("test:1", "in_doubt")
    assert await standing(kol) == {}
    await books_are_right()
    await db.execute("UPDATE commission SET granted = 78, state = 'pending'")
    assert await check_commissions()


async def test_what_an_appeal_opens_again_stands_again(web: Browser):
    kol = await a_member("kol")
    await a_shop_that_pays(Terms(currency="USD", budget="Leads"))
    await set_budget(await db.fetch_val("SELECT id FROM program"), "Leads", 100, "USD")
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY version DESC LIMIT 1")
    assert rules
    async with db.transaction():
        one = await rewards.grant(
            "test:1", rules, member_id=kol.id, role="sharer", rule="x", amount=77, currency="USD", reason="lead"
        )
        assert one
        await reject([one], "confirmed")
    assert await standing(kol) == {}
    await books_are_right()
    async with db.transaction():
        await postings.take([postings.Step(one, "rejected", "pending", "appeal_upheld")])
        await restore([one])
    assert await standing(kol) == {("pending", "USD"): 77}
    await books_are_right()


async def test_a_cap_of_the_day_holds_for_what_is_earned_without_an_order(web: Browser):
    """A member who brings many at once gets what the day's cap leaves, the next day it begins anew."""
    shop = await a_shop_that_pays(Terms(currency="USD", caps=Caps(day=300)))
    kol = await a_member("kol")
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY id DESC LIMIT 1")

    async def bring(number: int) -> None:
        async with db.transaction():
            await rewards.grant(
                f"test:{number}", rules, member_id=kol.id, role="sharer", rule="x", amount=200,
                currency="USD", reason="lead",
            )  # fmt: skip

    for number in (1, 2, 3):
        await bring(number)
    assert await standing(kol) == {("pending", "USD"): 300}
    clock.travel(timedelta(days=1))
    await bring(4)
    assert await standing(kol) == {("pending", "USD"): 500}
    assert shop
    await books_are_right()
