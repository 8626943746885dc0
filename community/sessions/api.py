from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, post
from msgspec import Meta

from app.web import json_body
from community.sessions import service


class Login(msgspec.Struct, forbid_unknown_fields=True):
    login: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class Token(msgspec.Struct):
    token: str


class SessionApi(Controller):
    tags = ["members"]

    @post("/tokens", summary="A token for a member's name and password", status_code=201)
    async def make_token(self, request: Request) -> Response[Token]:
        """The token carries the scopes read and write; it is shown once and stored hashed."""
        asked = await json_body(request, Login)
        address = request.client.host if request.client else ""
        member_id = await service.sign_in(asked.login, asked.password, address=address)
        return Response(Token(await service.make_token(member_id, ["read", "write"])), status_code=201)
