from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer
from app.errors import Forbidden
from app.openapi import door
from app.paging import Page, limit_of
from app.web import address_of, json_body
from community.sessions import examples, service, tokens
from community.sessions.schemas import Login, Token, TokenView


class SessionApi(Controller):
    path = "/tokens"
    tags = ["members"]

    @post(
        summary="A token for a member's name and password",
        status_code=201,
        opt=door(takes=examples.login, gives=examples.token, refuses=(Forbidden,)),
    )
    async def make_token(self, request: Request) -> Response[Token]:
        """It carries the scopes read and write unless others are named; it is shown once and stored hashed."""
        asked = await json_body(request, Login)
        address = address_of(request)
        member_id = await service.sign_in(asked.login, asked.password, address=address)
        return Response(Token(await tokens.make(member_id, asked.name, asked.scopes)), status_code=201)

    @get(summary="The tokens of one's account", opt=door(gives=examples.tokens, scope="read"))
    async def list(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[TokenView]:
        """Those that hold, the newest first; when and roughly from where each was last used."""
        return await tokens.tokens_of(viewer, cursor=after, limit=limit_of(limit, 50))

    @delete("/{token_id:int}", summary="Revoke a token", status_code=204, opt=door(scope="write"))
    async def revoke(self, viewer: NamedDependency[Viewer], token_id: FromPath[int]) -> None:
        """It opens nothing from the next request on, and its live lines are closed (4401)."""
        await tokens.revoke(viewer, token_id)

    @delete(summary="Revoke every other token and sign out everywhere", status_code=204, opt=door(scope="write"))
    async def revoke_all(self, viewer: NamedDependency[Viewer]) -> None:
        """All but the one that asks; every browser is signed out."""
        await tokens.revoke_all(viewer)
