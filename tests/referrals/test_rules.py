"""What a store pays: its owner sets the rules, and each order keeps those it was told under."""

import asyncio
import itertools
import random
from datetime import timedelta
from functools import partial

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.errors import Invalid
from referrals.commissions import service
from referrals.commissions.audit import check_commissions
from referrals.partners.service import agree_rate, set_tier
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, CodeRate, Exclusion, Friend, Margin, Recruiting, Rule, Terms
from tests.conftest import examples
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import a_paying_shop, books_are_right, standing
from tests.referrals.till import a_click, a_line, a_shop_that_pays, give_back, sell
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


async def test_only_its_owner_and_admins_see_a_stores_programme(web: Browser):
    owner, admin, stranger = await a_member("ona"), await a_member("ada", role="admin"), await a_member("sam")
    await a_shop("south", owner_id=owner.id)
    await a_paying_shop("north")
    seen = await (await sign_in(web(), owner)).get("/admin/programs")
    assert "South" in seen.text and "North" not in seen.text
    everything = await (await sign_in(web(), admin)).get("/admin/programs")
    assert "South" in everything.text and "North" in everything.text
    assert (await (await sign_in(web(), owner)).get("/admin/programs/south")).status_code == 200
    assert (await (await sign_in(web(), stranger)).get("/admin/programs/south")).status_code == 403
    assert (await web().get("/admin/programs/south")).status_code in (302, 303, 401)
    assert (await (await sign_in(web(), owner)).get("/admin/programs/nowhere")).status_code == 404


# --- which rule pays -------------------------------------------------------------------------------------------


async def paid(shop, gv: str, order_id: str, *lines, **how) -> list[tuple[str, int]]:
    """What each line of an order was granted, and by which rule."""
    found = await sell(shop, gv, order_id, *lines, **how)
    rows = await db.fetch("SELECT rule, granted FROM commission WHERE order_id = $1 ORDER BY order_line_id, id", found)
    return [(row["rule"], row["granted"]) for row in rows]


async def test_the_most_specific_rule_pays(web: Browser):
    kol = await a_member("kol")
    terms = Terms(
        currency="USD",
        rules=[
            Rule(name="Shop", rate_bps=500),
            Rule(name="Ours", scope="brand", value="north", rate_bps=600),
            Rule(name="Bags", scope="category", value="Bags", rate_bps=700),
            Rule(name="Packs", scope="category", value="bags > Packs", rate_bps=800),
            Rule(name="This one", scope="product", value="SKU-9", kind="flat", amount=250),
        ],
        deny=[Exclusion(scope="category", value="Gift cards")],
        sale_bps=3000,
    )
    shop = await a_shop_that_pays(terms)
    about = {"1": ("", ""), "2": ("Tents", "North"), "3": ("Bags / Totes", "North"), "4": ("Bags/Packs/Small", "North")}
    for number, (category, brand) in {**about, "9": ("Bags / Packs", "North"), "5": ("Gift Cards", "North")}.items():
        await a_product(shop, f"SKU-{number}", title=f"Thing {number}", category=category, brand=brand)
    gv = await a_click(web, kol, shop)
    lines = [a_line(f"l{n}", 10_000, sku=f"SKU-{n}", quantity=2) for n in "12349"]
    unpaid = [a_line("gift", 10_000, sku="SKU-5"), a_line("sale", 10_000, sku="SKU-9", discount=3_001)]
    assert await paid(shop, gv, "1", *lines, *unpaid) == [
        ("Shop", 500), ("Ours", 600), ("Bags", 700), ("Packs", 800), ("This one", 500),
    ]  # fmt: skip
    await books_are_right()


