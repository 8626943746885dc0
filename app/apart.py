"""Work that a file from a stranger could break: in a process of its own, with nothing of ours around it."""

import asyncio
import sys
from pathlib import Path

from app.errors import Unavailable


async def run_apart(script: Path, *words: str, given: bytes, seconds: float) -> bytes | None:
    """What the script answers to these bytes, or None when it died of them or took too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(script),
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
    except OSError as error:
        raise Unavailable() from error
    try:
        answer, _errors = await asyncio.wait_for(process.communicate(given), seconds)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer if process.returncode == 0 else None
