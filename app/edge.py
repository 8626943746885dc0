"""The outermost layer of every request: its id, its language, the headers that protect a page, and its figures."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import parse_qs

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from app import i18n
from app.settings import settings

requests_total = Counter("grapevine_requests_total", "Requests answered", ["method", "status"])
request_seconds = Histogram("grapevine_request_seconds", "Time to answer", buckets=(0.005, 0.02, 0.05, 0.1, 0.5, 1, 5))

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
LANG_COOKIE = "gv_lang"
RawRoute = Callable[[Scope, Receive, Send, ASGIApp], Awaitable[None]]
A_YEAR = 365 * 86_400


def protected(
    application: ASGIApp, raw_routes: dict[str, RawRoute], sockets: dict[str, ASGIApp] | None = None
) -> ASGIApp:
    """The application behind the edge. `raw_routes` (by path prefix) skip edge and framework for speed, and hand on
    to what is behind them whatever they do not answer themselves. `sockets` (by path) are websockets of ours."""
    headers = _security_headers()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and sockets and scope["path"] in sockets:
            i18n.use(_language(scope)[1])
            await sockets[scope["path"]](scope, receive, send)
            return
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        for prefix, raw in raw_routes.items():
            if scope["path"].startswith(prefix):
                await raw(scope, receive, send, framed)  # type: ignore[arg-type]
                return
        await framed(scope, receive, send)

    async def framed(scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["method"] == "HEAD"  # type: ignore[comparison-overlap]
        if is_head:
            # A page answers HEAD as it would GET, without the body; the framework alone would say 405.
            scope = {**scope, "method": "GET"}  # type: ignore[assignment,misc]
        request_id = secrets.token_hex(8)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        asked, lang = _language(scope)
        i18n.use(lang)
        started = time.perf_counter()
        extra = [*headers, (b"x-request-id", request_id.encode()), (b"content-language", lang.encode())]
        if asked:
            extra.append((b"set-cookie", f"{LANG_COOKIE}={lang}; Path=/; Max-Age={A_YEAR}; SameSite=Lax".encode()))

        is_head = scope["method"] == "HEAD"  # type: ignore[comparison-overlap]

        async def send_protected(message: Message) -> None:
            if is_head and message["type"] == "http.response.body":
                message["body"] = b""
            if message["type"] == "http.response.start":
                # A cookie never stands for another one: the page may set its own beside that of the language.
                present = {name.lower() for name, _ in message["headers"]} - {b"set-cookie"}
                message["headers"] = [*message["headers"], *(pair for pair in extra if pair[0] not in present)]
                requests_total.labels(scope["method"], str(message["status"])).inc()
                request_seconds.observe(time.perf_counter() - started)
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            # HEAD is a GET whose body stays here; every page then has it, with the headers of the very page.
            asked_of = cast(Scope, {**scope, "method": "GET"}) if is_head else scope
            await application(asked_of, receive, send_protected)
        finally:
            structlog.contextvars.clear_contextvars()

    return serve  # type: ignore[return-value]


def _language(scope: Scope) -> tuple[bool, str]:
    """Whether a language was asked for in the address (and so is worth remembering), and the one to speak."""
    query = scope["query_string"]
    asked = parse_qs(query.decode("latin-1")).get("lang", [""])[-1] if b"lang=" in query else ""
    cookie = accepted = ""
    for name, value in scope["headers"]:
        if name == b"cookie" and LANG_COOKIE.encode() in value:
            parts = dict(p.strip().partition("=")[::2] for p in value.decode("latin-1").split(";"))
            cookie = parts.get(LANG_COOKIE, "")
        elif name == b"accept-language":
            accepted = value.decode("latin-1")
    return bool(asked), i18n.choose(asked, cookie, accepted)


def _security_headers() -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]
    if settings().is_https:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    return headers
