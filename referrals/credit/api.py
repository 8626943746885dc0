import asyncpg
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.money import Money
from app.openapi import door
from app.web import json_body
from referrals.credit import examples, queries, service
from referrals.credit.schemas import CreditMove, CustomerCredit, MyCredit, NewUse, StoreCredit, UseView


class CreditApi(Controller):
    path = "/stores/{slug:str}/credit"
    tags = ["earn"]

    @get(
        "/customers/{customer:str}",
        summary="What a customer of yours has as credit",
        opt=door(gives=examples.credit, refuses=(NotFound,), scope="read"),
    )
    async def read(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], customer: FromPath[str]
    ) -> CustomerCredit:
        """`customer` is your shop's id. They have it for buying on a friend's word; a refund takes its part back."""
        require_member(viewer, "read")
        return await service.read(viewer, slug, customer)

    @post(
        "/uses",
        summary="Take a customer's credit as payment",
        status_code=201,
        opt=door(takes=examples.new_use, gives=examples.use, refuses=(Conflict, NotFound), scope="write", also=200),
    )
    async def spend(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[UseView]:
        """Once per your `id`: the same again is 200 and takes nothing, with other facts 409; 409 as well when there is
        not so much."""
        require_member(viewer)
        made, is_new = await service.spend(viewer, slug, await json_body(request, NewUse))
        return Response(await _view(made), status_code=201 if is_new else 200)

    @delete(
        "/uses/{external_id:str}",
        summary="Give a customer their credit back",
        status_code=204,
        opt=door(refuses=(NotFound,), scope="write"),
    )
    async def give_back(self, viewer: NamedDependency[Viewer], slug: FromPath[str], external_id: FromPath[str]) -> None:
        """When the payment did not happen. Twice changes nothing; that `id` is never used again."""
        require_member(viewer)
        await service.give_back(viewer, slug, external_id)


class MyCreditApi(Controller):
    path = "/earn/credit"
    tags = ["earn"]

    @get(summary="Your credit at shops, and how it came", opt=door(gives=examples.mine, scope="read"))
    async def mine(self, viewer: NamedDependency[Viewer]) -> MyCredit:
        """For what you bought on a friend's word. The shop takes it at the checkout. The last hundred moves."""
        member_id = require_member(viewer, "read")
        stores, moves = await queries.credit_of_member(member_id, clock.now()), await queries.moves_of_member(member_id)
        return MyCredit(
            [
                StoreCredit(row["slug"], row["name"], Money(row["amount"], row["currency"]), row["next_expiry"])
                for row in stores
            ],
            [
                CreditMove(row["kind"], row["slug"], row["order_ref"], Money(row["amount"], row["currency"]), row["at"])
                for row in moves
            ],
        )


async def _view(row: asyncpg.Record) -> UseView:
    return UseView(
        id=row["external_id"],
        customer=row["customer"],
        amount=Money(row["amount"], row["currency"]),
        order=row["order_external_id"],
        left=Money(await queries.available_in(row["customer_id"], row["currency"], clock.now()), row["currency"]),
        used_at=row["used_at"],
        undone_at=row["undone_at"],
    )
