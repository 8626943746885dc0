"""Every door of the house, tried with what no person would type: a clear answer each time, and never a crash."""

import asyncio
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from app.main import build
from tests.content.people import say
from tests.factories import Browser, Person, a_group, a_member, sign_in
from tests.storefront.shop import a_product, a_shop

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ODD_NUMBERS = ["0", "-1", "9223372036854775807", "9223372036854775808", "9" * 5000, "1e9", "٣", "²", "%00"]
ODD_WORDS = [
    "%00",
    "%ff%fe",
    "%F0%9F%92%A9",
    "..%2f..%2fetc",
    "%E2%80%AE",
    "'\"<script>",
    "a" * 4000,
    "%0d%0aX-Evil:1",
    "%5B",
    "post:99999999999999999999",
    "post:%00",
    "post:²",
    "@" + "a" * 31,
    "@%00",
    "%25s%25n",
    "中文",
    "{}",
]
# Cursors of other types, of numbers and moments beyond the database's, and plain noise: each for every parameter.
ODD_VALUES = [
    "%00",
    "%ff%fe",
    "-1",
    "0",
    "9" * 30,
    "9" * 5000,
    "1e999",
    "٣",
    "²",
    "http://[",
    "//evil.example",
    "%0d%0aX:1",
    "/中",
    "(" * 300,
    "a" * 5000,
    "post:²",
    "member:9999999999999999999",
    "W10",
    "WyJhIl0",
    "WzFlNDAwXQ",
    "Wy0xZTMwOCwxXQ",
    "WzkyMjMzNzIwMzY4NTQ3NzU4MDgsOTIyMzM3MjAzNjg1NDc3NTgwOF0",
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwxXQ",
    "WyIyMDIwLTAxLTAxVDAwOjAwOjAwIiwxXQ",
    "WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjU5IiwxXQ",
    "WzEuNSwxXQ",
    "WzEsIlx1MDAwMCJd",
]
PARAMETERS = (
    "after before limit post reply_to reply edit q kind group product sort stars verified subject url target next gv "
    "category brand format"
).split()
ODD_HEADERS = [
    {"Cookie": "gv_session=\xff\xfe"},
    {"Cookie": "gv_session=%00; gv_flash=%ff%00; gv_lang=%00; gv=%00; shop_cart=W10"},
    {"Cookie": "=;;=;a"},
    {"Accept-Language": "*;q=x,,\xff"},
    {"Accept-Language": "zh" * 2000},
    {"Origin": "http://["},
    {"Host": "["},
    {"If-None-Match": "\xff"},
    {"User-Agent": "\xff" * 500},
    {"Referer": "http://[\xff"},
    {"Accept": "\xff"},
    {"HX-Request": "true"},
    {"Authorization": "Bearer \xff"},
    {"Authorization": "Basic"},
    {"Range": "bytes=9-1"},
    {"Accept": "application/json"},
    {"Cookie": "shop_cart=" + "A" * 4000},
]


ODD_BODIES: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"&".join(name + b"=%ff%00%fe" for name in (b"body", b"title", b"name"))),
    (
        "application/x-www-form-urlencoded",
        b"body=" + b"9" * 5000 + b"&reply_to=" + b"9" * 5000 + b"&rating=" + b"9" * 5000,
    ),
    (
        "application/x-www-form-urlencoded",
        b"reply_to=%C2%B2&rating=%C2%B2&client_id=x&up_to=-1&amount=1e999999&quantity=1e9",
    ),
    ("application/x-www-form-urlencoded", b"&".join(b"x%d=1" % n for n in range(3000))),
    ("application/x-www-form-urlencoded", b"\xff\xfe=\xff&[]=1&a[b]=2&=&&;" + b"%" * 50),
    (
        "application/x-www-form-urlencoded; charset=utf-7",
        b"body=x&emoji=%F0%9F&subject=post:%00&reason=spam&verdict=hide",
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n\xff\xfe\x00\r\n--b--\r\n',
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="photo"; filename="\xff"\r\n\r\n\xff\r\n--b--',
    ),
    ("multipart/form-data; boundary=b", b"--b\r\nnothing of the kind"),
    ("multipart/form-data", b"--b\r\n\r\n--b--"),
    ("application/json", b"[" * 5000),
    ("application/json", b'{"a":' * 2000),
    (
        "application/json",
        b'{"body":"\\ud800","title":"\\ud800","login":"\\ud800","password":"\\ud800","handle":"\\ud800"}',
    ),
    ("application/json", b"\xff\xfe{}"),
    ("text/plain", b"\x00" * 100),
]


