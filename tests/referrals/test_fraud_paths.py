"""Clusters, sites that are new to a link, paths that buyers do not take: by the doors, each beside honest people."""

from datetime import timedelta
from itertools import pairwise

import pytest

from app import clock, db
from app.db import watch_queries
from referrals.fraud import clusters, evidence, screening
from referrals.fraud.words import evidence_words
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import CHROME, a_link, a_paying_shop, books_are_right, click, tell
from tests.referrals.test_fraud import HILL, a_sharer, bought, cases, states
from tests.storefront.shop import Shop, a_product, line, order

pytestmark = pytest.mark.anyio


async def evidence_of(rule: str) -> list[dict]:
    rows = await db.fetch("SELECT evidence FROM fraud_signal WHERE rule = $1 ORDER BY id", rule)
    return [row["evidence"] for row in rows]


# Clusters


async def by_one_another(web: Browser, shop: Shop, sharer: Person, buyer: str, times: int) -> None:
    code = (await a_link(web, sharer))["code"]
    for number in range(times):
        await bought(web, shop, f"{buyer}{number}", gv=await click(web(), code), who=buyer)


async def test_a_cluster_that_shares_signs_is_paid_up_to_its_cap(web: Browser):
    mara, _ben, _cleo = [await a_member(name) for name in ("mara", "ben", "cleo")]
    shop = await a_paying_shop()
    # Mara and Ben have a card in common; Ben and Cleo an address and a phone number; Mara and Cleo nothing.
    await bought(web, shop, "m", who="mara", payment_fingerprint="card_1")
    await bought(web, shop, "b1", who="ben", payment_fingerprint="card_1")
    for who in ("ben", "cleo"):
        told = {"id": who, "email": f"{who}@example.org", "name": who, "phone": "+49 171 1234567"}
        await tell(web, shop, "order.paid", order(f"own{who}", customer=told, shipping_address=HILL))
    await by_one_another(web, shop, mara, "cleo", 5)
    await bought(web, shop, "friend", gv=await click(web(), (await a_link(web, mara))["code"]))
    assert await states() == {
        "cleo0": "pending", "cleo1": "pending", "cleo2": "pending", "cleo3": "held", "cleo4": "held",
        "friend": "pending",
    }  # fmt: skip
    assert await cases() == [("cluster", "open")]
    first = (await evidence_of("cluster"))[0]
    assert first == {"members": 3, "orders": 4, "signs": {"address": 1, "card": 1, "phone": 1}}
    assert "3 members share: card × 1, address × 1, phone number × 1" in evidence_words("cluster", first)
    await books_are_right()


async def test_one_weak_sign_makes_no_cluster_of_flat_mates(web: Browser):
    mara, _ben, _cleo = [await a_member(name) for name in ("mara", "ben", "cleo")]
    shop = await a_paying_shop()
    for who in ("mara", "ben", "cleo"):
        await bought(web, shop, who, who=who, shipping_address=HILL)
    await by_one_another(web, shop, mara, "cleo", 6)
    assert set((await states()).values()) == {"pending"} and await cases() == []


async def test_a_campus_is_a_place_and_no_household(web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clusters, "WIDEST", 2)
    mara, _ben, _cleo = [await a_member(name) for name in ("mara", "ben", "cleo")]
    shop = await a_paying_shop()
    for who in ("mara", "ben", "cleo"):
        await bought(web, shop, who, who=who, payment_fingerprint="card_of_the_university")
    await by_one_another(web, shop, mara, "cleo", 6)
    assert set((await states()).values()) == {"pending"} and await cases() == []


async def test_looking_for_a_cluster_costs_a_fixed_number_of_queries(web: Browser):
    mara, ben = [await a_member(name) for name in ("mara", "ben")]
    shop = await a_paying_shop()
    await by_one_another(web, shop, mara, "ben", 1)
    subject = await evidence.subject_of(await db.fetch_val("SELECT id FROM commission"))
    assert subject is not None
    with watch_queries() as alone:
        assert await clusters.cluster_of(subject) == {}
    day = clock.now().date()
    chain = [mara, *[await a_member(f"member{n}") for n in range(6)], ben]
    for number, (one, next_) in enumerate(pairwise(chain)):
        for ago in range(2):
            rows = [(day - timedelta(days=ago), who.id, f"{number}-{ago}") for who in (one, next_)]
            for row in rows:
                await db.execute(
                    "INSERT INTO member_visitor (day, member_id, visitor_day_hash) VALUES ($1, $2, $3)", *row
                )
    with watch_queries() as along:
        assert await clusters.cluster_of(subject) == {}, "seven steps away is nobody's household"
    assert len(alone) <= len(along) <= clusters.MOST_HOPS + 1


# New sites


async def from_sites(web: Browser, code: str, sites: list[str], people: int = 2) -> list[str]:
    """So many people come from each site; the last click of each."""
    return [
        [await click(web(), code, agent=f"{CHROME} Edg/{n}", referer=f"https://{site}/post") for n in range(people)][-1]
        for site in sites
    ]


