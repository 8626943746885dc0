"""Pages, fragments and forms: the floor under every `pages.py` and `api.py`."""

import hashlib
import secrets
import time
from datetime import date as Day
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import jinja2
import msgspec
import structlog
from babel.dates import format_date
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from markupsafe import Markup, escape

from app import clock, i18n, rendered
from app.auth import Viewer, csrf_token, form_cookie_name
from app.disclosure import labelled
from app.disclosure import mark as ad_mark
from app.errors import Invalid, Malformed, Problem, TooMany
from app.i18n import gettext, ngettext
from app.money import Money, format_money, percent
from app.settings import settings
from app.text import excerpt

T = TypeVar("T")

FRONTEND = Path(__file__).parent.parent / "frontend"
FORM_FIELDS = 200
LONGEST_KEPT = 100_000
VARY = "Accept-Language, Cookie"
NOT_SHOWN_AGAIN = {"password", "tax_password", "current", "_csrf"}

environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FRONTEND / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
    extensions=["jinja2.ext.i18n"],
)
environment.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]


def address_of(request: Request) -> str:
    """Where a request comes from; empty where that is no network, as behind a socket of this machine."""
    return request.client.host if request.client else ""


def page(
    request: Request, viewer: Viewer, template: str, *, status: int = 200, made_from: Any = None, **context: Any
) -> Response:
    """A whole page. A stranger's page carries an ETag and may be kept for a moment; a member's may not be stored.

    `made_from`: every row the page shows. With it, a stranger's page is rendered once for the same rows (app.rendered).
    """
    if viewer.is_member:
        return render(request, template, viewer, status, {"Cache-Control": "private, no-store"}, **context)
    name = rendered.name_of(request, template, made_from) if status == 200 else None
    if name and (kept := rendered.find(name)):
        return _for_a_stranger(request, *kept)
    response = render(request, template, viewer, status, {"Cache-Control": "no-cache"}, **context)
    if status != 200 or "new_form_cookie" in request.state:
        return response
    html = response.content.encode()
    tag = tag_of(html)
    if name and "has_form" not in request.state:
        rendered.keep(name, html, tag)
    if request.headers.get("if-none-match") == tag:
        return _for_a_stranger(request, html, tag)
    response.headers.update({"ETag": tag, "Vary": VARY})
    return response


def for_strangers(request: Request, html: bytes) -> Response[bytes]:
    """A piece of a page that all strangers see alike."""
    return _for_a_stranger(request, html, tag_of(html))


def tag_of(html: bytes) -> str:
    return '"' + hashlib.blake2s(html, digest_size=12).hexdigest() + '"'


def _for_a_stranger(request: Request, html: bytes, tag: str) -> Response[bytes]:
    headers = {"Cache-Control": "no-cache", "ETag": tag, "Vary": VARY}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    return Response(html, media_type=MediaType.HTML, headers=headers)


def fragment(request: Request, viewer: Viewer, template: str, *, status: int = 200, **context: Any) -> Response[str]:
    """A piece of a page for htmx, from the same partial the page uses."""
    return render(request, template, viewer, status, {"Cache-Control": "private, no-store"}, **context)


def is_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def render(
    request: Request, template: str, viewer: Viewer, status: int, headers: dict[str, str], **context: Any
) -> Response[str]:
    html = environment.get_template(template).render(
        request=request,
        request_path=request.scope["path"],
        query=request.scope["query_string"].decode("latin-1"),
        viewer=viewer,
        lang=i18n.current(),
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        demo=not settings().is_production,
        base_url=settings().base_url,
        flash=take_flash(request),
        csrf_token=lambda: form_token(request),
        csrf_field=lambda: Markup('<input type="hidden" name="_csrf" value="{}">').format(form_token(request)),
        **context,
    )
    response = Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)
    if seed := request.state.get("new_form_cookie"):
        response.set_cookie(_cookie(form_cookie_name(), seed))
        response.headers["Cache-Control"] = "private, no-store"
    if request.cookies.get("gv_flash"):
        response.delete_cookie("gv_flash")
    return response


def form_token(request: Request) -> str:
    request.state["has_form"] = True
    return csrf_token(request)


def redirect(path: str, *, status: int = 303, flash: str = "") -> Response[str]:
    """See another page of ours; `flash` is a sentence it shows once."""
    response = Response("", status_code=status, headers={"Location": header_safe(path), "Cache-Control": "no-store"})
    if flash:
        response.set_cookie(_cookie("gv_flash", quote(flash), max_age=60))
    return response


def header_safe(path: str) -> str:
    """A topic's address may be Chinese; a header speaks Latin-1 only."""
    return quote(path, safe="/?&=#%:@!$'()*+,;~[]")


