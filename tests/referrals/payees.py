"""Members with money at hand, a shop with people who may approve, and a bank that is played by hand."""

from datetime import timedelta

import msgspec

from app import clock, db
from referrals.clicks import directory
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs
from tests.referrals.cast import a_link, a_paying_shop, click, tell
from tests.storefront.shop import Shop, line, order

IBAN = "DE89370400440532013000"
OTHER_IBAN = "GB29NWBK60161331926819"


class House(msgspec.Struct):
    """A shop with an owner who asks for batches, and two admins who approve them."""

    shop: Shop
    owner: Person
    ada: Person
    ben: Person


async def a_house(slug: str = "north", *, currency: str = "USD", **rules: object) -> House:
    shop = await a_paying_shop(slug, currency=currency, **{"hold_days": 0, "rate_bps": 1000, **rules})
    owner = await a_member(f"owner-{slug}")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    ada = await a_member(f"ada-{slug}", role="admin")
    return House(shop, owner, ada, await a_member(f"ben-{slug}", role="admin"))


async def earn(web: Browser, shop: Shop, member: Person, order_id: str, gross: int, *, currency: str = "USD") -> None:
    """An order of so much came by a link of theirs, and its hold is over: a tenth of it is theirs to take."""
    product = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1 ORDER BY id LIMIT 1", shop.id)
    code = (await a_link(web, member, f"product:{product}"))["code"]
    directory.forget(code)
    sold = order(order_id, gv=await click(web(), code), currency=currency, lines=[line(gross=gross, discount=0)])
    await tell(web, shop, "order.paid", sold | {"customer": {"id": f"c-{order_id}"}})
    await ripen()


async def ripen() -> None:
    """What was screened, and has no time left on hold, is released."""
    from referrals.commissions.release import release_due

    await db.execute("UPDATE commission SET screened_at = coalesce(screened_at, created_at)")
    await release_due()
    await run_jobs()


async def a_bank_account(member: Person, account: str = IBAN, *, rested: bool = True) -> int:
    from referrals.payouts.methods import add_method

    told = {"holder": member.handle.title(), "account": account, "bic": ""}
    method_id = await add_method(member.viewer, "bank", told, password=PASSWORD)
    if rested:
        clock.travel(timedelta(hours=73))
    await run_jobs()
    return method_id


async def money_at_south(web: Browser, member: Person) -> tuple[str, str]:
    """A payout of theirs that waits for a batch, the account it goes to, and 12 dollars more to take."""
    from referrals.payouts.claims import Figures, ask_for_payout

    shop = await a_paying_shop("south", hold_days=0)
    await earn(web, shop, member, "2001", 50_000)
    method_id = await a_bank_account(member, rested=False)
    await db.execute("UPDATE payout_method SET usable_at = created_at")
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", shop.id)
    assert store is not None
    payout_id = await ask_for_payout(member.viewer, store, "USD", "bank", Figures(5_000, 5_000))
    await earn(web, shop, member, "2002", 12_000)
    return str(payout_id), str(method_id)


async def the_payout_of(member: Person) -> dict:
    row = await db.fetch_one("SELECT * FROM payout WHERE member_id = $1 ORDER BY id DESC LIMIT 1", member.id)
    return dict(row) if row else {}


async def all_is_right() -> None:
    """The ledger, the commissions and the payouts, each worked out anew."""
    from referrals.payouts.audit import check_payouts
    from tests.referrals.cast import books_are_right

    await books_are_right()
    assert await check_payouts() == []
