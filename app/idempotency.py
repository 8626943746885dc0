"""A request that is sent twice happens once: double clicks, reloads, and programs that try again after a cut line.

A program names its request with `Idempotency-Key`; a page's form carries a hidden one-time key (`once_field()`).
The key is written in the transaction of the effect and kept for ever, so it exists if, and only if, the effect does.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from litestar import Request

from app import clock, db
from app.errors import Conflict, Invalid

T = TypeVar("T")

HEADER = "idempotency-key"
FIELD = "_once"
LONGEST_KEY = 255


class KeyReused(Conflict):
    """This Idempotency-Key was used before, for another request. Take a new key for a new request."""

    type = "key-reused"


async def once(request: Request, member_id: int, answer_type: type[T], do: Callable[[], Awaitable[T]]) -> T:
    """Run `do` in one transaction under the request's key; a repetition gets the first answer. No key: just run it.

    What `do` raises undoes the key too, so the same request may be tried again.
    """
    key, fingerprint = await _name_of(request)
    if not key:
        return await do()
    async with db.transaction():
        # A twin that is still running holds this key: the insert waits for its commit, then loses.
        won = await db.fetch_val(
            """INSERT INTO idempotency_key (member_id, key, fingerprint, answer, created_at)
               VALUES ($1, $2, $3, 'null', $4) ON CONFLICT DO NOTHING RETURNING id""",
            member_id,
            key,
            fingerprint,
            clock.now(),
        )
        if won is None:
            answer = await _first_answer(member_id, key, fingerprint, answer_type)
        else:
            answer = await do()
            await db.execute(
                "UPDATE idempotency_key SET answer = $2::jsonb WHERE id = $1", won, msgspec.json.encode(answer).decode()
            )
    return answer


async def _first_answer(member_id: int, key: str, fingerprint: bytes, answer_type: type[T]) -> T:
    row = await db.fetch_one(
        "SELECT fingerprint, answer FROM idempotency_key WHERE member_id = $1 AND key = $2", member_id, key
    )
    if row is None or row["fingerprint"] != fingerprint:
        raise KeyReused()
    return msgspec.convert(row["answer"], answer_type)


async def _name_of(request: Request) -> tuple[str, bytes]:
    """The key of this request and the digest of what it asks for."""
    door = f"{request.method} {request.scope['path']}\n".encode()
    if key := request.headers.get(HEADER, ""):
        if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise Invalid("Idempotency-Key", f"1 to {LONGEST_KEY} printable ASCII characters, please.")
        return key, hashlib.sha256(door + await request.body()).digest()
    if request.headers.get("authorization"):
        return "", b""
    form = await request.form()
    asked = sorted((k, v) for k, v in form.multi_items() if isinstance(v, str) and not k.startswith("_"))
    fingerprint = hashlib.sha256(door + msgspec.json.encode(asked)).digest()
    given = form.get(FIELD)
    if not isinstance(given, str) or not 0 < len(given) <= 64:
        return "", b""
    # After "back" a browser shows the old form with its old key; another text in it is a new request, not an error.
    return f"form:{given}:{fingerprint.hex()}".replace("\0", ""), fingerprint
