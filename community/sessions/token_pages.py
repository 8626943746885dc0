from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from community.sessions import tokens
from community.sessions.schemas import NewToken

TEMPLATE = "community/sessions/tokens.html"


class TokenPages(Controller):
    """The programs that have a key to one's account."""

    path = "/settings/tokens"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, TEMPLATE, values={}, problem=None, **await _shown(request, viewer))

    @post()
    async def make(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        new = NewToken()
        try:
            new = await form(request, NewToken)
            token = await tokens.make_on_page(viewer, new.name, new.scopes, new.password)
        except Problem as problem:
            shown = await _shown(request, viewer) | {"chosen": new.scopes}
            return await form_again(request, viewer, TEMPLATE, problem, **shown)
        shown = await _shown(request, viewer) | {"token": token, "fresh": new.name}
        response = page(request, viewer, TEMPLATE, values={}, problem=None, **shown)
        # With the token on it, this once: it is in no address, no cookie and no cache.
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @post("/{token_id:int}/end")
    async def revoke(self, viewer: NamedDependency[Viewer], token_id: FromPath[int]) -> Response[str]:
        await tokens.revoke(viewer, token_id)
        return redirect("/settings/tokens", flash=_("Revoked. It opens nothing any more."))

    @post("/end")
    async def revoke_all(self, viewer: NamedDependency[Viewer]) -> Response[str]:
        await tokens.revoke_all(viewer)
        return redirect("/settings/tokens", flash=_("Every token is revoked, and every other device is signed out."))


async def _shown(request: Request, viewer: Viewer) -> dict[str, Any]:
    cursor = request.query_params.get("after")
    return {
        "tokens": await tokens.tokens_of(viewer, cursor=cursor),
        "scopes": tokens.scopes_for(viewer.role),
        "scope_words": scope_words(),
        "chosen": ["read"],
        "token": "",
        "fresh": "",
    }


def scope_words() -> dict[str, str]:
    """What each scope lets a program do."""
    return {
        "read": _("Read what you may read"),
        "write": _("Write and act in your name"),
        "moderate": _("Moderate, as you may"),
        "admin": _("Run the community, as you may"),
    }
