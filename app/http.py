"""The only way out: HTTP to addresses that others gave us, which must never reach our own network.

The name is resolved once, every address of it is checked, and the connection goes to the one that was checked.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx
import msgspec

CONNECT_SECONDS = 3
WHOLE_SECONDS = 10
MOST_BYTES = 1024 * 1024
USER_AGENT = "Grapevine/0.1"

# Global by the registry, yet they lead into a private IPv4 network on the other side of a translator.
TRANSLATED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]


class CannotFetch(Exception):
    """Nothing came back, or nothing may. `why` is a stable word: `not_http`, `not_public`, `no_such_host`, `timeout`,
    `connection_failed`, `too_large`, `compressed`."""

    def __init__(self, why: str, url: str) -> None:
        self.why = why
        super().__init__(f"{why}: {url[:200]}")


class Line:
    """A connection that is kept for several requests to one host, each to an address of it that was checked anew."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.host = b""
        self.has_answered = False


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system's resolver knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


@asynccontextmanager
async def kept_line() -> AsyncIterator[Line]:
    """`fetch(…, line=line)`: what goes to one host in a row shares a connection."""
    async with _client() as client:
        yield Line(client)


async def fetch(
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
    seconds: float = WHOLE_SECONDS,
    allow_local: bool = False,
    cut: bool = False,
    resolver: Resolver = resolve,
    line: Line | None = None,
) -> Answer:
    """One request and its answer, without following redirects. `allow_local` is for the demo shop, which calls us,
    and for an address of the operator's own.

    `cut`: of a longer body its beginning is enough. `line`: the connection of the request before is used again; a
    request that meets its end is sent once more, so it has to be one that may come twice.
    """
    target = _parsed(url)
    try:
        async with asyncio.timeout(seconds):
            address = await _checked_address(target, allow_local, resolver)
            what = (address, target, method, content, headers or {}, most_bytes, cut)
            if line is None:
                async with _client() as client:
                    return await _fetch_from(client, *what)
            return await _fetch_by(line, *what)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise CannotFetch("timeout", url) from error
    except httpx.HTTPError as error:
        raise CannotFetch("connection_failed", url) from error


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet rather than to a machine, its network or its cloud."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_local(address: Address) -> bool:
    """This machine or its private network, but never link-local, where clouds keep their metadata."""
    return address.is_loopback or (address.is_private and not address.is_link_local and not address.is_unspecified)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the authorities took 19 ms, for each request anew.
    return httpx.create_ssl_context(trust_env=False)


def _parsed(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise CannotFetch("not_http", url) from error
    if target.scheme not in ("http", "https") or not target.host or target.userinfo:
        raise CannotFetch("not_http", url)
    if target.port is not None and not 0 < target.port < 65_536:
        raise CannotFetch("not_http", url)
    return target


async def _checked_address(target: httpx.URL, allow_local: bool, resolver: Resolver) -> str:
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = await resolver(target.host, port)
        addresses = [ipaddress.ip_address(text) for text in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise CannotFetch("no_such_host", str(target)) from error
    if not addresses:
        raise CannotFetch("no_such_host", str(target))
    # Any address among them could be the one used next time, so one that is not allowed spoils the name.
    if not all(is_public(address) or (allow_local and is_local(address)) for address in addresses):
        raise CannotFetch("not_public", str(target))
    return str(addresses[0])


def _client() -> httpx.AsyncClient:
    timeout = httpx.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout, verify=_tls())


async def _fetch_by(line: Line, address: str, target: httpx.URL, *what: Any) -> Answer:
    # Connections are told apart by their address; one that proved to be another host's is none of this one's.
    assert line.host in (b"", target.netloc), "a line is for one host"
    line.host = target.netloc
    try:
        answer = await _fetch_from(line.client, address, target, *what)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        if not line.has_answered:
            raise
        # They closed it while we wrote, as anybody may whom nothing was asked for a while.
        line.has_answered = False
        answer = await _fetch_from(line.client, address, target, *what)
    line.has_answered = True
    return answer


async def _fetch_from(
    client: httpx.AsyncClient,
    address: str,
    target: httpx.URL,
    method: str,
    content: bytes,
    headers: Mapping[str, str],
    most_bytes: int,
    cut: bool,
) -> Answer:
    """Talk to the checked address in the name of the host, which TLS still has to prove."""
    ours = {"Host": target.netloc.decode(), "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    request = client.build_request(
        method,
        target.copy_with(host=address),
        content=content,
        headers={**headers, **ours},
        extensions={"sni_hostname": target.host},
    )
    response = await client.send(request, stream=True)
    # What one answer sets does not travel with the next request.
    client.cookies.clear()
    try:
        # A compressed answer could unpack to any size, and nobody was told we take one.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CannotFetch("compressed", str(target))
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > most_bytes:
                if cut:
                    break
                raise CannotFetch("too_large", str(target))
    finally:
        await response.aclose()
    return Answer(response.status_code, dict(response.headers), body)
