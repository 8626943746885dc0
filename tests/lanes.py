"""The whole suite, in parts that run beside each other: `python -m tests.lanes`.

Each part has its own PostgreSQL and Valkey. If only a few failed, each is tried again alone, and is named even if it
passes: what drives a browser once, because that is a great deal of scheduling that is not ours; everything else has to
pass five times in a row, which a real race seldom does.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

PARTS = ("browser", "1/3", "2/3", "3/3")
# More than these at once are no chance any more.
MOST_SHAKY = 3
TRIES, TRIES_OF_BROWSERS = 5, 1


class Told(NamedTuple):
    passed: int
    skipped: int
    broken: list[str]
    slowest: list[tuple[float, str]]


def main() -> int:
    began = time.monotonic()
    at_once = max(1, min(len(PARTS), os.cpu_count() or 1))
    print(f"      the tests in {len(PARTS)} parts, {at_once} at a time", flush=True)
    with tempfile.TemporaryDirectory(prefix="gv-lanes-") as folder, ThreadPoolExecutor(at_once) as lanes:
        told = dict(zip(PARTS, lanes.map(lambda part: run(part, Path(folder)), PARTS), strict=True))
        broken = {name: part for part, of_part in told.items() for name in of_part.broken}
        shaky = again(broken, Path(folder))
    for name in shaky:
        del broken[name]
    for name in shaky:
        print(f"shaky {name}", flush=True)
    for name in broken:
        print(f"FAIL  {name}")
    for seconds, name in sorted((one for part in told.values() for one in part.slowest), reverse=True)[:10]:
        print(f"{seconds:6.1f} s  {name}")
    passed, skipped = sum(part.passed for part in told.values()) + len(shaky), sum(p.skipped for p in told.values())
    took = time.monotonic() - began
    print(f"{passed} passed, {len(broken)} failed, {skipped} skipped, {len(shaky)} shaky in {took:.0f} s")
    return bool(broken)


def run(part: str, folder: Path) -> Told:
    """One part from its start to its end; what it said is shown when something in it failed."""
    began = time.monotonic()
    told = pytest(["--share", part], folder / part.replace("/", "-"))
    word = "ok   " if not told.broken else "again" if len(told.broken) <= MOST_SHAKY else "FAIL "
    counts = f"{told.passed} passed, {len(told.broken)} failed, {told.skipped} skipped"
    print(f"{word} tests {part:<16} {time.monotonic() - began:4.0f} s  {counts}", flush=True)
    return told


def again(broken: dict[str, str], folder: Path) -> list[str]:
    """Those of a few, each with its part, that pass when they are tried again, each alone."""
    if len(broken) > MOST_SHAKY:
        return []
    return [name for number, name in enumerate(broken) if passes(name, broken[name], folder / f"again-{number}")]


def passes(name: str, part: str, to: Path) -> bool:
    tries = TRIES_OF_BROWSERS if part == "browser" else TRIES
    return not any(pytest([name], to).broken for _try in range(tries))


def pytest(asked: list[str], to: Path) -> Told:
    told, log = to.with_suffix(".json"), to.with_suffix(".log")
    command = [sys.executable, "-m", "pytest", "-p", "tests.shares", "-q", "-o", f"cache_dir={to}.cache",
               "-o", "faulthandler_timeout=600", "--told-to", str(told), *asked]  # fmt: skip
    with log.open("w") as said:
        status = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT).returncode
    if status != 0:
        print(log.read_text(errors="replace"), flush=True)
    try:
        done = Told(**json.loads(told.read_text()))
    except (OSError, ValueError):
        done = Told(0, 0, [], [])
    # Cut short, or nothing was there to run: no test has failed, and the part has all the same.
    missing = [] if done.broken or (status == 0 and done.passed + done.skipped) else [f"{' '.join(asked)}: no end"]
    return done._replace(broken=done.broken + missing)


if __name__ == "__main__":
    sys.exit(main())
