"""The guarded way out: where it goes, where it never goes, and how much it takes."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.http import Answer, CannotFetch, fetch

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"


def knows(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    """A resolver that gives these addresses for every name, and remembers what it was asked."""

    async def resolver(host: str, port: int) -> list[str]:
        resolver.asked.append(host)  # type: ignore[attr-defined]
        return list(addresses)

    resolver.asked = []  # type: ignore[attr-defined]
    return resolver


@asynccontextmanager
async def a_server(answer: bytes, *, seconds: float = 0) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A small HTTP server on this machine: its port, and the requests it got."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(seconds)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def ok(body: bytes, *headers: str) -> bytes:
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


async def why_not(url: str, *addresses: str, **how) -> str:
    with pytest.raises(CannotFetch) as refused:
        await fetch("GET", url, resolver=knows(*addresses), **how)
    return refused.value.why


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.1 198.18.0.1
    224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 ff02::1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:db8::1
    fd00:ec2::254""".split(),
)
async def test_nothing_inside_is_reached(address: str):
    assert await why_not("https://harmless.example/", address) == "not_public"


async def test_one_inside_address_among_public_ones_spoils_the_name():
    assert await why_not("https://harmless.example/", PUBLIC, "10.0.0.1") == "not_public"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:7f00:1]"]
)
async def test_no_way_of_writing_this_machine_gets_through(host: str):
    """These go through the system's own resolver."""
    with pytest.raises(CannotFetch) as refused:
        await fetch("GET", f"http://{host}:1/")
    assert refused.value.why in ("not_public", "no_such_host")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "//shop.example/",
        "/path",
        "",
        "http://",
        "https://user:password@shop.example/",
        "http://shop.example:99999/",
        "http://sh\x00op.example/",
    ],
)
async def test_only_plain_web_addresses_are_fetched(url: str):
    assert await why_not(url, PUBLIC) == "not_http"


async def test_the_name_is_resolved_once_and_the_checked_address_is_used():
    """A name that answers differently the second time (rebinding) gains nothing: there is no second time."""
    async with a_server(ok(b"hello")) as (port, heard):
        resolver = knows("127.0.0.1")
        answer = await fetch("GET", f"http://shop.example:{port}/x?y=1", resolver=resolver, allow_local=True)
    assert (answer.status, answer.body) == (200, b"hello")
    assert resolver.asked == ["shop.example"]  # type: ignore[attr-defined]
    assert heard[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n") and f"Host: shop.example:{port}".encode() in heard[0]


async def test_a_redirect_is_an_answer_and_not_followed():
    async with a_server(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n") as (
        port,
        heard,
    ):
        answer = await fetch("GET", f"http://127.0.0.1:{port}/", allow_local=True)
    assert answer.status == 302 and len(heard) == 1


async def test_link_local_stays_closed_even_for_the_demo():
    for address in ("169.254.169.254", "fe80::1", "0.0.0.0"):
        assert await why_not("http://shop.example/", address, allow_local=True) == "not_public"


async def test_an_answer_has_a_largest_size():
    async with a_server(ok(b"x" * 100_001)) as (port, _):
        assert (
            await why_not(f"http://x.example:{port}/", "127.0.0.1", allow_local=True, most_bytes=100_000) == "too_large"
        )


async def test_a_compressed_answer_is_refused_before_it_unpacks():
    async with a_server(ok(gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip")) as (port, heard):
        assert await why_not(f"http://x.example:{port}/", "127.0.0.1", allow_local=True) == "compressed"
    assert b"Accept-Encoding: identity" in heard[0]


async def test_a_server_that_says_nothing_is_left_alone():
    async with a_server(ok(b"late"), seconds=5) as (port, _):
        assert await why_not(f"http://x.example:{port}/", "127.0.0.1", allow_local=True, seconds=0.2) == "timeout"


async def test_a_closed_door_is_a_word_and_not_a_crash():
    assert await why_not("http://x.example:1/", "127.0.0.1", allow_local=True) == "connection_failed"
    assert await why_not("http://x.example/") == "no_such_host"


async def test_the_environments_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch):
    async with a_server(ok(b"proxy")) as (proxy, heard_by_proxy), a_server(ok(b"direct")) as (port, _):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        answer: Answer = await fetch("GET", f"http://127.0.0.1:{port}/", allow_local=True)
    assert answer.body == b"direct" and heard_by_proxy == []


def test_only_the_demo_shops_till_may_call_this_machine():
    root = Path(__file__).parents[2]
    areas = ("app", "community", "storefront", "content", "referrals", "search", "frontend", "demo")
    callers = [
        str(file.relative_to(root))
        for area in areas
        for file in (root / area).rglob("*.py")
        if "allow_local=True" in file.read_text()
    ]
    assert set(callers) <= {"demo/shop.py", "demo/till.py"}
