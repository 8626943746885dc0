"""The guarded way out: where it goes, where it never goes, and how much it takes."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.http import Answer, CannotFetch, fetch, kept_line

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


def test_only_the_demo_shop_and_the_operators_own_gateway_may_lie_in_ones_own_network():
    """Whose address comes from anybody else never gets there."""
    root = Path(__file__).parents[2]
    areas = ("app", "community", "storefront", "content", "referrals", "search", "frontend", "demo")
    callers = [
        str(file.relative_to(root))
        for area in areas
        for file in (root / area).rglob("*.py")
        if "allow_local=True" in file.read_text()
    ]
    assert set(callers) == {"app/sms.py", "demo/till.py"}


# --- a line that is kept ---


@asynccontextmanager
async def a_patient_server(*answers: bytes) -> AsyncIterator[tuple[int, list[bytes], list[int]]]:
    """It answers one request after the other on each connection, an empty answer being its end: port, the requests,
    and how many came on each connection."""
    heard: list[bytes] = []
    counts: list[int] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts.append(0)
        mine = len(counts) - 1
        try:
            while True:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                counts[mine] += 1
                answer = left.pop(0) if left else ok(b"on")
                if not answer:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard, counts


async def test_what_goes_to_one_host_in_a_row_shares_a_connection():
    async with a_patient_server() as (port, heard, counts), kept_line() as line:
        resolver = knows("127.0.0.1")
        for _ in range(5):
            url = f"http://shop.example:{port}/"
            answer = await fetch("GET", url, resolver=resolver, allow_local=True, line=line)
            assert answer.body == b"on"
    assert counts == [5] and len(heard) == 5
    assert len(resolver.asked) == 5, "each time its name is asked for anew"  # type: ignore[attr-defined]


async def test_a_name_that_leads_inside_by_now_is_not_reached_by_a_kept_line_either():
    async with a_patient_server() as (port, heard, _counts), kept_line() as line:
        url = f"http://shop.example:{port}/"
        await fetch("GET", url, resolver=knows("127.0.0.1"), allow_local=True, line=line)
        assert await why_not(url, "127.0.0.1", line=line) == "not_public"
        assert await why_not(url, "169.254.169.254", allow_local=True, line=line) == "not_public"
    assert len(heard) == 1


async def test_a_line_is_for_one_host():
    async with a_patient_server() as (port, heard, _counts), kept_line() as line:
        await fetch("GET", f"http://one.example:{port}/", resolver=knows("127.0.0.1"), allow_local=True, line=line)
        with pytest.raises(AssertionError):
            await fetch("GET", f"http://two.example:{port}/", resolver=knows("127.0.0.1"), allow_local=True, line=line)
    assert len(heard) == 1


async def test_a_line_that_was_closed_meanwhile_is_opened_again_once():
    async with a_patient_server(ok(b"one"), b"", ok(b"two"), b"", b"") as (port, heard, counts), kept_line() as line:
        how = {"resolver": knows("127.0.0.1"), "allow_local": True, "line": line}
        url = f"http://shop.example:{port}/"
        assert (await fetch("GET", url, **how)).body == b"one"
        assert (await fetch("GET", url, **how)).body == b"two", "closed under us: asked once more"
        assert counts == [2, 1]
        assert await why_not_by(url, how) == "connection_failed", "and no more than once"
    assert len(heard) == 5


async def why_not_by(url: str, how: dict) -> str:
    with pytest.raises(CannotFetch) as refused:
        await fetch("GET", url, **how)
    return refused.value.why


async def test_what_one_answer_sets_does_not_travel_with_the_next_request():
    async with a_patient_server(ok(b"x", "Set-Cookie: id=1")) as (port, heard, _counts), kept_line() as line:
        for _ in range(2):
            url = f"http://shop.example:{port}/"
            await fetch("GET", url, resolver=knows("127.0.0.1"), allow_local=True, line=line)
    assert b"cookie" not in heard[1].lower()
