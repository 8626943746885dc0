"""How long after a click its owner's open page of /earn has it: over the socket, then the page's moving part anew."""

import asyncio
import json
import time
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.load.kills import AGENT

CLICKS = 8
PATIENCE = 20.0


async def run(base: str, redirect: str, cookie: str, part: str = "/earn/live") -> dict[str, Any]:
    """`redirect` is the path of a link whose owner's session `cookie` is; seconds from the visitor's click on."""
    owner = {"Cookie": cookie}
    waits = []
    async with (
        httpx.AsyncClient(base_url=base) as http,
        connect(base.replace("http", "ws", 1) + "/live", origin=base, additional_headers=owner) as line,
    ):
        await line.send('{"type":"watch_earn"}')
        await _told(line)

        async def shown() -> str:
            return (await http.get(part, headers=owner)).raise_for_status().text

        assert await shown() == await shown(), "this part changes by itself"
        for visitor in range(CLICKS):
            before = await shown()
            # Another browser each time: who comes again within the hour is the same person.
            who = {"User-Agent": f"{AGENT.decode()} {visitor}", "Accept-Language": "en"}
            clicked = time.perf_counter()
            answer = await http.get(redirect, headers=who)
            assert answer.status_code == 302, answer.status_code
            await _told(line)
            assert await shown() != before, "the page was told, and shows what it showed"
            waits.append(time.perf_counter() - clicked)
    return {"clicks": CLICKS, "median_s": round(sorted(waits)[CLICKS // 2], 2), "max_s": round(max(waits), 2)}


async def _told(line: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while json.loads(await line.recv()).get("about") != "earn":
            pass
