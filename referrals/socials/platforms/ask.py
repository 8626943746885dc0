"""Asking a platform: through the one way out, never after a redirect, and believing only what has the right shape."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from app.http import Answer, CannotFetch, fetch
from referrals.socials.platforms.seen import CannotSee

MOST_BYTES = 1024 * 1024
SECONDS = 10
LONGEST_WAIT = 24 * 3600
# How a status is understood, where the adapter does not know better.
WHY = {401: "refused", 403: "refused", 404: "gone", 410: "gone", 412: "refused", 429: "too_fast"}

T = TypeVar("T")


async def ask(
    url: str, shape: type[T], *, headers: Mapping[str, str] | None = None, why: Mapping[int, str] | None = None
) -> T:
    """The answer in its shape; CannotSee when there is none. `why`: what statuses mean on this platform."""
    try:
        wanted = {"accept": "application/json", **(headers or {})}
        answer = await fetch("GET", url, headers=wanted, most_bytes=MOST_BYTES, seconds=SECONDS)
    except CannotFetch as failed:
        raise CannotSee("too_large" if failed.why == "too_large" else "unreachable") from failed
    if answer.status != 200:
        raise CannotSee(_meaning(answer.status, {**WHY, **(why or {})}), _wait(answer))
    return decoded(answer.body, shape)


def decoded(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """In its shape, or CannotSee: what is not UTF-8 or nested without end is no answer either."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CannotSee("unreadable") from error


def _meaning(status: int, known: Mapping[int, str]) -> str:
    if 300 <= status < 400:
        # Who is redirected could be led to a page that says anything; the platforms' own answers come without.
        return "redirected"
    return known.get(status, "unreachable")


def _wait(answer: Answer) -> int:
    told = answer.headers.get("retry-after", "")
    return min(int(told), LONGEST_WAIT) if told.isascii() and told.isdigit() and len(told) < 10 else 0
