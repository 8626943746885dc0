"""Chat under fire: talkers in many rooms, while lines are cut and web, worker, Valkey and PostgreSQL are killed.

    python -m tests.load.soak [--messages 1000000] [--seed N] [--json]      bin/bench --soak runs it
    python -m tests.load.soak --short                                       some seconds of it: bin/ci runs that

Every talker keeps what it heard, in order, and what was acknowledged. In the end that is compared with the books:
what was acked is there once, and everybody who listened was told every event once, in one order. Anything else is
counted, printed, and makes the exit code 1. Before it trusts its own verdict, the judge is shown a witness that
dropped, doubled and swapped an event, and must say so.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.load.chat_bench import free_port
from tests.load.faults import Faults, Program, break_processes, cut_lines, until_all_answer
from tests.load.soak_line import Quota, Talker, call
from tests.load.soak_world import found_world, judge, seqs_of

ROOMS, TALKERS, WEBS = 20, 60, 2
SETTLE_SECONDS, TELL_SECONDS = 90, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--short", action="store_true", help="every fault once, in some seconds")
    parser.add_argument("--seed", type=int, default=None, help="of the faults' order and times")
    parser.add_argument("--json", action="store_true", help="one JSON object and no lines on the way")
    options = parser.parse_args()
    options.seed = options.seed if options.seed is not None else random.randrange(10**6)
    random.seed(options.seed)
    from app import embedded

    with tempfile.TemporaryDirectory(prefix="gv-soak-") as folder:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        with embedded.servers(Path(folder)) as urls:
            environment = {
                "GRAPEVINE_DATABASE_URL": urls.database_url,
                "GRAPEVINE_REDIS_URL": urls.redis_url,
                "GRAPEVINE_DATA_DIR": folder,
                "GRAPEVINE_ENV": "demo",
                "GRAPEVINE_BASE_URL": "http://127.0.0.1",
            }
            os.environ.update(environment)
            with suppress(ImportError):
                import uvloop

                uvloop.install()
            report = asyncio.run(soak(options, Path(folder)))
    print(json.dumps(report) if options.json else json.dumps(report, indent=1))
    sys.exit(0 if report["ok"] else 1)


async def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    faults = Faults()
    rooms, people, servers = await found_world(ROOMS, TALKERS, folder)
    ports = [free_port() for _ in range(WEBS)]
    webs = [Program(["serve", "--port", str(port)], dict(os.environ), folder / f"web-{port}.log") for port in ports]
    worker = Program(["worker"], dict(os.environ), folder / "worker.log")
    quota = Quota(10**9 if options.short else options.messages)
    talkers = [
        Talker(number, token, rooms[number % ROOMS], ports, quota, faults)
        for number, (_member, token) in enumerate(people)
    ]
    keeping = [asyncio.create_task(program.keep()) for program in (*webs, worker)]
    try:
        await until_all_answer(webs)
        began = time.monotonic()
        living = [asyncio.create_task(talker.live()) for talker in talkers]
        telling = asyncio.create_task(_tell(talkers, faults, is_quiet=options.json))
        meddling = [
            asyncio.create_task(cut_lines(talkers, faults, every=0.05)),
            asyncio.create_task(_change_words(talkers, faults)),
            asyncio.create_task(_come_and_go(talkers, faults)),
        ]
        pace, rounds = (0.6, 1) if options.short else (4.0, 10**9)
        breaking = asyncio.create_task(break_processes(webs, worker, servers, faults, pace, rounds))
        if options.short:
            await breaking
            quota.left = 0
        while quota.left > 0:
            await asyncio.sleep(0.1)
        took = time.monotonic() - began
        for task in (breaking, *meddling):
            task.cancel()
        seqs = await _settle(talkers, rooms)
        telling.cancel()
        for talker in talkers:
            talker.is_done = True
            talker.cut()
        await asyncio.gather(*living)
        verdict = await judge(talkers, rooms, {member: number for number, (member, _token) in enumerate(people)})
    finally:
        for task in keeping:
            task.cancel()
        for program in (*webs, worker):
            program.stop()
    messages = sum(talker.said for talker in talkers)
    return {
        "ok": verdict.is_clean and not verdict.is_asleep,
        "messages": messages,
        "acked": sum(1 for talker in talkers for seq, _id in talker.acks_by_number() if seq),
        "events": sum(seqs.values()),
        "told": sum(talker.witness.seq for talker in talkers),
        "seconds": round(took),
        "messages_per_s": round(messages / took),
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "out_of_order": verdict.out_of_order,
        "faults_in_all": sum(faults.injected.values()),
        "faults": dict(sorted(faults.injected.items())),
        "seed": options.seed,
        "first": verdict.first,
    }


async def _settle(talkers: list[Talker], rooms: list[str]) -> dict[str, int]:
    """Until every message was acknowledged and everybody heard everything; who has not by then has lost something."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while any(talker.outbox for talker in talkers) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    seqs: dict[str, int] = {}
    while time.monotonic() < deadline:
        # The worker may still tell of somebody who came or went.
        await asyncio.sleep(0.5)
        with suppress(Exception):
            before, seqs = seqs, await seqs_of(rooms)
            if seqs == before and all(talker.witness.seq >= seqs[talker.room] for talker in talkers):
                break
    return seqs


async def _change_words(talkers: list[Talker], faults: Faults) -> None:
    """Authors change and delete what they said: events in the same sequence."""
    while True:
        await asyncio.sleep(0.2)
        talker = random.choice(talkers)
        if not talker.said or not (message_id := talker.acks[2 * random.randrange(talker.said) + 1]):
            continue
        path = f"/api/v1/rooms/{talker.room}/messages/{message_id}"
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                if random.random() < 0.5:
                    await call(random.choice(talker.ports), "PUT", path, talker.token, {"body": "other words"})
                else:
                    await call(random.choice(talker.ports), "DELETE", path, talker.token)
            faults.count("(words changed or deleted)")


async def _come_and_go(talkers: list[Talker], faults: Faults) -> None:
    """Somebody who listens elsewhere leaves this group and joins again; the worker tells the room."""
    while True:
        await asyncio.sleep(1)
        talker = random.choice(talkers)
        slug = f"soak-{(talker.number + 1) % ROOMS}"
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                method = random.choice(["PUT", "DELETE"])
                await call(random.choice(talker.ports), method, f"/api/v1/groups/{slug}/membership", talker.token)
            faults.count("(came or went)")


async def _tell(talkers: list[Talker], faults: Faults, *, is_quiet: bool) -> None:
    began, told = time.monotonic(), 0
    while not is_quiet:
        await asyncio.sleep(TELL_SECONDS)
        said, injected = sum(talker.said for talker in talkers), sum(faults.injected.values())
        broken, faults.broken = ", ".join(faults.broken), []
        rate = (said - told) / TELL_SECONDS
        print(
            f"{time.monotonic() - began:6.0f} s  {said:9,} messages  {rate:6,.0f}/s  {injected:7,} faults  {broken}",
            file=sys.stderr,
        )
        told = said


if __name__ == "__main__":
    main()
