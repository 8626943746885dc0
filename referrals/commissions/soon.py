"""Orders that are asked for at the same time are settled in one transaction, and each asker hears of its own."""

import asyncio
import contextvars
import logging
from collections.abc import Iterable, Sequence

from app import db
from app.errors import Unavailable
from referrals.commissions import service
from referrals.commissions.together import settle_all

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100
# One asker's orders fill no more than a part of a company: others' are settled beside them, not after them.
MOST_OF_ONE = MOST_AT_ONCE // 4

Asked = tuple[int, asyncio.Future[None]]

_waiting: list[Asked] = []
_working: list[asyncio.Task[None]] = []


async def settle_soon(order_id: int) -> None:
    """Settle an order together with those asked for at the same time; done when it is committed.

    Whoever asks in a transaction cannot wait for what another one commits: it is settled in theirs, and falls with it.
    """
    if db.engine.transaction_exists():
        return await service.settle(order_id)
    done = asyncio.get_running_loop().create_future()
    _waiting.append((order_id, done))
    if not _working:
        # Whoever comes while one transaction runs goes into the next: nobody waits for company. In a context of its
        # own, as it works for others than who began it, too.
        _working.append(asyncio.create_task(_work_off(), context=contextvars.Context()))
    await done


async def settle_all_soon(order_ids: Sequence[int]) -> None:
    """The same for several; each is tried, whatever becomes of another."""
    if db.engine.transaction_exists():
        return await settle_all(order_ids)
    outcomes: list[BaseException | None] = []
    for start in range(0, len(order_ids), MOST_OF_ONE):
        some = order_ids[start : start + MOST_OF_ONE]
        outcomes += await asyncio.gather(*(settle_soon(one) for one in some), return_exceptions=True)
    for one in outcomes:
        if one is not None:
            raise one


async def _work_off() -> None:
    batch: list[Asked] = []
    try:
        while _waiting:
            batch, _waiting[:] = _waiting[:MOST_AT_ONCE], _waiting[MOST_AT_ONCE:]
            await _settle_batch(batch)
    except BaseException:
        # The worker is stopping. Whoever waits must hear of it, and tries again later.
        _fail([*batch, *_waiting])
        _waiting.clear()
        raise
    finally:
        # In the same breath in which the list was seen empty: whoever comes next starts anew.
        _working.clear()


async def _settle_batch(batch: Sequence[Asked]) -> None:
    try:
        await settle_all([order_id for order_id, _done in batch])
    except Exception as error:
        # One order that fails must not hold up the others.
        if len(batch) > 1:
            log.warning("settling %s orders together failed, so each by itself", len(batch), exc_info=error)
        await _one_by_one(batch)
    else:
        for _order_id, done in batch:
            _succeed(done)


async def _one_by_one(batch: Sequence[Asked]) -> None:
    for order_id, done in batch:
        try:
            await service.settle(order_id)
        except Exception as error:
            if not done.done():
                done.set_exception(error)
        else:
            _succeed(done)


def _succeed(done: asyncio.Future[None]) -> None:
    # Who asked may have gone.
    if not done.done():
        done.set_result(None)


def _fail(asked: Iterable[Asked]) -> None:
    """An ordinary error, not a cancellation: a job that is called off is never tried again."""
    for _order_id, done in asked:
        if not done.done():
            done.set_exception(Unavailable())
