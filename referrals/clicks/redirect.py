"""`GET /r/{code}` as a raw ASGI route: know the link, commit the click, then send the visitor on.

Whatever is not a plain redirect (an unknown or closed link, a preview card, a QR code) goes to the pages behind.
"""

import hashlib
import logging
import re
from datetime import datetime
from functools import lru_cache

import asyncpg
from litestar.types import ASGIApp, Receive, Scope, Send

from app import clock, ids
from app.errors import Unavailable
from app.settings import settings
from referrals.clicks import directory, writer
from referrals.clicks.classify import HUMAN, PREVIEW, kind_of
from referrals.clicks.directory import Way

log = logging.getLogger(__name__)

PREFIX = "/r/"
COOKIE_SECONDS = 30 * 86_400
_HOST = re.compile(rb"https?://(?:[^/@?#]*@)?([a-z0-9.-]{1,253})(?::\d+)?(?:[/?#]|$)", re.I)


async def answer(scope: Scope, receive: Receive, send: Send, behind: ASGIApp) -> None:
    """Answer one visit; `behind` renders every page."""
    code = scope["path"][len(PREFIX) :].lower()
    if "/" in code or scope["method"] not in ("GET", "HEAD"):  # type: ignore[comparison-overlap]
        await behind(scope, receive, send)
        return
    try:
        location, cookie = await _follow(code, scope)
    except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        log.exception("a click could not be kept")
        await _say_unavailable(send)
        return
    if not location:
        await behind(scope, receive, send)
        return
    headers = [(b"location", location.encode()), *_fixed_headers()]
    if cookie:
        headers.append((b"set-cookie", cookie))
    await send({"type": "http.response.start", "status": 302, "headers": headers})  # type: ignore[arg-type]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[arg-type]


async def _follow(code: str, scope: Scope) -> tuple[str, bytes]:
    """The address to send the visitor to, once their click is committed, and the cookie; empty when a page answers."""
    known, way = directory.remembered(code)
    if not known:
        way = await directory.look_up(code)
    if way is None or not way.open:
        return "", b""
    try:
        return await _click(way, scope)
    except writer.LinkIsGone:
        # Removed (or made anew) within the last seconds: look again, once.
        directory.forget(code)
        way = await directory.look_up(code)
        return await _click(way, scope) if way is not None and way.open else ("", b"")


async def _click(way: Way, scope: Scope) -> tuple[str, bytes]:
    agent = purpose = destination = referrer = b""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value
        elif name == b"referer":
            referrer = value
        elif name in (b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"):
            purpose = value.lower()
        elif name == b"sec-fetch-dest":
            destination = value
    kind = kind_of(scope["method"], agent, purpose, destination)
    click_id, at = ids.new_click_id(), clock.now()
    client = scope["client"]
    visitor = _visitor(at, client[0] if client else "", agent)
    await writer.write(click_id, way.link_id, at, kind, visitor, _referrer_host(referrer))
    if kind == PREVIEW and scope["method"] == "GET":  # type: ignore[comparison-overlap]
        return "", b""
    # Only a person's click is remembered: what merely looks ahead must not displace whoever brought them.
    return f"{way.before}{click_id.hex}{way.after}", _cookie(click_id.hex) if kind == HUMAN else b""


def _cookie(click: str) -> bytes:
    return f"gv={click}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{_secure()}".encode()


@lru_cache(maxsize=1)
def _fixed_headers() -> tuple[tuple[bytes, bytes], ...]:
    headers = (
        (b"cache-control", b"no-store"),
        (b"x-robots-tag", b"noindex"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        (b"content-length", b"0"),
    )
    # The edge, which says this for pages, is not in the way of a redirect.
    return (*headers, (b"strict-transport-security", b"max-age=31536000")) if settings().is_https else headers


@lru_cache(maxsize=1)
def _secure() -> str:
    return "; Secure" if settings().is_https else ""


def _visitor(at: datetime, address: str, agent: bytes) -> str:
    """The same for one browser on one day, of no use on the next; the address itself is not kept."""
    return hashlib.blake2b(address.encode() + agent, key=_salt(at.toordinal()), digest_size=12).hexdigest()


@lru_cache(maxsize=2)
def _salt(day: int) -> bytes:
    return hashlib.blake2b(f"visitor:{day}".encode(), key=settings().secret_key.encode()[:64], digest_size=32).digest()


@lru_cache(maxsize=4096)
def _referrer_host(referrer: bytes) -> str:
    found = _HOST.match(referrer[:500])
    return found[1].decode().lower() if found else ""


async def _say_unavailable(send: Send) -> None:
    """The click could not be kept, so nobody is sent on without it: one plain sentence, and try again."""
    body = b"Back in a moment: please open the link again."
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"5"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})  # type: ignore[arg-type]
    await send({"type": "http.response.body", "body": body})  # type: ignore[arg-type]