async def ask(
    house: Callable, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """One request as the server hands it on, also one that client libraries refuse to send."""
    path, _mark, query = target.partition("?")
    given = {"host": "test.example", **{name.lower(): value for name, value in (headers or {}).items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("10.0.0.1", 5),
        "server": ("test.example", 80),
        "state": {},
        "extensions": {},
    }
    coming = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[dict] = []

    async def receive() -> dict:
        return coming.pop() if coming else await asyncio.sleep(60, {"type": "http.disconnect"})

    async def send(message: dict) -> None:
        told.append(message)

    await asyncio.wait_for(house(scope, receive, send), 20)
    start = next(message for message in told if message["type"] == "http.response.start")
    answer = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], answer, b"".join(message.get("body", b"") for message in told[1:])


def doors(method: str) -> list[str]:
    """The path of every route that takes this method, with its parameters in braces."""
    routes = [route for route in build().routes if method in getattr(route, "methods", ())]
    # A stream of everything; it takes no parameter.
    return sorted({route.path_format for route in routes if route.path_format != "/sitemap.xml"})


def filled(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], values[""]), path)


async def a_lived_in_house(web: Browser) -> tuple[Person, str, dict[str, str]]:
    """An admin, their session's cookie, and values that lead to something real in most doors."""
    from app import db
    from community.topics.schemas import NewTopic
    from community.topics.service import open_topic

    admin, other = await a_member("adele", role="admin"), await a_member("olaf")
    shop = await a_shop("north", owner_id=admin.id)
    product = await a_product(shop)
    group = await a_group(admin, "hikers")
    topic = await open_topic(admin.viewer, group, NewTopic("Which pack?", "I wonder."))
    review = await say(other, product)
    values = {
        "": product,
        "at_handle": "@olaf",
        "topic_id": topic.id,
        "thread": f"{topic.id}-{topic.slug}",
        "room_id": str(await db.fetch_val("SELECT id FROM room")),
        "post_id": str(await db.fetch_val("SELECT id FROM post")),
        "review_id": str(review),
        "member_id": str(other.id),
        "store": "north",
        "external_id": "SKU-1",
        "code": "olaf",
        "emoji": "👍",
        "name": f"review:{review}",
    }
    browser = await sign_in(web(), admin)
    return admin, f"gv_session={browser.cookies['gv_session']}", values


def values_for(path: str, values: dict[str, str]) -> dict[str, str]:
    return {**values, "slug": "hikers" if "/g/" in path or "/groups/" in path else values[""]}


def headers_for(path: str, admin: Person, cookie: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin.token}"} if path.startswith("/api/") else {"Cookie": cookie}


def csrf_of(cookie: str) -> str:
    from app.auth import sign

    return sign("form", cookie.partition("=")[2])


async def test_no_address_breaks_a_door(house: Callable, web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("search.pace.MOST", 10**9, raising=False)
    admin, cookie, values = await a_lived_in_house(web)
    broken = []
    for path in doors("GET"):
        real = filled(path, values_for(path, values))
        targets = [f"{real}?" + "&".join(f"{name}={value}" for name in PARAMETERS) for value in ODD_VALUES]
        targets += [f"{real}?{name}=x&{name}=%00" for name in PARAMETERS[:2]] + [f"{real}?%", f"{real}?&&=&;"]
        if "{" in path:
            targets += [re.sub(r"\{\w+\}", odd, path) for odd in (*ODD_WORDS, *ODD_NUMBERS)]
        for target in targets:
            status, answer, _ = await ask(house, "GET", target, headers_for(path, admin, cookie))
            is_framed = "content-security-policy" in answer or path.startswith("/r/")
            if status >= 500 or not is_framed or "x-evil" in answer or "x" in answer:
                broken.append((target[:120], status))
    assert not broken, "\n".join(map(str, broken))


async def test_no_header_breaks_a_door(house: Callable, web: Browser):
    admin, cookie, values = await a_lived_in_house(web)
    broken = []
    for path in (
        "/",
        "/login",
        "/g/hikers",
        "/p/" + values[""],
        "/api/v1/me",
        "/r/olaf",
        "/demo-shop/cart",
        "/nowhere",
    ):
        for odd in ODD_HEADERS:
            for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE", "BREW"):
                status, _, _ = await ask(house, method, path, {**headers_for(path, admin, cookie), **odd})
                if status >= 500:
                    broken.append((method, path, odd, status))
    assert not broken, "\n".join(map(str, broken))


async def test_no_form_breaks_a_door(house: Callable, web: Browser):
    admin, cookie, values = await a_lived_in_house(web)
    token = csrf_of(cookie)
    broken = []
    for method in ("POST", "PUT", "DELETE"):
        for path in doors(method):
            if path in ("/logout",):
                continue
            real = filled(path, values_for(path, values))
            for kind, body in ODD_BODIES:
                headers = {**headers_for(path, admin, cookie), "X-CSRF-Token": token, "Content-Type": kind}
                status, _, _ = await ask(house, method, real, headers, body)
                if status >= 500:
                    broken.append((method, path, kind, body[:40], status))
    assert not broken, "\n".join(map(str, broken))
