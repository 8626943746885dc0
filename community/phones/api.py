from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency

from app.auth import Viewer
from app.errors import Conflict, Gone
from app.openapi import door
from app.web import address_of, json_body
from community.phones import codes, examples, queries, service
from community.phones.schemas import CodeView, NewNumber, PhoneView, TypedCode


class PhoneApi(Controller):
    path = "/me/phone"
    tags = ["members"]

    @get(summary="One's proven phone number", opt=door(gives=examples.phone, scope="read"))
    async def show(self, viewer: NamedDependency[Viewer]) -> PhoneView:
        """Masked; and the code that is on its way, if one is."""
        return await queries.phone_of(viewer)

    @post(
        "/codes",
        summary="Have a code sent to a number",
        status_code=202,
        opt=door(takes=examples.new_number, gives=examples.code, refuses=(Conflict,), scope="write"),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[CodeView]:
        """Six digits by SMS, good for ten minutes and five tries; the one before holds no longer. Another after a
        minute. The answer is the same whether somebody else has proven the number."""
        asked = await json_body(request, NewNumber)
        await codes.ask(viewer, asked.number, address=address_of(request))
        shown = await queries.phone_of(viewer)
        assert shown.code is not None
        return Response(shown.code, status_code=202)

    @put(
        summary="Prove a number by the code",
        opt=door(takes=examples.typed, gives=examples.phone, refuses=(Gone, service.NumberTaken), scope="write"),
    )
    async def prove(self, request: Request, viewer: NamedDependency[Viewer]) -> PhoneView:
        """It stands in place of the number before. One number proves one account."""
        await service.prove(viewer, (await json_body(request, TypedCode)).code)
        return await queries.phone_of(viewer)

    @delete(summary="Remove one's number", status_code=204, opt=door(scope="write"))
    async def remove(self, viewer: NamedDependency[Viewer]) -> None:
        """It may prove another account then; for a sign-up that was rewarded it never counts again."""
        await service.remove(viewer)
