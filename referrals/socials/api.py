from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.openapi import door
from app.web import json_body
from referrals.socials import examples, queries, service
from referrals.socials.platforms.known import in_use
from referrals.socials.schemas import AccountList, AccountView, NewAccount
from referrals.socials.views import account_view


class SocialAccountApi(Controller):
    path = "/earn/channels"
    tags = ["earn"]

    @get(summary="Your channels elsewhere, and which are proven", opt=door(gives=examples.accounts, scope="read"))
    async def index(self, viewer: NamedDependency[Viewer]) -> AccountList:
        rows = await queries.accounts_of(require_member(viewer, "read"))
        return AccountList([account_view(row) for row in rows], [one.name for one in in_use()])

    @get("/{account_id:int}", summary="One of your channels", opt=door(gives=examples.asked, scope="read"))
    async def read(self, viewer: NamedDependency[Viewer], account_id: FromPath[int]) -> AccountView:
        return await _one(account_id, require_member(viewer, "read"))

    @post(
        summary="Get a code to prove that a channel is yours",
        status_code=201,
        opt=door(takes=examples.new, gives=examples.asked, refuses=(Conflict,), scope="write"),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[AccountView]:
        """Put the code into the channel's description (or into the post's own text), then have it looked for."""
        member_id = require_member(viewer)
        new = await json_body(request, NewAccount)
        made = await service.ask_for(viewer, new.address)
        return Response(await _one(made, member_id), status_code=201)

    @post(
        "/{account_id:int}/check",
        summary="Have your code looked for",
        status_code=202,
        opt=door(gives=examples.looking, refuses=(Conflict,), scope="write"),
    )
    async def check(self, viewer: NamedDependency[Viewer], account_id: FromPath[int]) -> AccountView:
        """Looked for soon after the answer: read the channel again to see what came of it."""
        member_id = require_member(viewer)
        await service.check(viewer, account_id)
        return await _one(account_id, member_id)

    @delete("/{account_id:int}", summary="Take away one of your channels", status_code=204, opt=door(scope="write"))
    async def let_go(self, viewer: NamedDependency[Viewer], account_id: FromPath[int]) -> None:
        """What was approved stays approved; a post of it that still waits stays as it was seen."""
        await service.let_go(viewer, account_id)


async def _one(account_id: int, member_id: int) -> AccountView:
    row = await queries.account(account_id, member_id)
    if row is None:
        raise NotFound()
    return account_view(row)
