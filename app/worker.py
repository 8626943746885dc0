"""The worker process: jobs and chores, until SIGTERM or SIGINT."""

import asyncio
import signal

from app import features, jobs

assert features  # registers every feature's jobs


async def work_until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await jobs.run_worker(stop)
