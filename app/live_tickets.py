"""Tickets to the live socket, for programs that have a token and no cookie: signed, good once, for 30 seconds."""

import base64
import hmac
import time
from datetime import timedelta

import msgspec

from app import clock, ids, valkey
from app.auth import Viewer, require_member, sign

SECONDS = 30
SKEW_SECONDS = 5

_used_here: dict[str, float] = {}


class Ticket(msgspec.Struct, array_like=True):
    member_id: int
    scopes: list[str]
    expires: float
    number: str
    token_id: int | None = None


def issue(viewer: Viewer) -> str:
    member_id = require_member(viewer, "read")
    expires = (clock.now() + timedelta(seconds=SECONDS)).timestamp()
    body = msgspec.json.encode(Ticket(member_id, sorted(viewer.scopes), expires, ids.new_token(), viewer.token_id))
    text = base64.urlsafe_b64encode(body).decode().rstrip("=")
    return f"{text}.{sign('live-ticket', text)}"


async def redeem(given: str) -> Ticket | None:
    """The ticket, the first time it is shown in its 30 seconds; None for anything else."""
    text, _, signature = given.partition(".")
    if not hmac.compare_digest(signature.encode(), sign("live-ticket", text).encode()):
        return None
    ticket = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Ticket)
    left = ticket.expires - clock.now().timestamp()
    # One from a server whose clock runs ahead would outlive what we remember of its use.
    if not 0 <= left <= SECONDS + SKEW_SECONDS:
        return None
    return ticket if await _is_first_use(ticket.number) else None


async def _is_first_use(number: str) -> bool:
    # What was used here is known here, too: a Valkey that forgets, or dies in between, brings no ticket back to life.
    if not _is_new_here(number):
        return False
    try:
        return bool(await valkey.client().set(f"gv:ticket:{number}", 1, nx=True, ex=2 * SECONDS))
    except valkey.Down:
        # Each process then goes by what it saw; a ticket lives too short for more to matter.
        return True


def _is_new_here(number: str) -> bool:
    now = time.monotonic()
    # The oldest stand first.
    while _used_here and (oldest := next(iter(_used_here.items())))[1] < now:
        del _used_here[oldest[0]]
    if number in _used_here:
        return False
    _used_here[number] = now + 2 * SECONDS
    return True
