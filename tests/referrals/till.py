"""A shop whose orders are told straight to the service: what rules and limits make of them, without the post."""

from datetime import datetime
from uuid import UUID

from app import clock, db
from referrals.commissions.service import settle
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Terms
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold
from storefront.orders.service import apply_order, apply_refund
from storefront.stores.queries import store_by_slug
from tests.factories import Browser, Person
from tests.referrals.cast import a_link, a_paying_shop, click
from tests.storefront.shop import Shop


async def a_shop_that_pays(terms: Terms, slug: str = "north", *, currency: str = "USD", **rules: object) -> Shop:
    shop = await a_paying_shop(slug, currency=currency, **rules)
    await publish_rules(slug, Rules(**{"rate_bps": 1000, **rules}), terms=terms)  # type: ignore[arg-type]
    return shop


async def a_click(web: Browser, person: Person, shop: Shop) -> str:
    slug = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1 ORDER BY id LIMIT 1", shop.id)
    return await click(web(), (await a_link(web, person, f"product:{slug}"))["code"])


def a_line(line_id: str = "l1", gross: int = 10_000, *, sku: str = "SKU-1", quantity: int = 1, discount: int = 0):
    return LineTold(line_id, sku, "Thing", quantity, gross, discount, 0)


async def sell(
    shop: Shop,
    gv: str,
    order_id: str,
    *lines: LineTold,
    buyer: str = "bob",
    codes: tuple[str, ...] = (),
    currency: str = "USD",
    at: datetime | None = None,
    settled: bool = True,
) -> int:
    """An order is told, and folded; its id."""
    at = at or clock.now()
    told = OrderTold(
        happening="paid",
        happened_at=at,
        external_id=order_id,
        updated_at=at,
        currency=currency,
        lines=list(lines) or [a_line()],
        customer=CustomerTold(buyer, f"{buyer}@example.net") if buyer else None,
        placed_at=at,
        paid_at=at,
        gv=UUID(gv) if gv else None,
        codes=list(codes),
    )
    await apply_order(await store_by_slug(shop.slug), told)
    found: int = await db.fetch_val("SELECT id FROM orders WHERE store_id = $1 AND external_id = $2", shop.id, order_id)
    if settled:
        await settle(found)
    return found


async def give_back(
    shop: Shop,
    order_id: str,
    refund_id: str,
    amount: int,
    *,
    line: str = "l1",
    quantity: int = 0,
    currency: str = "USD",
    settled: bool = True,
) -> None:
    told = RefundTold(refund_id, order_id, currency, clock.now(), [RefundLineTold(line, quantity, amount)])
    await apply_refund(await store_by_slug(shop.slug), told)
    found = await db.fetch_val("SELECT id FROM orders WHERE store_id = $1 AND external_id = $2", shop.id, order_id)
    if settled:
        await settle(found)


async def limits_of(shop: Shop) -> dict[str, tuple[int, int]]:
    """What is used and allowed, by kind and name."""
    rows = await db.fetch(
        """SELECT l.kind || ' ' || l.name AS name, l.used, l.most,
                  (SELECT coalesce(sum(c.reserved), 0) FROM commission_limit_use u JOIN commission c
                       ON c.id = u.commission_id WHERE u.limit_id = l.id)::bigint AS reserved
             FROM commission_limit l JOIN program p ON p.id = l.program_id WHERE p.store_id = $1""",
        shop.id,
    )
    assert all(row["used"] == row["reserved"] for row in rows)
    return {row["name"]: (row["used"], row["most"]) for row in rows}
