"""Orders that are asked for at the same time are settled in one transaction, and each asker hears of its own."""

import asyncio
import logging
from collections.abc import Sequence

from referrals.commissions import service
from referrals.commissions.together import settle_all

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100

_waiting: list[tuple[int, asyncio.Future[None]]] = []
_working: list[asyncio.Task[None]] = []


async def settle_soon(order_id: int) -> None:
    """Settle an order together with those asked for at the same time; done when it is committed."""
    done = asyncio.get_running_loop().create_future()
    _waiting.append((order_id, done))
    if not _working:
        # Whoever comes while one transaction runs goes into the next: nobody waits for company.
        _working.append(asyncio.create_task(_work_off()))
    await done


async def settle_all_soon(order_ids: Sequence[int]) -> None:
    """The same for several; each is tried, whatever becomes of another."""
    outcomes = await asyncio.gather(*(settle_soon(one) for one in order_ids), return_exceptions=True)
    for one in outcomes:
        if one is not None:
            raise one


async def _work_off() -> None:
    try:
        while _waiting:
            batch, _waiting[:] = _waiting[:MOST_AT_ONCE], _waiting[MOST_AT_ONCE:]
            await _settle_batch(batch)
    finally:
        # In the same breath in which the list was seen empty: whoever comes next starts anew.
        _working.clear()


async def _settle_batch(batch: Sequence[tuple[int, asyncio.Future[None]]]) -> None:
    try:
        await settle_all([order_id for order_id, _done in batch])
    except Exception as error:
        # One order that fails must not hold up the others.
        if len(batch) > 1:
            log.warning("settling %s orders together failed, so each by itself: %s", len(batch), error)
        await _one_by_one(batch)
    except BaseException:
        # The worker is stopping: whoever waits tries again later, as nothing was committed.
        for _order_id, done in batch:
            done.cancel()
        raise
    for _order_id, done in batch:
        if not done.done():
            done.set_result(None)


async def _one_by_one(batch: Sequence[tuple[int, asyncio.Future[None]]]) -> None:
    for order_id, done in batch:
        try:
            await service.settle(order_id)
        except Exception as error:
            if not done.done():
                done.set_exception(error)