async def test_a_flat_amount_goes_with_the_units(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", rules=[Rule(name="each", kind="flat", amount=333)]))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line(gross=10_000, quantity=3))
    assert await standing(kol) == {("pending", "USD"): 999}
    await give_back(shop, "1", "r1", 3_334, quantity=1)
    assert await standing(kol) == {("pending", "USD"): 666}, "by units, whatever the money was rounded to"
    await give_back(shop, "1", "r2", 1_000)
    assert await standing(kol) == {("pending", "USD"): 599}, "a price lowered later lowers it in proportion"
    await give_back(shop, "1", "r3", 5_666, quantity=2)
    assert await standing(kol) == {}
    await sell(shop, gv, "2", a_line(gross=100, quantity=3), buyer="eve")
    assert await standing(kol) == {("pending", "USD"): 100}, "never more than was paid"
    await books_are_right()


async def test_rules_edited_later_do_not_change_what_was_earned(web: Browser):
    """The mistake of a well-known loyalty program: 50 earned, 100 taken back by the rule of today."""
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", rules=[Rule(name="Spring", rate_bps=500)]))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line(gross=1_000))
    assert await standing(kol) == {("pending", "USD"): 50}
    await publish_rules("north", terms=Terms(currency="USD", rules=[Rule(name="Summer", rate_bps=1000)]))
    await give_back(shop, "1", "r1", 500)
    assert await standing(kol) == {("pending", "USD"): 25}
    await give_back(shop, "1", "r2", 500)
    assert await standing(kol) == {}
    row = await db.fetch_one("SELECT rule, rate_bps, how FROM commission")
    assert row and (row["rule"], row["rate_bps"], row["how"]["rate_bps"]) == ("Spring", 500, 500)
    clock.travel(timedelta(seconds=1))
    assert await paid(shop, gv, "2", a_line(gross=1_000), buyer="eve") == [("Summer", 100)]
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute("UPDATE program_version SET rate_bps = 1")
    await books_are_right()


async def test_a_tier_and_an_agreed_rate_and_a_season(web: Browser):
    owner, kol, gold = await a_member("ona"), await a_member("kol"), await a_member("gold")
    now = clock.now()
    terms = Terms(
        currency="USD",
        rules=[
            Rule(name="Gold", tier="gold", rate_bps=2000),
            Rule(name="Season", rate_bps=1500, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=2)),
        ],
    )
    shop = await a_shop_that_pays(terms)
    await set_tier("north", "gold", "Gold", owner.viewer)
    mine, theirs = await a_click(web, kol, shop), await a_click(web, gold, shop)
    assert await paid(shop, theirs, "1", buyer="b1") == [("Gold", 2000)]
    assert await paid(shop, mine, "2", buyer="b2") == [("Season", 1500)]
    await agree_rate("north", "kol", 2500, now + timedelta(days=10), owner.viewer, note="for the fair")
    assert await paid(shop, mine, "3", buyer="b3") == [("override", 2500)]
    clock.travel(timedelta(days=3))
    assert await paid(shop, mine, "4", buyer="b4", at=clock.now()) == [("override", 2500)]
    clock.travel(timedelta(days=8))
    assert await paid(shop, mine, "5", buyer="b5", at=clock.now()) == [("plain", 1000)], "it has ended"
    await books_are_right()


async def test_an_order_with_a_code_pays_the_rate_of_the_code(web: Browser):
    kol = await a_member("kol")
    terms = Terms(
        rules=[Rule(name="Shop", rate_bps=1500)],
        codes=[CodeRate("SUMMER20", 400), CodeRate("PARTNER", 2000, "instead")],
    )
    shop = await a_shop_that_pays(terms)
    gv = await a_click(web, kol, shop)
    assert await paid(shop, gv, "1", codes=("summer20",)) == [("Shop", 400)]
    assert await paid(shop, gv, "2", codes=("Partner",), buyer="eve") == [("Shop", 2000)]
    assert await paid(shop, gv, "3", codes=("other",), buyer="joe") == [("Shop", 1500)]
    await books_are_right()


async def test_a_line_never_pays_more_than_its_part_of_the_margin(web: Browser):
    kol = await a_member("kol")
    terms = Terms(margins=[Margin(margin_bps=800)], margin_share_bps=5000)
    shop = await a_shop_that_pays(terms)
    assert await paid(shop, await a_click(web, kol, shop), "1") == [("plain", 400)]
    await books_are_right()


# --- which order pays ------------------------------------------------------------------------------------------


async def test_only_the_first_order_pays_also_when_it_is_told_last(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(pays_for="first_order"))
    gv = await a_click(web, kol, shop)
    now = clock.now()
    await sell(shop, gv, "second", at=now)
    assert await standing(kol) == {("pending", "USD"): 1000}
    await sell(shop, gv, "first", a_line(gross=500), at=now - timedelta(hours=1))
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 50}, "the earlier one is the first"
    await books_are_right()


async def test_new_means_new_in_every_store_and_as_a_guest(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(pays_for="new_customer"))
    other = await a_paying_shop("south")
    gv = await a_click(web, kol, shop)
    await sell(other, "", "0", buyer="bob", at=clock.now() - timedelta(days=1))
    assert await paid(shop, gv, "1", buyer="bob") == [], "bob bought elsewhere, by the same e-mail"
    assert await paid(shop, gv, "2", buyer="eve") == [("plain", 1000)]
    assert await paid(shop, gv, "3", buyer="eve") == []
    assert await paid(shop, gv, "4", buyer="") == [], "nobody knows who this was"
    await books_are_right()


