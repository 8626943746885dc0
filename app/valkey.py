"""The Valkey (Redis) client of this process. It holds only what may be lost; every caller copes without."""

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.settings import settings

Down = (redis.RedisError, OSError, TimeoutError)
# A page can do without; a test that counts on an answer waits for it (tests/conftest.py).
PATIENCE = 0.5
_client: redis.Redis | None = None


def client() -> redis.Redis:
    """One client per process, made when first needed; quick to give up, because the page can do without."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings().redis_url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),
            max_connections=50,
        )
    return _client


async def is_up() -> bool:
    try:
        return bool(await client().ping())
    except Down:
        return False


async def close() -> None:
    global _client
    if _client is not None:
        old, _client = _client, None
        await old.aclose()
