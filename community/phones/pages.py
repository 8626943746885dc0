from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.web import address_of, form, form_again, page, redirect
from community.phones import codes, queries, service
from community.phones.schemas import NewNumber, TypedCode

TEMPLATE = "community/phones/phone.html"


class PhonePages(Controller):
    """Which phone is mine: a number, then the code that was sent to it."""

    path = "/settings/phone"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, TEMPLATE, values={}, problem=None, **await _shown(viewer))

    @post("/codes")
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            await codes.ask(viewer, (await form(request, NewNumber)).number, address=address_of(request))
        except Problem as problem:
            return await form_again(request, viewer, TEMPLATE, problem, **await _shown(viewer))
        return redirect("/settings/phone")

    @post()
    async def prove(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            await service.prove(viewer, (await form(request, TypedCode)).code)
        except Problem as problem:
            return await form_again(request, viewer, TEMPLATE, problem, **await _shown(viewer))
        return redirect("/settings/phone", flash=_("This number is yours."))

    @post("/removal")
    async def remove(self, viewer: NamedDependency[Viewer]) -> Response[str]:
        await service.remove(viewer)
        return redirect("/settings/phone", flash=_("The number is removed."))


async def _shown(viewer: Viewer) -> dict[str, Any]:
    return {"phone": await queries.phone_of(viewer)}
