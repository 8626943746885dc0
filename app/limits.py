"""Rate limits: a fixed window counted atomically in Valkey, or in this process while Valkey is away."""

import time

from app import valkey
from app.errors import TooMany

# INCR and EXPIRE in one step: two trips could leave a counter that never ends.
_COUNT = """
local n = redis.call('INCRBY', KEYS[1], ARGV[2])
if n == tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n
"""
_local: dict[str, tuple[float, int]] = {}
LOCAL_KEYS = 10_000


async def limit(action: str, who: object, *, most: int, per: int, cost: int = 1) -> None:
    """Raise TooMany when `who` did `action` more than `most` times in the current window of `per` seconds."""
    window = int(time.time() // per)
    key = f"gv:limit:{action}:{who}:{window}"
    try:
        count = int(await valkey.client().eval(_COUNT, 1, key, str(per), str(cost)))  # type: ignore[misc]
    except valkey.Down:
        count = _count_here(key, per, cost)
    if count > most:
        raise TooMany(retry_after=max(1, int((window + 1) * per - time.time())))


def _count_here(key: str, per: int, cost: int) -> int:
    if len(_local) > LOCAL_KEYS:
        _local.clear()
    ends, count = _local.get(key, (time.time() + per, 0))
    _local[key] = (ends, count + cost)
    return count + cost
