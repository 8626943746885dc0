"""Whoever a store pays is said to be paid beside what they write about it, also without any link or order of theirs."""

import pytest

from app import db
from referrals.campaigns import service
from referrals.commissions import rewards
from referrals.commissions.holds import reject
from referrals.links.service import close
from referrals.programs.terms import Terms
from tests.content.people import say
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, tell
from tests.referrals.test_campaigns import a_campaign, a_partner, a_store, an_offer, offered
from tests.referrals.till import a_shop_that_pays
from tests.storefront.shop import a_product, order

pytestmark = pytest.mark.anyio
ENGLISH = {"Accept-Language": "en"}
PAID, EARNS = "Paid by this shop", "Earns from their link"


async def pay(slug: str, person: Person, source: str, rule: str) -> int:
    """The store grants something that is no order's."""
    rules = await db.fetch_one(
        """SELECT v.* FROM program_version v JOIN program p ON p.id = v.program_id JOIN store s ON s.id = p.store_id
            WHERE s.slug = $1 ORDER BY v.version DESC LIMIT 1""",
        slug,
    )
    assert rules
    async with db.transaction():
        granted = await rewards.grant(
            source, rules, member_id=person.id, role="author", rule=rule, amount=500, currency="USD", reason="bounty"
        )
    assert granted
    return granted


async def flags(web: Browser, handle: str) -> tuple[bool, str, str, str, str]:
    """What is said beside their review: by the JSON door, the product's page, their profile, the search, the feed."""
    items = (await web().get("/api/v1/products/trail-pack/reviews")).json()["items"]
    told = next(one["earns_from_store"] for one in items if one["author"]["handle"] == handle)
    pages = [
        (await web().get(address, headers=ENGLISH)).text
        for address in ("/p/trail-pack", f"/@{handle}", "/search?q=unmistakable")
    ]
    said = [PAID if PAID in page else EARNS if EARNS in page else "" for page in pages]
    feed = (await web().get("/feeds/reviews.atom")).text
    return told, *said, "#ad" if "#ad" in feed else ""


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("bounty:7", "bounty"),
        ("activation:7", "activation"),
        ("conversion:7", "trial"),
        ("volume:1:1:2026-11:USD", "x"),
    ],
)
async def test_who_was_paid_for_something_else_than_an_order_is_flagged(web: Browser, source: str, rule: str):
    mia = await a_member("mia")
    await a_shop_that_pays(Terms())
    await say(mia, "trail-pack", 5, "An unmistakable pack.")
    assert await flags(web, "mia") == (False, "", "", "", "")
    granted = await pay("north", mia, source, rule)
    assert await flags(web, "mia") == (True, PAID, PAID, PAID, "#ad")
    async with db.transaction():
        await reject([granted], "confirmed")
    assert await flags(web, "mia") == (False, "", "", "", ""), "nothing stands of it"
    if not source.startswith(("volume", "conversion")):
        await books_are_right()


async def test_who_another_store_pays_is_not(web: Browser):
    mia = await a_member("mia")
    await a_shop_that_pays(Terms())
    south = await a_paying_shop("south")
    await a_product(south, "SKU-9", title="Southern hat")
    await say(mia, "trail-pack", 5, "An unmistakable pack.")
    await pay("south", mia, "bounty:7", "bounty")
    assert await flags(web, "mia") == (False, "", "", "", "")
    await books_are_right()


async def test_whoever_takes_up_a_campaign_is_flagged_before_any_fee_is_paid(web: Browser):
    _shop, owner = await a_store()
    kim = await a_partner("kim")
    await say(kim, "trail-pack", 4, "An unmistakable pack.")
    contract = await offered(owner, await a_campaign(await sign_in(web(), owner)), an_offer("kim", "150.00"))
    assert (await flags(web, "kim"))[0] is False, "an offer is not taken up yet"
    await service.answer(kim.viewer, contract, takes=True)
    await run_jobs()
    assert await flags(web, "kim") == (True, PAID, PAID, PAID, "#ad")
    await books_are_right()


async def test_who_took_the_link_down_keeps_the_flag_while_its_money_stands(web: Browser):
    mia, shop = await a_member("mia"), await a_paying_shop()
    code = (await a_link(web, mia))["code"]
    await say(mia, "trail-pack", 5, "An unmistakable pack.")
    assert await flags(web, "mia") == (True, EARNS, EARNS, EARNS, "#ad")
    await tell(web, shop, "order.paid", order(gv=await click(web(), code)))
    await close(mia.viewer, code)
    assert await flags(web, "mia") == (True, PAID, PAID, PAID, "#ad")
    await books_are_right()
