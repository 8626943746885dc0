from urllib.parse import quote

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Gone, NotFound, Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.links import queries, service
from referrals.links.api import url_of
from referrals.links.cards import card_of
from referrals.links.qr import svg_of
from referrals.links.schemas import ShareForm


class LinkPages(Controller):
    """Share & earn, and the pages of `/r/{code}` that are no redirect."""

    include_in_schema = False

    @get("/share")
    async def show_form(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        target = request.query_params.get("target", "")[:2000]
        if not viewer.is_member:
            return _sign_in_first(target)
        return page(request, viewer, "referrals/links/new.html", values={"target": target}, problem=None)

    @post("/share")
    async def share(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        wanted = await form(request, ShareForm)
        if not viewer.is_member:
            return _sign_in_first(wanted.target)
        try:
            link, _is_new = await service.share(viewer, wanted)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/links/new.html", problem)
        return redirect(f"/share/{link['code']}")

    @get("/share/{code:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.own_link(require_member(viewer), code)
        if link is None:
            raise NotFound()
        return page(
            request,
            viewer,
            "referrals/links/show.html",
            link=link,
            card=await card_of(link),
            url=url_of(link["code"]),
            placement_values={},
        )

    @post("/share/{code:str}/closure")
    async def close(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        await service.close(viewer, code)
        return redirect("/earn", flash=_("The link is off. What was earned by it stays."))

    @get("/r/{code:str}")
    async def show_behind(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        """What the redirect leaves to us: no such link, a closed one, or the card for a preview."""
        link = await queries.link_by_code(code)
        if link is None:
            raise NotFound(_("There is no link with this code. It may have been mistyped."))
        if link["disabled_at"] is not None:
            raise Gone(_("Whoever shared this link has switched it off."))
        response = page(
            request, viewer, "referrals/links/card.html", link=link, card=await card_of(link), url=url_of(link["code"])
        )
        response.headers |= {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
        return response

    @get("/r/{code:str}/qr.svg")
    async def qr(self, request: Request, code: FromPath[str]) -> Response[bytes]:
        link = await queries.link_by_code(code)
        if link is None:
            raise NotFound()
        return Response(
            svg_of(url_of(link["code"])), media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"}
        )


def _sign_in_first(target: str) -> Response:
    return redirect("/login?next=" + quote(f"/share?target={quote(target, safe='')}", safe="/"))
