from litestar import Controller, Request, Response, post

from app.errors import Forbidden
from app.openapi import door
from app.web import json_body
from community.sessions import examples, service
from community.sessions.schemas import Login, Token


class SessionApi(Controller):
    tags = ["members"]

    @post(
        "/tokens",
        summary="A token for a member's name and password",
        status_code=201,
        opt=door(takes=examples.login, gives=examples.token, refuses=(Forbidden,)),
    )
    async def make_token(self, request: Request) -> Response[Token]:
        """The token carries the scopes read and write; it is shown once and stored hashed."""
        asked = await json_body(request, Login)
        address = request.client.host if request.client else ""
        member_id = await service.sign_in(asked.login, asked.password, address=address)
        return Response(Token(await service.make_token(member_id, ["read", "write"])), status_code=201)