async def a_known_link(web: Browser, shop: Shop) -> str:
    """A link to which people come from a blog, for some weeks."""
    code = (await a_link(web, await a_member("mara")))["code"]
    await from_sites(web, code, ["blog.example"], people=20)
    clock.travel(timedelta(days=21))
    return code


DEALS = [f"deals{n}.example" for n in range(5)]


async def test_sales_by_way_of_many_new_sites_wait_and_the_old_blogs_do_not(web: Browser):
    shop = await a_paying_shop()
    code = await a_known_link(web, shop)
    visits = await from_sites(web, code, DEALS)
    await bought(web, shop, "deal", gv=visits[-1])
    [blog] = await from_sites(web, code, ["blog.example"])
    await bought(web, shop, "blog", gv=blog)
    assert await states() == {"deal": "held", "blog": "pending"} and await cases() == [("new_sites", "open")]
    [seen] = await evidence_of("new_sites")
    said = evidence_words("new_sites", seen)
    assert (seen["sites"], seen["usual"]) == (5, 1) and f"/r/{code}" in said and "deals0.example (2)" in said
    await books_are_right()


@pytest.mark.parametrize("sites", [DEALS[:4], [*DEALS[:3], "t.co", "www.google.com", "m.weibo.cn"]])
async def test_a_post_that_takes_off_does_not_wait(web: Browser, sites: list[str]):
    shop = await a_paying_shop()
    code = await a_known_link(web, shop)
    for number, gv in enumerate(await from_sites(web, code, sites, people=4)):
        await bought(web, shop, str(number), gv=gv)
    assert set((await states()).values()) == {"pending"} and await cases() == []


async def test_a_link_nobody_knew_has_no_new_sites(web: Browser):
    _mara, shop, code = await a_sharer(web)
    visits = await from_sites(web, code, DEALS)
    await bought(web, shop, "1", gv=visits[0])
    assert await states() == {"1": "pending"} and await cases() == []


# Paths


async def sold(
    web: Browser, shop: Shop, code: str, name: str, count: int, referer: str = "", sku: str = "SKU-1"
) -> None:
    for number in range(count):
        more = {"referer": referer} if referer else {}
        gv = await click(web(), code, **more)
        await bought(web, shop, f"{name}{number}", gv=gv, lines=[line(product_id=sku)])


async def two_who_share(web: Browser) -> tuple[Shop, str, str]:
    _mara, shop, code = await a_sharer(web, path_orders=10, orders_per_hour=1_000)
    await a_product(shop, "SKU-2", title="Other pack")
    return shop, code, (await a_link(web, await a_member("bob")))["code"]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"referer": "https://north.example/p/SKU-1"}, "10 of 10 orders began with a click inside the shop"),
        ({"sku": "SKU-2"}, "10 of 10 orders were without the product"),
    ],
)
async def test_orders_by_a_path_that_nobody_elses_take_wait(
    web: Browser, monkeypatch: pytest.MonkeyPatch, odd: dict, said: str
):
    monkeypatch.setattr("referrals.fraud.rules.FEWEST_OTHERS", 5)
    shop, code, honest = await two_who_share(web)
    await sold(web, shop, honest, "b", 10, referer="https://blog.example/post")
    await sold(web, shop, code, "m", 10, **odd)
    assert await screening.look_at_paths() == 1 and await screening.look_at_paths() == 0
    found = await states()
    assert {found[ref] for ref in found if ref[0] == "m"} == {"held"}
    assert {found[ref] for ref in found if ref[0] == "b"} == {"pending"}
    assert await cases() == [("odd_paths", "open")]
    [seen] = await evidence_of("odd_paths")
    assert said in evidence_words("odd_paths", seen) and "0 %" in evidence_words("odd_paths", seen)
    await books_are_right()


async def test_paths_that_everybodys_orders_take_are_nobodys_cheat(web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("referrals.fraud.rules.FEWEST_OTHERS", 5)
    shop, code, other = await two_who_share(web)
    for one, name in ((code, "m"), (other, "b")):
        await sold(web, shop, one, name, 10, referer="https://north.example/p/SKU-1", sku="SKU-2")
    assert await screening.look_at_paths() == 0 and await cases() == []


# The page


async def test_whoever_decides_sees_the_evidence_and_sets_the_figures(web: Browser):
    shop = await a_paying_shop()
    code = await a_known_link(web, shop)
    await bought(web, shop, "deal", gv=(await from_sites(web, code, DEALS))[-1])
    browser = await sign_in(web(), await a_member("olive", role="admin"))
    case_id = await db.fetch_val("SELECT id FROM fraud_case")
    shown = (await browser.get(f"/admin/programs/north/cases/{case_id}")).text
    assert "On many new sites at once" in shown and "deals0.example (2)" in shown
    chinese = (await browser.get(f"/admin/programs/north/cases/{case_id}", headers={"accept-language": "zh-CN"})).text
    assert "deals0.example (2)" in chinese
    limits = (await browser.get("/admin/programs/north/cases/limits")).text
    for field in ("cluster_orders", "new_sites", "path_distance_percent", "flood_data_centre_percent"):
        assert f'name="{field}"' in limits
    assert "*/checkout*" in limits and "xiaohongshu.com" in limits
