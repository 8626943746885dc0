"""Asking a shop: through the one way out, patient with its limits, never at an address of our own network."""

import base64
from asyncio import sleep
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
import msgspec

from app import db
from app.errors import NotFound
from app.http import Answer, CannotFetch, fetch
from storefront.connectors.schemas import Access as Access
from storefront.stores.vault import unseal

MOST_BYTES = 16 * 1024 * 1024
SECONDS = 30
TRIES = 4


class Refused(Exception):
    """The shop did not answer as it should; the sentence says how. `status` where it answered with one."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        self.status = status
        super().__init__(sentence)


async def access_of(store: asyncpg.Record) -> Access:
    """How to ask this store; NotFound when it never said."""
    row = await db.fetch_one("SELECT url, keys FROM store_access WHERE store_id = $1", store["id"])
    if row is None:
        raise NotFound(f"Nobody has said how to ask {store['slug']}: grapevine store access --slug {store['slug']} …")
    return Access(row["url"].rstrip("/"), unseal(row["keys"]), store["secret"])


async def ask(
    method: str, url: str, headers: Mapping[str, str], content: bytes = b"", *, takes: Collection[int] = ()
) -> Answer:
    """One answer, after waiting as long as the shop asks us to; Refused when there is none. `takes`: statuses by which
    a shop says in its own words what stands in the way."""
    for attempt in range(TRIES):
        try:
            answer = await fetch(
                method, url, content=content, headers={"accept": "application/json", **headers},
                most_bytes=MOST_BYTES, seconds=SECONDS,
            )  # fmt: skip
        except CannotFetch as failed:
            raise Refused(f"no answer ({failed.why})") from failed
        if answer.status not in (429, 503) or attempt == TRIES - 1:
            break
        await sleep(_patience(answer, attempt))
    if answer.status >= 400 and answer.status not in takes:
        raise Refused(f"the shop answered {answer.status}", answer.status)
    return answer


def read_answer(answer: Answer, shape: type) -> Any:
    return read_part(answer.body, shape)


def read_part(told: bytes | msgspec.Raw, shape: type) -> Any:
    try:
        return msgspec.json.decode(told, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"the shop's answer is not what it should be ({error})") from error


def basic(keys: str) -> str:
    return "Basic " + base64.b64encode(keys.encode()).decode()


def _patience(answer: Answer, attempt: int) -> float:
    try:
        return min(float(answer.headers.get("retry-after", "")), 20)
    except ValueError:
        return 2.0**attempt
