"""Whether an address is one of a data centre: people surf from there only by a VPN, machines mostly do.

Data, not code: a list of ranges of ours to begin with, or the operator's own. The address itself is never kept.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

from app.settings import settings

OURS = Path(__file__).with_name("data_centres.txt")
# IPv4 addresses are looked for among the IPv6 ones they map to (::ffff:1.2.3.4), so that one list does for both.
_MAPPED = 0xFFFF << 32


class Ranges:
    """Which of many ranges an address lies in: one search in a sorted list, fast enough for every redirect."""

    def __init__(self, lines: Iterable[str]) -> None:
        spans = sorted(_span(line) for text in lines if (line := text.partition("#")[0].strip()))
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in spans:
            if self._last and first <= self._last[-1]:
                self._last[-1] = max(last, self._last[-1])
            else:
                self._first.append(first)
                self._last.append(last)

    def __contains__(self, address: str) -> bool:
        # Not ip_address(): ten times the time, on every redirect.
        try:
            if ":" in address:
                number = int.from_bytes(inet_pton(AF_INET6, address))
            else:
                number = _MAPPED | int.from_bytes(inet_pton(AF_INET, address))
        except (OSError, ValueError):
            return False
        at = bisect_right(self._first, number) - 1
        return at >= 0 and number <= self._last[at]


def is_data_centre(address: str) -> bool:
    return address in known_ranges()


@cache
def known_ranges() -> Ranges:
    """The operator's list, or ours; read once."""
    return Ranges((settings().data_centres or OURS).read_text("utf-8").splitlines())


def _span(line: str) -> tuple[int, int]:
    network = ip_network(line, strict=False)
    return _number(network[0]), _number(network[-1])


def _number(address: IPv4Address | IPv6Address) -> int:
    return _MAPPED | int(address) if address.version == 4 else int(address)
