"""Questions asked at about the same time share one query: a lone one is asked at once, those that come meanwhile are
asked together next. No answer is older than its question, so nothing is cached here.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")
MOST_AT_ONCE = 500


def gathered(
    most: int = MOST_AT_ONCE,
) -> Callable[[Callable[[list[Key]], Awaitable[dict[Key, Answer]]]], Callable[[Key], Awaitable[Answer | None]]]:
    """`@gathered() async def member_of(ids: list[int]) -> dict[int, Row]` becomes `await member_of(7)`: a row or None.

    The query runs outside of the asker's transaction.
    """

    def shared(
        look_up: Callable[[list[Key]], Awaitable[dict[Key, Answer]]],
    ) -> Callable[[Key], Awaitable[Answer | None]]:
        waiting: dict[Key, asyncio.Future[Answer | None]] = {}
        asking: asyncio.Task[None] | None = None

        def ask(key: Key) -> Awaitable[Answer | None]:
            nonlocal asking
            loop = asyncio.get_running_loop()
            if asking is not None and asking.get_loop() is not loop:
                # The loop it ran on has ended, and with it whoever waited there.
                asking = None
                waiting.clear()
            if key not in waiting:
                waiting[key] = loop.create_future()
            if asking is None or asking.done():
                asking = loop.create_task(ask_all(), context=contextvars.Context())
            # One asker who gives up takes the answer from nobody else.
            return asyncio.shield(waiting[key])

        async def ask_all() -> None:
            while waiting:
                some = {key: waiting.pop(key) for key in list(waiting)[:most]}
                try:
                    answers = await look_up(list(some))
                except BaseException as error:
                    for future in some.values():
                        future.set_exception(error)
                        # Seen here: the asker may be gone, and nobody else would look at it.
                        future.exception()
                    if not isinstance(error, Exception):
                        raise
                else:
                    for key, future in some.items():
                        future.set_result(answers.get(key))

        return ask

    return shared