async def test_so_many_orders_or_so_many_months_of_a_customer_pay(web: Browser):
    kol = await a_member("kol")
    by_orders = await a_shop_that_pays(Terms(pays_for="first_orders", pays_for_n=2), "north")
    by_months = await a_shop_that_pays(Terms(pays_for="first_months", pays_for_n=1), "south", window_days=90)
    gv = await a_click(web, kol, by_orders)
    start = clock.now()
    counts = [len(await paid(by_orders, gv, str(n), at=start + timedelta(minutes=n))) for n in range(4)]
    assert counts == [1, 1, 0, 0]
    gv = await a_click(web, kol, by_months)
    counts = [len(await paid(by_months, gv, str(n), at=start + timedelta(days=n))) for n in (0, 20, 27, 32)]
    assert counts == [1, 1, 1, 0]
    await books_are_right()


# --- the other sides -------------------------------------------------------------------------------------------


async def test_the_buyer_gets_their_side_and_gives_it_back_with_the_refund(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(friend=Friend(kind="percent", rate_bps=500)))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line(gross=10_000))
    assert await credit_of(shop) == 500
    await give_back(shop, "1", "r1", 4_000)
    assert await credit_of(shop) == 300
    await give_back(shop, "1", "r2", 6_000)
    assert await credit_of(shop) == 0 and await standing(kol) == {}
    await sell(shop, "", "2", buyer="eve")
    assert await credit_of(shop) == 0, "nobody sent eve"
    await books_are_right()


async def credit_of(shop) -> int:
    found: int = await db.fetch_val(
        """SELECT coalesce(-sum(e.amount), 0)::bigint FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
             JOIN customer c ON c.id = a.owner_id AND c.store_id = $1
            WHERE a.owner_kind = 'customer' AND a.kind = 'store_credit'""",
        shop.id,
    )
    return found


async def test_a_recruiter_gets_a_share_of_commission_where_it_is_lawful(web: Browser):
    top, kol = await a_member("top"), await a_member("kol")
    await brought(kol, top)
    shop = await a_shop_that_pays(
        Terms(currency="USD", recruiting=Recruiting(share_bps=1000), market="US", caps=Caps(order=450))
    )
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line(gross=4_000))
    assert await standing(kol) == {("pending", "USD"): 400}
    assert await standing(top) == {("pending", "USD"): 40}
    await give_back(shop, "1", "r1", 2_000)
    assert (await standing(kol), await standing(top)) == ({("pending", "USD"): 200}, {("pending", "USD"): 20})
    await give_back(shop, "1", "r2", 2_000)
    assert (await standing(kol), await standing(top)) == ({}, {})
    await books_are_right()


async def test_no_second_level_where_it_is_not_lawful_or_not_switched_on(web: Browser):
    shop = await a_paying_shop()
    for market in ("", "CN", "ZZ"):
        with pytest.raises(Invalid):
            await publish_rules("north", terms=Terms(recruiting=Recruiting(share_bps=1000), market=market))
    top, kol = await a_member("top"), await a_member("kol")
    await brought(kol, top)
    await sell(shop, await a_click(web, kol, shop), "1")
    assert await standing(top) == {} and await db.fetch_val("SELECT count(*) FROM recruit") == 0


async def test_there_is_no_third_level_and_no_loop(web: Browser):
    await a_paying_shop()
    program = await db.fetch_val("SELECT id FROM program")
    people = [await a_member(f"level{n}") for n in range(4)]

    async def recruit(member: int, recruiter: int) -> None:
        await db.execute(
            "INSERT INTO recruit (program_id, member_id, recruiter_id, since) VALUES ($1, $2, $3, now())",
            program, people[member].id, people[recruiter].id,
        )  # fmt: skip

    await recruit(1, 0)
    for member, recruiter in ((2, 1), (0, 1), (0, 3)):
        with pytest.raises(asyncpg.CheckViolationError):
            await recruit(member, recruiter)
    ends = await asyncio.gather(recruit(2, 3), recruit(3, 2), return_exceptions=True)
    assert [type(end) for end in ends].count(asyncpg.CheckViolationError) == 1


