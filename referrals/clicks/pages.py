from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from app.web import form, page, redirect, remember_cookie
from referrals.clicks.heard import CONSENT, DENIED, GRANTED, consent_of
from referrals.clicks.schemas import ConsentForm

A_YEAR = 365 * 86_400


class ConsentPages(Controller):
    """What is kept of a visit through a link, and the visitor's own word on it."""

    include_in_schema = False

    @get("/privacy/visits")
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        headers = dict(request.scope["headers"])
        response = page(
            request,
            viewer,
            "referrals/clicks/consent.html",
            consent=consent_of(headers, b""),
            said=request.cookies.get(CONSENT, ""),
            is_signalled=headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1",
        )
        response.headers["Vary"] = "Accept-Language, Cookie, Sec-GPC, DNT"
        return response

    @post("/privacy/visits")
    async def decide(self, request: Request) -> Response:
        wanted = await form(request, ConsentForm)
        if wanted.consent not in (DENIED, GRANTED):
            raise Invalid("consent", _("Choose one of the two."))
        answer = redirect("/privacy/visits", flash=_("Your choice counts from now on, in this browser."))
        answer.set_cookie(remember_cookie(CONSENT, wanted.consent, seconds=A_YEAR))
        if wanted.consent == DENIED:
            # The last visit is forgotten here as well: nothing of this browser's is carried along any more.
            answer.delete_cookie("gv")
        return answer
