"""What goes wrong in the soak: processes are restarted and killed, lines are cut, readers stop."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Faults:
    """How often what was done."""

    def __init__(self) -> None:
        self.injected: Counter[str] = Counter()
        # Processes that fell over since somebody last looked.
        self.broken: list[str] = []

    def count(self, what: str) -> None:
        self.injected[what] += 1


class Program:
    """A process of ours that is started again whenever it ended."""

    def __init__(self, words: list[str], environment: dict[str, str], log: Path) -> None:
        self.words, self.environment, self.log = words, environment, log
        self.process: subprocess.Popen[bytes] | None = None
        self.is_wanted = True

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", *self.words], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )

    async def keep(self) -> None:
        while self.is_wanted:
            if self.process is None or self.process.poll() is not None:
                self.start()
            await asyncio.sleep(0.1)

    async def answers(self) -> bool:
        with suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", int(self.words[-1]))
            writer.close()
            return True
        return False

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self) -> None:
        self.is_wanted = False
        if self.process is not None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Servers:
    """PostgreSQL and Valkey of the run, whose keeper brings them back."""

    def __init__(self, postgres: Path, valkey: Path, database_url: str, redis_url: str) -> None:
        self.postgres, self.valkey, self.database_url, self.redis_url = postgres, valkey, database_url, redis_url

    def kill_postgres(self) -> bool:
        """The server and everything it started, in the same moment, as if the machine lost its power."""
        import psutil

        pid = _pid_in(self.postgres)
        if pid is None:
            return False
        with suppress(psutil.Error):
            server = psutil.Process(pid)
            for process in (server, *server.children(recursive=True)):
                with suppress(psutil.Error):
                    process.kill()
            return True
        return False

    async def until_postgres_answers(self) -> None:
        import asyncpg

        for _ in range(600):
            with suppress(asyncpg.PostgresError, OSError, TimeoutError):
                await (await asyncpg.connect(self.database_url, timeout=2)).close()
                return
            await asyncio.sleep(0.1)

    def kill_valkey(self) -> bool:
        pid = _pid_in(self.valkey)
        with suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    async def flush_valkey(self) -> bool:
        return await self._tell_valkey("FLUSHALL")

    async def slow_valkey(self) -> bool:
        return await self._tell_valkey("DEBUG", "SLEEP", "1.5")

    async def _tell_valkey(self, *words: str) -> bool:
        import redis.asyncio as redis

        client = redis.Redis.from_url(self.redis_url, socket_timeout=5)
        with suppress(redis.RedisError, OSError):
            await client.execute_command(*words)
            return True
        return False


async def until_all_answer(webs: list[Program]) -> None:
    for _ in range(600):
        if all([await web.answers() for web in webs]):
            return
        await asyncio.sleep(0.1)


def _pid_in(file: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(file.read_text().splitlines()[0])
    return None


async def cut_lines(talkers: list[Any], faults: Faults, every: float) -> None:
    """Again and again one of them loses its line, or stops to read."""
    resting: set[asyncio.Task] = set()
    while True:
        await asyncio.sleep(random.expovariate(1 / every))
        talker = random.choice(talkers)
        if talker.line is None:
            continue
        if random.random() < 0.05:
            faults.count("reader stopped for a while")
            task = asyncio.create_task(talker.stop_reading(random.uniform(0.2, 3)))
            resting.add(task)
            task.add_done_callback(resting.discard)
        else:
            faults.count("line cut")
            talker.cut()


async def break_processes(
    webs: list[Program], worker: Program, servers: Servers, faults: Faults, every: float, rounds: int
) -> None:
    """Every few seconds something else falls over; everything in turn, in an order of its own each time."""
    while rounds:
        rounds -= 1
        for what in random.sample(KINDS, len(KINDS)):
            await asyncio.sleep(random.uniform(0.5, 1.5) * every)
            web = random.choice(webs)
            if what.startswith("web"):
                # On a slow machine a process needs longer to start than we do to kill the next one.
                await until_all_answer(webs)
            match what:
                case "web kill -9":
                    web.signal(signal.SIGKILL)
                case "web restart":
                    web.signal(signal.SIGTERM)
                case "worker kill -9":
                    worker.signal(signal.SIGKILL)
                case "postgres kill -9":
                    # Not while it still recovers from the last time: nobody would talk any more.
                    await servers.until_postgres_answers()
                    servers.kill_postgres()
                case "valkey kill -9":
                    servers.kill_valkey()
                case "valkey flushed":
                    await servers.flush_valkey()
                case "valkey slow":
                    await servers.slow_valkey()
            faults.count(what)
            faults.broken.append(what)


KINDS = ["web kill -9", "web kill -9", "web restart", "worker kill -9", "postgres kill -9", "valkey kill -9"]
KINDS += ["valkey flushed", "valkey slow"]
