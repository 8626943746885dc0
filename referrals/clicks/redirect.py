"""`GET /r/{code}` as a raw ASGI route: know the link, keep the click, then send the visitor on.

Whatever is not a plain redirect (an unknown or closed link, a preview card, a QR code) goes to the pages behind.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache

import asyncpg
from litestar.types import ASGIApp, Receive, Scope, Send

from app import clock
from app.errors import Unavailable
from app.settings import settings
from referrals.clicks import data_centres, days, directory, last_known, learning, visitors, writer
from referrals.clicks.classify import HUMAN, PREVIEW
from referrals.clicks.directory import Way
from referrals.clicks.heard import DENIED
from referrals.clicks.visit import click_of
from referrals.links.passing import SIDE_COOKIE

log = logging.getLogger(__name__)

PREFIX = "/r/"
COOKIE_SECONDS = 30 * 86_400
LOOK_EVERY = 1.0


async def answer(scope: Scope, receive: Receive, send: Send, behind: ASGIApp) -> None:
    """Answer one visit; `behind` renders every page."""
    code = scope["path"][len(PREFIX) :].lower()
    if "/" in code or scope["method"] not in ("GET", "HEAD"):  # type: ignore[comparison-overlap]
        await behind(scope, receive, send)
        return
    try:
        location, cookies = await _follow(code, scope)
    except (Unavailable, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        log.exception("a click could not be kept")
        await _say_unavailable(send)
        return
    if not location:
        await behind(scope, receive, send)
        return
    headers = [(b"location", location.encode()), *_fixed_headers()]
    headers += [(b"set-cookie", cookie) for cookie in cookies]
    await send({"type": "http.response.start", "status": 302, "headers": headers})  # type: ignore[arg-type]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[arg-type]


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """What the redirect needs beside the requests: the writer, what was known before, and an eye on the database."""
    last_known.load()
    # Read before the first visitor comes, who would wait for it.
    data_centres.known_ranges()
    async with writer.running():
        tasks = [asyncio.create_task(_look_after_for_ever()), asyncio.create_task(learning.learn_for_ever())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            last_known.save(at_once=True)


async def _look_after_for_ever() -> None:
    """Know the salts of the day and have a partition for it, note what is known, and replay what waited on disk."""
    has_days = False
    while True:
        try:
            await visitors.learn_salts()
            if not has_days:
                await days.make_ahead()
                has_days = True
            await writer.come_back()
            await visitors.note_members()
            await asyncio.to_thread(last_known.save)
        except writer.LOST as lost:
            log.info("the database is away: %s", lost)
        except Exception:
            log.exception("the redirect's housekeeping failed")
        await asyncio.sleep(LOOK_EVERY)


async def _follow(code: str, scope: Scope) -> tuple[str, tuple[bytes, ...]]:
    """The address to send the visitor to, once their click is kept, and the cookies; empty when a page answers."""
    known, way = directory.remembered(code)
    if not known:
        way = await directory.look_up(code)
    if way is None:
        return "", ()
    try:
        return await _click(way, scope)
    except writer.LinkIsGone:
        # Removed (or made anew) within the last seconds: look again, once.
        directory.forget(code)
        way = await directory.look_up(code)
        return await _click(way, scope) if way is not None else ("", ())


async def _click(way: Way, scope: Scope) -> tuple[str, tuple[bytes, ...]]:
    at = clock.now()
    client = scope["client"]
    click = click_of(way.link_id, scope, at=at, address=client[0] if client else "", trigger=way.trigger)
    before, after = way.before, way.after
    if not way.open:
        click.blocked = way.blocked
    elif way.turns is not None:
        passage = await directory.pass_by(way, scope, at, is_person=click.kind == HUMAN)
        before, after, click.variant, click.blocked = passage.before, passage.after, passage.variant, passage.blocked
    await writer.write(click)
    if click.blocked or (click.kind == PREVIEW and scope["method"] == "GET"):  # type: ignore[comparison-overlap]
        return "", ()
    if click.consent == DENIED:
        # The address as its shop wrote it, and nothing that could be recognised later.
        return before[: -len("?gv=")] + after.removeprefix(directory.STAND_DOWN), ()
    # Only a person's click is remembered: what merely looks ahead must not displace whoever brought them.
    location = f"{before}{click.id.hex}{after}"
    if click.kind != HUMAN:
        return location, ()
    cookies = (_cookie("gv", click.id.hex),)
    # A visitor of a split stays on their side, also when their address changes.
    return location, (*cookies, _cookie(f"{SIDE_COOKIE}{way.link_id}", click.variant)) if click.variant else cookies


def _cookie(name: str, value: str) -> bytes:
    return f"{name}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{_secure()}".encode()


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
