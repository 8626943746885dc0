"""Who is asking, and whether a page's form is really ours. Sessions themselves live in community.sessions."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from litestar import Request
from litestar.handlers.base import BaseRouteHandler

from app.errors import CrossSite, Forbidden, SignInFirst
from app.ids import new_token
from app.limits import limit
from app.settings import settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
ROLES = ("member", "moderator", "admin")


# What a page without files sends is far less.
SMALL_FORM = 1024 * 1024
MOST_LARGE_AN_HOUR = 400


class NavGroup(msgspec.Struct, frozen=True):
    slug: str
    name: str
    unread: int = 0


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """The person behind a request; `member_id` is None for a stranger. Also what every page's frame shows of them."""

    member_id: int | None = None
    handle: str = ""
    name: str = ""
    role: str = "member"
    avatar_url: str = ""
    session_id: int | None = None
    token_id: int | None = None
    """The API token they come by, also through a live ticket: when it is revoked they are gone."""
    scopes: frozenset[str] = frozenset({"read", "write", "moderate", "admin"})
    groups: tuple[NavGroup, ...] = ()
    stores: tuple[str, ...] = ()
    """The slugs of the stores they own; two at most are asked for, which is enough to know one from several."""
    unread_notifications: int = 0
    unread_chat: int = 0
    """Messages in their rooms of every kind, but for those they muted."""

    @property
    def is_member(self) -> bool:
        return self.member_id is not None

    @property
    def is_moderator(self) -> bool:
        return self.role in ("moderator", "admin") and "moderate" in self.scopes

    @property
    def is_admin(self) -> bool:
        return self.role == "admin" and "admin" in self.scopes


STRANGER = Viewer()
BySession = Callable[[str], Awaitable[Viewer]]


def require_member(viewer: Viewer, scope: str = "write") -> int:
    """The member's id, or SignInFirst; an API token must also carry the scope."""
    if viewer.member_id is None:
        raise SignInFirst()
    if scope not in viewer.scopes:
        raise Forbidden(f"This token lacks the “{scope}” scope.")
    return viewer.member_id


def require_moderator(viewer: Viewer) -> int:
    member_id = require_member(viewer, "moderate")
    if not viewer.is_moderator:
        raise Forbidden()
    return member_id


def require_admin(viewer: Viewer) -> int:
    member_id = require_member(viewer, "admin")
    if not viewer.is_admin:
        raise Forbidden()
    return member_id


def session_cookie_name() -> str:
    # The __Host- prefix pins the cookie to this host over TLS; browsers drop it on plain http.
    return "__Host-gv_session" if settings().is_https else "gv_session"


def form_cookie_name() -> str:
    return "__Host-gv_form" if settings().is_https else "gv_form"


def sign(purpose: str, value: str) -> str:
    """HMAC-SHA256 of a value for one purpose, hex."""
    return hmac.new(settings().secret_key.encode(), f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()


def csrf_token(request: Request) -> str:
    """The token of this browser's forms, bound to its session, or to a cookie made for a stranger's form."""
    seed = request.cookies.get(session_cookie_name()) or request.cookies.get(form_cookie_name())
    if not seed:
        seed = request.state.get("new_form_cookie") or new_token()
        request.state["new_form_cookie"] = seed
    return sign("form", seed)


def is_own_origin(origin: str, headers: Mapping[str, str]) -> bool:
    """Exactly our own origin. In the demo the address it was reached under counts as ours."""
    ours = {settings().base_url}
    if not settings().is_production:
        host = headers.get("host", "")
        ours |= {f"http://{host}", f"https://{host}"}
    return origin in ours and origin.startswith(("http://", "https://")) and not origin.endswith("://")


async def refuse_cross_site(request: Request) -> None:
    """App-wide `before_request`: an unsafe page request must come from our own page and carry its token."""
    if request.method in SAFE_METHODS or _route(request).opt.get("csrf_exempt"):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CrossSite()
    origin = request.headers.get("origin")
    if origin is not None and not is_own_origin(origin, request.headers):
        raise CrossSite()
    seed = request.cookies.get(session_cookie_name()) or request.cookies.get(form_cookie_name())
    if not seed:
        raise CrossSite()
    given = request.headers.get("x-csrf-token") or (await request.form()).get("_csrf")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), sign("form", seed).encode()):
        raise CrossSite()


async def refuse_much_from_strangers(request: Request, viewer_of_session: BySession) -> None:
    """Before `refuse_cross_site`, which may have to read a form to find its token: where forms may be large, for they
    bring files, a large one is read only of who is signed in, and not without end."""
    if request.method in SAFE_METHODS or _route(request).opt.get("csrf_exempt") or not _is_much(request):
        return
    viewer = await viewer_of_session(request.cookies.get(session_cookie_name(), ""))
    if viewer.member_id is None:
        raise SignInFirst()
    await limit("large-form", viewer.member_id, most=MOST_LARGE_AN_HOUR, per=3600)


def _is_much(request: Request) -> bool:
    length = request.headers.get("content-length")
    if length is None:
        return "transfer-encoding" in request.headers
    return not length.isdecimal() or int(length) > SMALL_FORM


def _route(request: Request) -> BaseRouteHandler:
    return request.route_handler
