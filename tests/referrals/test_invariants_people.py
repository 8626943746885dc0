"""What holds for whoever shares: nobody earns from themselves, and recruiting has two levels and no circle.

Generated, as test_invariants.py is.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import clock, db
from referrals.clicks.service import claim
from referrals.commissions.recruiting import note_recruiter
from referrals.commissions.release import release_due
from referrals.commissions.service import settle
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Recruiting, Terms
from storefront.orders.fingerprints import instrument_fingerprint
from storefront.orders.schemas import CustomerTold, OrderTold
from storefront.orders.service import apply_order
from storefront.stores.queries import store_by_slug
from tests.factories import Person, a_member
from tests.referrals.cast import books_are_right
from tests.referrals.quick import a_quick_click, a_quick_shop, cheap_passwords, forget_jobs, generated, run_jobs_of
from tests.referrals.till import a_line
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


@pytest.fixture
async def quick(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    cheap_passwords(monkeypatch)
    yield
    clock.travel_home()
    await books_are_right()


# --- nobody earns from what they bought themselves, or with a card of their own ---

OWN_WAYS = ["as_written", "loud", "plus", "dots", "signed_in"]
purchases = st.lists(
    st.tuples(st.sampled_from([*OWN_WAYS, "own_card", "stranger", "stranger"]), st.sampled_from([1, 333, 9_999])),
    min_size=1,
    max_size=6,
)


@generated(25)
@given(told=purchases)
@example(told=[("stranger", 9_999), *((way, 9_999) for way in [*OWN_WAYS, "own_card"])])
async def test_nobody_earns_from_themselves_whatever_they_call_themselves(quick: None, told: list[tuple[str, int]]):
    name = f"some.one{next(_numbers)}"
    mara, shop = await a_member(name.replace(".", "-")), await a_quick_shop()
    # A mailbox that has many spellings.
    await db.execute("UPDATE member SET email = $2 WHERE id = $1", mara.id, f"{name}@gmail.com")
    card = instrument_fingerprint(f"card-of-{name}")
    await buy(shop, "own", f"{name}@gmail.com", card=card)
    expected: dict[str, str] = {}
    try:
        for number, (way, gross) in enumerate(told):
            gv = await a_quick_click(shop, mara)
            if way == "signed_in":
                assert await claim(mara.id, gv.hex)
            stranger = f"s{number}-{name}@example.net"
            addresses = {
                "as_written": f"{name}@gmail.com",
                "loud": f" {name.upper()}@GMail.com ",
                "plus": f"{name}+deal{number}@googlemail.com",
                "dots": f"{name.replace('.', '')}@gmail.com",
            }
            used = card if way == "own_card" else instrument_fingerprint(f"card-{number}-{name}")
            await buy(shop, str(number), addresses.get(way, stranger), gv=gv, gross=gross, card=used)
            expected[str(number)] = {"own_card": "held", "stranger": "approved"}.get(way, "nothing")
        await run_jobs_of("referrals")
        clock.travel(timedelta(days=60))
        await release_due()
        await run_jobs_of("referrals")
        rows = await db.fetch(
            """SELECT o.external_id, c.state, c.granted FROM commission c JOIN orders o ON o.id = c.order_id
                WHERE o.store_id = $1 AND c.granted > 0""",
            shop.id,
        )
        earned = {row["external_id"]: row["state"] for row in rows}
        paying = {ref: state for ref, state in expected.items() if state != "nothing" and told[int(ref)][1] >= 5}
        assert earned == paying
    finally:
        clock.travel_home()
        await forget_jobs()


async def buy(shop: Shop, ref: str, email: str, *, gv: UUID | None = None, gross: int = 10_000, card: str = "") -> None:
    at = clock.now()
    told = OrderTold(
        happening="paid",
        happened_at=at,
        external_id=ref,
        updated_at=at,
        currency="USD",
        lines=[a_line(gross=gross)],
        customer=CustomerTold(f"c-{ref}-{uuid4().hex}", email),
        placed_at=at,
        paid_at=at,
        gv=gv,
        instrument=card,
    )
    await apply_order(await store_by_slug(shop.slug), told)
    found = await db.fetch_val("SELECT id FROM orders WHERE store_id = $1 AND external_id = $2", shop.id, ref)
    await settle(found)


# --- who recruited whom: two levels, no circle ---

CREW = 5


@pytest.fixture
async def crew(quick: None) -> list[Person]:
    return [await a_member(f"crew-{n}") for n in range(CREW)]


people = st.integers(0, CREW - 1)
brought = st.lists(st.tuples(people, people).filter(lambda two: two[0] != two[1]), max_size=8)


@generated(40)
@given(brought=brought, earning=st.lists(people, min_size=1, max_size=10), at_once=st.booleans())
@example(brought=[(1, 0), (2, 1), (0, 2)], earning=[2, 1, 0], at_once=True)
async def test_recruiting_has_two_levels_and_no_circle(
    crew: list[Person], brought: list[tuple[int, int]], earning: list[int], at_once: bool
):
    """Whoever brought whom to the community, and whoever earns first, or all of them in the same moment."""
    shop = await a_quick_shop()
    await db.execute("DELETE FROM signup_referral")
    for member, by in brought:
        await db.execute(
            """INSERT INTO signup_referral (member_id, referrer_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING""",
            crew[member].id, crew[by].id, clock.now(),
        )  # fmt: skip
    rules = await _recruiting_rules(shop)

    async def earns(member: int) -> None:
        async with db.transaction():
            await note_recruiter(crew[member].id, rules)

    if at_once:
        await asyncio.gather(*map(earns, earning))
    else:
        for member in earning:
            await earns(member)
    rows = await db.fetch(
        "SELECT member_id, recruiter_id FROM recruit WHERE program_id = $1 ORDER BY id", rules["program_id"]
    )
    below = {row["member_id"]: row["recruiter_id"] for row in rows}
    assert not set(below) & set(below.values()), "somebody was recruited and recruits: a third level, or a circle"
    who = {person.id: n for n, person in enumerate(crew)}
    first = dict(reversed(brought))
    assert all(first[who[member]] == who[by] for member, by in below.items())
    # And nobody was passed over who could have been taken: the one who earns first finds nobody in the way.
    if not at_once and earning[0] in first:
        assert crew[earning[0]].id in below


async def _recruiting_rules(shop: Shop) -> asyncpg.Record:
    terms = Terms(currency="USD", market="GB", recruiting=Recruiting(share_bps=500))
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=terms)
    row = await db.fetch_one(
        """SELECT v.* FROM program_version v JOIN program p ON p.id = v.program_id
            WHERE p.store_id = $1 ORDER BY v.id DESC LIMIT 1""",
        shop.id,
    )
    assert row is not None
    return row