async def brought(member: Person, by: Person) -> None:
    await db.execute(
        "INSERT INTO signup_referral (member_id, referrer_id, created_at) VALUES ($1, $2, $3)",
        member.id, by.id, clock.now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE commission SET how = how || '{\"rate_bps\": 9000}'",
        "UPDATE commission SET how = how || '{\"rate_bps\": 9000}', rate_bps = 9000",
        "UPDATE commission SET granted = granted + 1",
        "UPDATE commission SET reserved = reserved - 1",
        "UPDATE commission_limit SET used = used - 1",
        'UPDATE friend_reward SET how = \'{"kind": "percent", "rate_bps": 600}\'',
        "DELETE FROM commission_limit_use; DELETE FROM commission_event; DELETE FROM commission",
    ],
)
async def test_whoever_tampers_with_rates_or_limits_is_found_out(web: Browser, tampering: str):
    kol = await a_member("kol")
    terms = Terms(currency="USD", rules=[Rule(name="Shop", rate_bps=500)], caps=Caps(order=400))
    shop = await a_shop_that_pays(msgspec.structs.replace(terms, friend=Friend(kind="percent", rate_bps=500)))
    await sell(shop, await a_click(web, kol, shop), "1")
    await books_are_right()
    async with db.acquired() as connection:
        await connection.execute(
            f"SET session_replication_role = replica; {tampering}; SET session_replication_role = origin"
        )
    assert await check_commissions()


@settings(
    max_examples=examples(15),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    told=st.lists(st.tuples(st.integers(1, 9_999), st.integers(1, 4)), min_size=1, max_size=3),
    backs=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4_000), st.integers(0, 2)), max_size=4),
    pays=st.sampled_from([{"rate_bps": 3333}, {"kind": "flat", "amount": 333}, {"kind": "flat", "amount": 9_999}]),
    lowered=st.sampled_from([[], [CodeRate("X", 777)], [CodeRate("X", 5_001, "instead")]]),
    friend=st.sampled_from([None, Friend("percent", 333), Friend("flat", amount=250)]),
    parts=st.sampled_from([(10_000,), (7_000, 3_000), (3_334, 3_333, 3_333)]),
    seed=st.integers(0, 10**6),
)
async def test_any_order_of_the_same_facts_under_any_terms_ends_at_the_same_sums(
    web: Browser,
    monkeypatch: pytest.MonkeyPatch,
    told: list,
    backs: list,
    pays: dict,
    lowered: list,
    friend: Friend | None,
    parts: tuple,
    seed: int,
):
    """Two shops hear the same story, one shuffled and twice; helpers have shares. What is given back is never more
    than was paid, or the order is in doubt."""
    sums = []
    number = next(_numbers)
    paid_left = [gross for gross, _quantity in told]
    given = []
    for at, amount, quantity in backs:
        if at < len(told) and amount <= paid_left[at]:
            paid_left[at] -= amount
            given.append((at, amount, quantity))
    for name, is_shuffled in ((f"a{number}", False), (f"b{number}", True)):
        kol = await a_member(f"kol-{name}")
        helpers = [await a_member(f"h{n}-{name}") for n in range(len(parts) - 1)]
        terms = Terms(currency="USD", rules=[Rule(name="all", **pays)], codes=lowered, friend=friend)
        shop = await a_shop_that_pays(terms, name)
        people = [kol, *helpers]
        monkeypatch.setattr(service, "attribute", partial(decided_with, members=people, parts=parts))
        lines = [a_line(f"l{n}", gross, quantity=quantity) for n, (gross, quantity) in enumerate(told)]
        events: list = ["sell", *((f"r{n}", *one) for n, one in enumerate(given))]
        if is_shuffled:
            events *= 2
            random.Random(seed).shuffle(events)
        for event in events:
            if event == "sell":
                await sell(shop, "", "1", *lines, codes=("x",))
            else:
                ref, at, amount, quantity = event
                await give_back(shop, "1", ref, amount, line=f"l{at}", quantity=quantity)
        sums.append([await standing(person) for person in people] + [{"credit": await credit_of(shop)}])
    assert sums[0] == sums[1]
    errors = [one for one in await check_commissions() if "nobody decided" not in one]
    assert errors == []


async def decided_with(order, members: list[Person], parts: tuple[int, ...]):
    """As a policy with shares would decide: the first is the sharer, the others helped."""
    known = await db.fetch_one("SELECT * FROM attribution WHERE order_id = $1", order["id"])
    if known:
        return known
    shares = [
        {"member_id": one.id, "role": "author" if n else "sharer", "bps": bps}
        for n, (one, bps) in enumerate(zip(members, parts, strict=True))
    ]
    return await db.fetch_one(
        """INSERT INTO attribution
                  (order_id, version, program_version_id, winner_id, rule, candidates, shares, decided_at)
           SELECT $1, 1, v.id, $2, 'carried', '[]', $3::jsonb, now() FROM program_version v
             JOIN program p ON p.id = v.program_id WHERE p.store_id = $4 ORDER BY v.version DESC LIMIT 1 RETURNING *""",
        order["id"],
        members[0].id,
        msgspec.json.encode(shares).decode(),
        order["store_id"],
    )