def safe_next(path: str | None, fallback: str = "/") -> str:
    """`next=` only ever leads to a path of ours: no scheme, no host, no backslash trick."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return fallback
    if any(ord(character) < 32 for character in path) or urlsplit(path).netloc:
        return fallback
    return path


def quoted_path(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"] + (f"?{query}" if query else ""), safe="/")


async def form(request: Request, shape: type[T]) -> T:
    """The request's form as a struct; raises Invalid naming each field that does not fit."""
    data = await request.form()
    names = {field.encode_name: field for field in msgspec.structs.fields(shape)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key in list(data.keys())[:FORM_FIELDS]:
        if key not in names:
            continue
        given = data.getall(key)
        if _takes_list(names[key].type):
            values[key] = given
        elif len(given) > 1:
            raise Invalid(key, gettext("This field was sent more than once."))
        elif names[key].type is bool:
            values[key] = given[0] in ("on", "true", "1", "yes")
        elif given[0] != "" or names[key].type is str:
            values[key] = given[0]
    return convert(values, shape, strict=False)


async def json_body(request: Request, shape: type[T]) -> T:
    """The request's JSON body as a struct; Malformed when it is no JSON, Invalid by field when it does not fit."""
    raw = await request.body()
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(gettext("The body is not valid JSON in UTF-8.")) from error
    if not isinstance(data, dict):
        raise Malformed(gettext("The body must be a JSON object."))
    return convert(data, shape, strict=True)


def convert(values: dict[str, Any], shape: type[T], *, strict: bool) -> T:
    """msgspec.convert whose complaint names the field."""
    try:
        return msgspec.convert(values, shape, strict=strict)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `$.")
        field = path.rstrip("`") or _named_in(sentence)
        raise Invalid(field or "body", sentence) from error


async def form_again(
    request: Request, viewer: Viewer, template: str, problem: Problem, **context: Any
) -> Response[str]:
    """The same form, as `values` what was typed (never a password), as `problem` what to change."""
    data = await request.form()
    values = {
        key: value[:LONGEST_KEPT]
        for key, value in data.items()
        if isinstance(value, str) and key not in NOT_SHOWN_AGAIN
    }
    response = page(request, viewer, template, status=problem.status, values=values, problem=problem, **context)
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def once_field() -> Markup:
    """The hidden one-time key of a form that must not post twice (see app.idempotency)."""
    return Markup('<input type="hidden" name="_once" value="{}">').format(secrets.token_urlsafe(16))


def take_flash(request: Request) -> str:
    return unquote(request.cookies.get("gv_flash", ""))[:300]


def remember_cookie(name: str, value: str, *, seconds: int) -> Cookie:
    return _cookie(name, value, max_age=seconds)


def _cookie(name: str, value: str, max_age: int | None = None) -> Cookie:
    return Cookie(
        key=name, value=value, path="/", max_age=max_age, httponly=True, samesite="lax", secure=settings().is_https
    )


def _takes_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) in (list, tuple, frozenset)


def _named_in(sentence: str) -> str:
    """The field in "Object missing required field `title`" and "Object contains unknown field `x`"."""
    parts = sentence.split("`")
    return parts[1] if len(parts) > 2 and "field" in parts[0] else ""


def asset(path: str) -> str:
    """The address of a static file, which changes with its content, so that it may be cached for ever."""
    return f"/static/{asset_version()}/{path}"


_version, _looked_at = "", 0.0


def asset_version() -> str:
    """One hash over everything static, made when the process starts; in the demo looked at again each second."""
    global _version, _looked_at
    # A page asks for this a hundred times, once an icon: looking at the files each time cost 98 % of the page.
    if not _version or (not settings().is_production and time.monotonic() - _looked_at > 1):
        _looked_at = time.monotonic()
        digest = hashlib.blake2s(digest_size=6)
        for folder in ("static", "components"):
            for file in sorted((FRONTEND / folder).rglob("*")):
                if file.is_file():
                    digest.update(f"{file.name}{file.stat().st_size}{file.stat().st_mtime_ns}".encode())
        _version = digest.hexdigest()
    return _version


def when(moment: datetime | None) -> Markup:
    """A <time> with a relative text that stands without JavaScript."""
    if moment is None:
        return Markup("")
    # Markup.format would cost as much as the rest of a page's times together.
    return Markup(
        f'<time datetime="{moment.isoformat(timespec="seconds")}" title="{moment:%Y-%m-%d %H:%M} UTC">'
        f"{escape(relative(moment))}</time>"
    )


def relative(moment: datetime) -> str:
    seconds = (clock.now() - moment).total_seconds()
    if seconds < 0:
        return date(moment)
    if seconds < 60:
        return gettext("just now")
    for size, limit, one, many in (
        (60, 3600, "%(n)s minute ago", "%(n)s minutes ago"),
        (3600, 86_400, "%(n)s hour ago", "%(n)s hours ago"),
        (86_400, 14 * 86_400, "%(n)s day ago", "%(n)s days ago"),
    ):
        if seconds < limit:
            return ngettext(one, many, int(seconds // size))
    return date(moment)


def date(moment: datetime | None) -> str:
    return _day_in(moment.date(), i18n.current()) if moment else ""


@lru_cache(4096)
def _day_in(day: Day, lang: str) -> str:
    return format_date(day, "medium", locale=lang.replace("-", "_"))


def said(html: str | None) -> Markup:
    """What a member wrote, as it was rendered then; what has come to earn since is labelled now."""
    return Markup(labelled(html or ""))


def number(value: int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def money(value: Money | tuple[int, str]) -> str:
    return format_money(value if isinstance(value, Money) else Money(*value))


environment.globals.update(ad_mark=ad_mark, asset=asset, once_field=once_field, languages=i18n.LANGUAGES, now=clock.now)
environment.filters.update(
    said=said, when=when, date=date, number=number, money=money, percent=percent, excerpt=excerpt
)
