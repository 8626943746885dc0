"""<gv-earn> on a shop's own page: what its signed-in customer earns from that shop, and the way to more."""

import asyncpg
import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from app import clock, db
from app.auth import is_own_origin
from app.disclosure import MARKETS
from app.errors import Malformed
from app.limits import limit
from app.money import Money, format_money
from app.settings import settings
from app.web import address_of
from frontend.pages.disclosure import terms_of
from frontend.pages.shopper import email_of
from storefront.stores.queries import store_by_slug
from storefront.stores.secrets import valid_secrets


class Sum(msgspec.Struct):
    """Of one currency, in minor units, and as people read it."""

    currency: str
    pending: int
    """Earned, and waiting until returns are over."""
    available: int
    pending_text: str
    available_text: str


class WidgetEarner(msgspec.Struct):
    is_member: bool
    pays: str
    gift: str
    mark: str
    earn_url: str
    """The whole account; for whoever is no member yet, the way to become one."""
    people: int = 0
    """Who came by their links to this shop in thirty days."""
    orders: int = 0
    sums: list[Sum] = []


@post("/embed/v1/earn/{store:str}", include_in_schema=False, opt={"csrf_exempt": True}, status_code=200)
async def widget_earner(request: Request, store: FromPath[str]) -> Response[WidgetEarner]:
    """The body is the shop's token, as plain text: so no browser asks first, and no log keeps it.

    Only this shop's own figures are told, which it pays itself: its secret opens nobody's earnings elsewhere.
    """
    await limit("widget-earn", address_of(request), most=120, per=60)
    shop = await store_by_slug(store)
    try:
        token = (await request.body()).decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed() from error
    member_id = await _member_of(email_of(token, valid_secrets(shop)))
    headers = {"Cache-Control": "private, no-store", "Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"}
    origin = request.headers.get("origin")
    if origin and (origin == shop["origin"] or is_own_origin(origin, request.headers)):
        headers["Access-Control-Allow-Origin"] = origin
    return Response(await _describe(shop, member_id), media_type="application/json; charset=utf-8", headers=headers)


async def _member_of(email: str) -> int | None:
    """A member who proved this very address; a typed one is nobody's."""
    return await db.fetch_val(
        "SELECT id FROM member WHERE lower(email) = lower($1) AND email_proven_at IS NOT NULL", email
    )


async def _describe(shop: asyncpg.Record, member_id: int | None) -> WidgetEarner:
    terms = await terms_of([shop["id"]], [])
    told = WidgetEarner(
        is_member=member_id is not None,
        pays=terms.best,
        gift=terms.gift,
        mark=MARKETS[terms.market].mark if terms.market else "",
        earn_url=settings().base_url + ("/earn" if member_id else "/join?next=/earn"),
    )
    if member_id is None:
        return told
    row = await db.fetch_one(
        """SELECT (SELECT coalesce(sum(c.clicks), 0)::bigint FROM link l JOIN click_count c ON c.link_id = l.id
                    WHERE l.owner_id = $1 AND l.store_id = $2 AND c.kind = 'human'
                      AND c.day > ($3::timestamptz - interval '30 days')::date) AS people,
                  (SELECT count(DISTINCT c.order_id) FROM commission c JOIN orders o ON o.id = c.order_id
                    WHERE c.member_id = $1 AND o.store_id = $2
                      AND c.state NOT IN ('reversed', 'rejected')) AS orders""",
        member_id,
        shop["id"],
        clock.now(),
    )
    assert row is not None
    sums = await db.fetch(
        """SELECT a.currency, coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'pending'), 0)::bigint AS pending,
                  coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'available'), 0)::bigint AS available
             FROM commission c
             JOIN program_version v ON v.id = c.program_version_id
             JOIN program p ON p.id = v.program_id AND p.store_id = $2
             JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member' AND a.owner_id = $1
            WHERE c.member_id = $1 GROUP BY a.currency ORDER BY a.currency""",
        member_id,
        shop["id"],
    )
    told.people, told.orders = row["people"], row["orders"]
    told.sums = [
        Sum(each["currency"], each["pending"], each["available"], *_texts(each, "pending", "available"))
        for each in sums
    ]
    return told


def _texts(row: asyncpg.Record, *columns: str) -> list[str]:
    return [format_money(Money(row[column], row["currency"])) for column in columns]
