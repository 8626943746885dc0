"""The pages of `/r/{code}` that are no redirect: the card, a closed link, the question for a password, the QR."""

import asyncio

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock, db
from app.auth import Viewer
from app.errors import Gone, Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import address_of, form, form_again, page, redirect, remember_cookie
from community.media import storage
from referrals.links import passing, qr, queries
from referrals.links.cards import card_of
from referrals.links.forms import KeyForm
from referrals.links.views import scan_url_of, url_of_link

KEY_SECONDS = 3600
CLOSED = {
    passing.DISABLED: lambda: _("Whoever shared this link has switched it off."),
    passing.EXPIRED: lambda: _("This link was open until a certain day, and that has passed."),
    passing.USED_UP: lambda: _("This link was for a certain number of visits, and all are taken."),
}
_hasher = PasswordHasher()


class BehindPages(Controller):
    path = "/r"
    include_in_schema = False

    @get("/{code:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        """What the redirect leaves to us: no such link, a closed or locked one, or the card for a preview."""
        link = await _access(request, code)
        closed = passing.closed_because(link, clock.now())
        if closed in CLOSED:
            raise Gone(CLOSED[closed]())
        if closed == passing.EARLY:
            return _kept_apart(page(request, viewer, "referrals/links/early.html", link=link, status=404))
        if passing.key_of(link):
            # Also for a preview: what is behind a password is told to nobody without it.
            return _kept_apart(_ask_for_key(request, viewer, link))
        card = await card_of(link)
        return _kept_apart(
            page(request, viewer, "referrals/links/card.html", link=link, card=card, url=url_of_link(link))
        )

    @post("/{code:str}/key", opt={"csrf_exempt": True})
    async def unlock(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        """The password, from the page on whichever of our hosts it stands: hence without the token of a session.

        Whoever makes another's browser send it only opens a link there, with a password they know themselves.
        """
        link = await _access(request, code)
        given = await form(request, KeyForm)
        await limit("link-key", f"{link['id']}:{address_of(request)}", most=10, per=300)
        await limit("link-key-all", link["id"], most=300, per=300)
        if not await asyncio.to_thread(_fits, link["password_hash"], given.password[:100]):
            wrong = Invalid("password", _("That is not the password of this link."))
            return await form_again(request, viewer, "referrals/links/locked.html", wrong, link=link)
        answer = redirect(f"/r/{link['code']}")
        answer.set_cookie(
            remember_cookie(f"{passing.KEY_COOKIE}{link['id']}", passing.key_of(link), seconds=KEY_SECONDS)
        )
        return answer

    @get(["/{code:str}/qr.svg", "/{code:str}/qr.png", "/{code:str}/qr.pdf"])
    async def qr(self, request: Request, code: FromPath[str]) -> Response[bytes]:
        """`?level=l|m|q|h`, `?download=1`; in the middle our mark `?logo=1` or the owner's picture `?logo=face`."""
        link = await _access(request, code)
        kind = request.scope["path"].rpartition(".")[2]
        asked = request.query_params
        level = asked.get("level", "q").lower()
        if level not in qr.LEVELS:
            raise Invalid("level", _("A level is l, m, q or h."))
        logo = asked.get("logo", "")
        face = await _face_of(link) if logo == "face" else b""
        # Each is drawn anew but for the last few hundred: a page full of them is welcome, a flood of them is not.
        await limit("qr", address_of(request), most=240, per=60)
        picture = await asyncio.to_thread(qr.draw, scan_url_of(link), kind, level, logo in ("1", "on", "true"), face)
        headers = {"Cache-Control": "public, max-age=3600"}
        if asked.get("download"):
            headers["Content-Disposition"] = f'attachment; filename="{link["code"]}.{kind}"'
        return Response(picture, media_type=qr.MEDIA[kind], headers=headers)


async def _face_of(link: asyncpg.Record) -> bytes:
    """The owner's picture; none when they have none, or it went just now."""
    key = await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", link["owner_id"])
    try:
        return await storage.get(key) if key else b""
    except NotFound:
        return b""


async def _access(request: Request, code: str) -> asyncpg.Record:
    """The link; whoever asks for many that do not exist is guessing, and waits."""
    link = await queries.link_by_code(code)
    if link is None:
        await limit("unknown-code", address_of(request), most=60, per=60)
        raise NotFound(_("There is no link with this code. It may have been mistyped."))
    return link


def _ask_for_key(request: Request, viewer: Viewer, link: asyncpg.Record, problem: Problem | None = None) -> Response:
    return page(request, viewer, "referrals/links/locked.html", link=link, values={}, problem=problem)


def _kept_apart(response: Response) -> Response:
    response.headers |= {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
    return response


def _fits(stored: str, password: str) -> bool:
    try:
        return bool(stored) and _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
