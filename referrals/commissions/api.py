from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.limits import limit
from app.openapi import door
from app.web import json_body
from referrals.commissions import examples
from referrals.commissions.whatif import Answer, Cart, quote
from storefront.stores.queries import store_by_slug


class QuoteApi(Controller):
    path = "/stores/{slug:str}/quotes"
    tags = ["earn"]

    @post(
        summary="What a cart would pay you, line by line",
        status_code=200,
        opt=door(takes=examples.cart, gives=examples.answer, scope="read"),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Answer:
        """By the rules in force, reckoned like an order would be. Changes nothing and promises nothing."""
        member_id = require_member(viewer, "read")
        await limit("quote", member_id, most=120, per=60)
        return await quote(await store_by_slug(slug), await json_body(request, Cart), member_id)
