"""How many live lines one member or address may hold, and how much one member may send over all of theirs."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Container

from app import live_signals
from app.http import is_public
from app.live_signals import heard, signal
from app.live_socket import MEMBER_BURST, MEMBER_PER_SECOND, Pace
from app.settings import settings

# Who is busier than this in a second is told to the other processes, which count it too.
TOLD_PACE, TELL_PACE_SECONDS = 100.0, 1.0
LINES_IN_DEMO, LINES_IN_PRODUCTION = 5000, 200

_paces: dict[int, Pace] = {}
_lines: Counter[str] = Counter()


def network_of(address: str) -> str:
    """Whose lines are counted together: one address of the internet, or what one household has of the new ones.
    Empty for a proxy's and for our own: behind those is everybody."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # What came over a socket for both kinds is an old address all the same.
    known = getattr(known, "ipv4_mapped", None) or known
    if not is_public(known):
        return ""
    return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))


def are_too_many(of_member: int, network: str) -> bool:
    """Whether one more line is refused to a member who holds so many here, from this network."""
    most = settings().lines_per_member or (LINES_IN_PRODUCTION if settings().is_production else LINES_IN_DEMO)
    return of_member >= most or (network != "" and _lines[network] >= settings().lines_per_address)


def begin(network: str) -> None:
    _lines[network] += 1


def end(network: str) -> None:
    _lines[network] -= 1
    if not _lines[network]:
        del _lines[network]


def pace_of(member_id: int) -> Pace:
    """What a member may send over all connections together; it outlives them, or coming back would refill it."""
    if member_id not in _paces:
        _paces[member_id] = Pace(MEMBER_BURST, MEMBER_PER_SECOND)
    return _paces[member_id]


def forget_the_rested(now: float, here: Container[int]) -> None:
    """Of members who are not here and whose pace is full again nothing has to be known."""
    for member_id in [id for id, pace in _paces.items() if id not in here and pace.is_rested(now)]:
        del _paces[member_id]


async def tell_paces_for_ever() -> None:
    while True:
        await asyncio.sleep(TELL_PACE_SECONDS)
        await tell_paces()


async def tell_paces() -> None:
    """What busy members have sent to this process, to the others: what they may send does not grow with processes."""
    busy = {str(id): round(pace.spent) for id, pace in _paces.items() if pace.spent >= TOLD_PACE}
    for pace in _paces.values():
        pace.spent = 0.0
    if busy:
        await signal("pace", live_signals.THIS_PROCESS, busy)


@heard("pace")
def hear_paces(process: str, busy: dict[str, float]) -> None:
    if process != live_signals.THIS_PROCESS:
        for member_id, spent in busy.items():
            pace_of(int(member_id)).was_spent_elsewhere(spent)
