"""Rate limits: counted atomically in Valkey, or in this process while Valkey is away.

A window begins with the first deed, not with the minute of the clock: who begins at its end would have it twice, and
would be told to come back sooner than is worth trying.
"""

import time

from app import valkey
from app.errors import TooMany

# Counted and given an end in one step: two trips could leave a counter that never ends.
_COUNT = """
local n = redis.call('INCRBY', KEYS[1], ARGV[2])
local left = redis.call('TTL', KEYS[1])
if left < 0 then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
end
return {n, left}
"""
_local: dict[str, tuple[float, int]] = {}
LOCAL_KEYS = 10_000


async def limit(action: str, who: object, *, most: int, per: int, cost: int = 1) -> None:
    """Raise TooMany when `who` did `action` more than `most` times within `per` seconds of the first time."""
    key = f"gv:limit:{action}:{who}:{per}"
    try:
        count, left = await valkey.client().eval(_COUNT, 1, key, str(per), str(cost))  # type: ignore[misc]
    except valkey.Down:
        count, left = _count_here(key, per, cost)
    if count > most:
        raise TooMany(retry_after=max(1, int(left)))


def _count_here(key: str, per: int, cost: int) -> tuple[int, float]:
    now = time.monotonic()
    if len(_local) > LOCAL_KEYS:
        _local.clear()
    ends, count = _local.get(key, (0.0, 0))
    if ends <= now:
        ends, count = now + per, 0
    _local[key] = (ends, count + cost)
    return count + cost, ends - now
