"""Northfold, a shop beside the demo community: another website that shows our widgets and sends us its orders.

It lives under /demo-shop of the same server only so that nothing else needs to be started.
"""

import base64
import binascii
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from app import db
from app.auth import STRANGER
from app.errors import Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.money import EXPONENTS, LARGEST_AMOUNT, Money
from app.settings import settings
from app.text import clean
from app.web import address_of, form, render
from community.members.service import checked_email
from demo import till
from storefront.catalog.queries import product_in_store
from storefront.stores.queries import store_by_slug

HOME = "/demo-shop"
MOST_PIECES = 20
MOST_LINES = 20
A_MONTH = 30 * 86_400


class Pick(msgspec.Struct):
    product: str
    quantity: Annotated[int, Meta(ge=0, le=MOST_PIECES)] = 1


class Checkout(msgspec.Struct):
    email: str = ""
    name: str = ""
    code: str = ""


class GiveBack(msgspec.Struct):
    line: str
    amount: str


def only_in_the_demo(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    if settings().is_production:
        raise NotFound()


class ShopPages(Controller):
    path = HOME
    include_in_schema = False
    guards = [only_in_the_demo]

    @get("/")
    async def shelves(self, request: Request) -> Response:
        store = await store_by_slug(till.STORE)
        products = await db.fetch(
            "SELECT * FROM product WHERE store_id = $1 AND withdrawn_at IS NULL ORDER BY category, id LIMIT 200",
            store["id"],
        )
        return _page(request, "demo/shelves.html", store=store, products=products)

    @get("/p/{external_id:str}")
    async def product(self, request: Request, external_id: FromPath[str]) -> Response:
        store, product = await store_by_slug(till.STORE), await product_in_store(till.STORE, external_id)
        return _page(request, "demo/product.html", store=store, product=product)

    @get("/cart")
    async def cart(self, request: Request) -> Response:
        return await _cart_page(request)

    @post("/cart")
    async def put_in_cart(self, request: Request) -> Response:
        """Put so many pieces of a product into the cart; none takes it out."""
        pick = await form(request, Pick)
        product = await product_in_store(till.STORE, pick.product)
        cart = {**_cart_of(request), product["external_id"]: pick.quantity}
        return _with_cart(_see(f"{HOME}/cart"), {sku: n for sku, n in cart.items() if n})

    @post("/orders")
    async def order(self, request: Request) -> Response:
        """Pay: the order exists, and Grapevine is told."""
        await limit("demo-order", address_of(request), most=60, per=60)
        try:
            asked = await form(request, Checkout)
            email, name = checked_email(asked.email), clean(asked.name, "name", most=80)
        except Problem as problem:
            return await _cart_page(request, problem)
        store, picked = await store_by_slug(till.STORE), await _picked(request)
        if not picked:
            return _see(f"{HOME}/cart")
        order = till.new_order(
            picked, currency=store["currency"], email=email, name=name, gv=_click_of(request), code=asked.code
        )
        await till.pay(order, _server(request))
        return _with_cart(_see(_address(order)), {})

    @get("/orders/{order_id:str}")
    async def show_order(self, request: Request, order_id: FromPath[str]) -> Response:
        return await _order_page(request, till.find(order_id))

    @post("/orders/{order_id:str}/delivery")
    async def deliver(self, request: Request, order_id: FromPath[str]) -> Response:
        order = till.find(order_id)
        await till.deliver(order, _server(request))
        return _see(_address(order))

    @post("/orders/{order_id:str}/cancellation")
    async def cancel(self, request: Request, order_id: FromPath[str]) -> Response:
        order = till.find(order_id)
        await till.cancel(order, _server(request))
        return _see(_address(order))

    @post("/orders/{order_id:str}/refunds")
    async def refund(self, request: Request, order_id: FromPath[str]) -> Response:
        order = till.find(order_id)
        try:
            asked = await form(request, GiveBack)
            await till.refund(order, asked.line, _minor_units(asked.amount, order.currency), _server(request))
        except Invalid as problem:
            return await _order_page(request, till.find(order_id), problem)
        return _see(_address(order))

    @post("/orders/{order_id:str}/messages/{number:int}")
    async def send_again(self, request: Request, order_id: FromPath[str], number: FromPath[int]) -> Response:
        order = till.find(order_id)
        await till.send_again(order, number, _server(request))
        return _see(_address(order))


async def _cart_page(request: Request, problem: Problem | None = None) -> Response:
    store, picked = await store_by_slug(till.STORE), await _picked(request)
    values = dict(await request.form()) if problem else {}
    total = Money(sum(product["price"] * quantity for product, quantity in picked) + till.SHIPPING, store["currency"])
    return _page(
        request,
        "demo/cart.html",
        status=problem.status if problem else 200,
        store=store,
        picked=picked,
        total=total,
        shipping=Money(till.SHIPPING, store["currency"]),
        most=MOST_PIECES,
        values=values,
        wrong=problem.fields if problem else {},
    )


async def _order_page(request: Request, order: till.Order, problem: Problem | None = None) -> Response:
    return _page(
        request,
        "demo/order.html",
        status=problem.status if problem else 200,
        store=await store_by_slug(till.STORE),
        order=order,
        wrong=problem.fields if problem else {},
        plain=lambda amount: f"{Decimal(amount).scaleb(-EXPONENTS[order.currency])}",
    )


def _page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page of the shop. A click id in its address is kept, as a shop that takes part would keep it."""
    headers = {"Cache-Control": "private, no-store"}
    basket = sum(_cart_of(request).values())
    response = render(request, template, STRANGER, status, headers, basket=basket, home=HOME, **context)
    if (gv := _click_in(request.query_params.get("gv"))) is not None:
        response.set_cookie(_cookie("shop_gv", gv))
    return response


def _see(path: str) -> Response:
    return Response("", status_code=303, headers={"Location": path, "Cache-Control": "no-store"})


def _address(order: till.Order) -> str:
    return f"{HOME}/orders/{order.id}"


def _server(request: Request) -> str:
    """Where this very process listens, whatever stands in front of it."""
    host, port = request.scope.get("server") or ("", None)
    if not port:
        return settings().base_url
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _picked(request: Request) -> list[tuple[asyncpg.Record, int]]:
    """The products in the cart that are still sold, and how many of each."""
    cart = _cart_of(request)
    rows = await db.fetch(
        """SELECT p.* FROM product p JOIN store s ON s.id = p.store_id
            WHERE s.slug = $1 AND p.external_id = ANY($2::text[]) AND p.withdrawn_at IS NULL ORDER BY p.id""",
        till.STORE,
        list(cart),
    )
    return [(row, cart[row["external_id"]]) for row in rows]


def _cart_of(request: Request) -> dict[str, int]:
    """What the browser says it carries; anything odd in it counts as an empty cart."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get("shop_cart", "") + "==")
        cart = msgspec.json.decode(raw, type=dict[str, Annotated[int, Meta(ge=1, le=MOST_PIECES)]]) if raw else {}
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return {}
    return {sku: n for sku, n in list(cart.items())[:MOST_LINES] if "\x00" not in sku}


def _with_cart(response: Response, cart: dict[str, int]) -> Response:
    packed = base64.urlsafe_b64encode(msgspec.json.encode(dict(list(cart.items())[:MOST_LINES]))).decode().rstrip("=")
    response.set_cookie(_cookie("shop_cart", packed))
    return response


def _click_of(request: Request) -> str | None:
    return _click_in(request.cookies.get("shop_gv"))


def _click_in(text: str | None) -> str | None:
    try:
        return str(UUID(text or ""))
    except ValueError:
        return None


def _minor_units(text: str, currency: str) -> int:
    try:
        amount = Decimal(text.strip()).scaleb(EXPONENTS[currency])
        if 0 <= amount <= LARGEST_AMOUNT and amount == int(amount):
            return int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise Invalid("amount", _("An amount like 20.00, please."))


def _cookie(key: str, value: str) -> Cookie:
    return Cookie(key=key, value=value, path=HOME, max_age=A_MONTH, httponly=True, samesite="lax")
