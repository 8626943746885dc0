"""Rooms whose events go outside are looked after by every web process: a second after something happened it is on its
way. Nothing is asked of whoever writes a message."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import db
from app.errors import Unavailable
from community.bots.jobs import send_soon

log = logging.getLogger(__name__)

LOOK_SECONDS, LOOK_SECONDS_WITHOUT_ENDPOINTS = 1.0, 5.0


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    task = asyncio.create_task(_look_for_ever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _look_for_ever() -> None:
    while True:
        pause = LOOK_SECONDS_WITHOUT_ENDPOINTS
        try:
            if await db.fetch_val(
                "SELECT EXISTS (SELECT 1 FROM webhook_endpoint WHERE owner_kind IN ('group', 'room'))"
            ):
                pause = LOOK_SECONDS
                await send_soon()
        except (*db.LOST, Unavailable) as lost:
            log.info("rooms with webhooks could not be looked at: %s", lost)
        await asyncio.sleep(pause)
