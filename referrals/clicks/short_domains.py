"""A store's own short domain: `https://go.shop.example/code` is `/r/code`, and nothing else of ours lives there."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import settings
from referrals.clicks import directory, redirect
from referrals.links.domains import store_behind
from referrals.links.names import is_reserved
from referrals.links.queries import could_be_code

# What a page of ours needs when it stands there: a closed link, a card, the question for a password.
_PARTS = ("/static/", "/media/", "/favicon")


async def answer(scope: Scope, receive: Receive, send: Send, behind: ASGIApp) -> None:
    """Hand on what was asked of our own host; on a store's domain follow its links, and send the rest home."""
    store_id = store_behind(_host_of(scope))
    if store_id is None or scope["path"].startswith(_PARTS):
        await behind(scope, receive, send)
        return
    code = scope["path"][1:].lower()
    if not could_be_code(code) or is_reserved(code):
        query = scope["query_string"]
        await _send_home(scope["path"] + ("?" + query.decode("latin-1") if query else ""), send)
        return
    known, way = directory.remembered(code)
    if not known:
        way = await directory.look_up(code)
    if way is not None and way.store_id not in (None, store_id):
        code = "-"  # Another store's link: unknown here, so that nobody lends this domain to it.

    async def send_absolute(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, settings().base_url.encode() + value if name == b"location" and value[:1] == b"/" else value)
                for name, value in message["headers"]
            ]
        await send(message)

    asked = {**scope, "path": redirect.PREFIX + code, "raw_path": (redirect.PREFIX + code).encode()}
    await redirect.answer(asked, receive, send_absolute, behind)  # type: ignore[arg-type]


def _host_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return value.decode("latin-1").partition(":")[0].lower()
    return ""


async def _send_home(path: str, send: Send) -> None:
    location = settings().base_url.encode() + path.encode("ascii", "ignore")
    headers = [(b"location", location.replace(b"\r", b"").replace(b"\n", b"")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})  # type: ignore[arg-type]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[arg-type]
