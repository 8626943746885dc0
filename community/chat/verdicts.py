"""What becomes of a message that somebody asked to say: said, said before, or refused, and why.

Judged while its room is locked, from what the database knew then and what the batch before it decided; no query here.
"""

import asyncio
import math
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec


class Refusal(Enum):
    NO_ROOM = "no room"
    NOT_A_MEMBER = "not a member"
    SUSPENDED = "suspended"
    SILENCED = "silenced"
    FROZEN = "frozen"
    UNANSWERED = "unanswered"
    CLOSED = "closed"
    OTHER_WORDS = "other words"
    NO_SUCH_MESSAGE = "no such message"
    NO_SUCH_FILE = "no such file"


class TooSoon(msgspec.Struct):
    """The room is slow, and its author spoke just now: after so many seconds again."""

    seconds: int


class Saying(msgspec.Struct, eq=False):
    """One message on its way into the room."""

    room_id: int
    author_id: int
    client_id: UUID
    fingerprint: bytes
    body: str
    html: str
    reply_to: int | None
    result: asyncio.Future
    files: list[int] = []

    @property
    def key(self) -> tuple[int, int, UUID]:
        return self.room_id, self.author_id, self.client_id


class Said(msgspec.Struct):
    """Durable. `is_new` is False when the same client id had said it before."""

    id: int
    seq: int
    is_new: bool


Verdict = Said | Refusal | TooSoon


class Batch(msgspec.Struct):
    """What a batch decides while its rooms are locked: new seqs, new messages, turns taken in slow rooms."""

    now: datetime
    seqs: dict[int, int]
    new: dict[tuple[int, int, UUID], tuple[Saying, int]] = {}
    turns: dict[tuple[int, int], datetime] = {}
    direct: dict[tuple[int, int], int] = {}
    files: set[tuple[int, int, int]] = set()
    """(room, owner, file) of those that no message holds yet."""


def judge(saying: Saying, known: Any, batch: Batch) -> Verdict | None:
    """What becomes of one message; None when it is new (then it has its place in `batch.new`)."""
    if not known["may_read"]:
        return Refusal.NO_ROOM
    if known["said_id"] is not None:
        same = known["said_fingerprint"] == saying.fingerprint
        return Said(known["said_id"], known["said_seq"], is_new=False) if same else Refusal.OTHER_WORDS
    if saying.key in batch.new:
        return None if batch.new[saying.key][0].fingerprint == saying.fingerprint else Refusal.OTHER_WORDS
    if refusal := _may_not_speak(saying, known, batch):
        return refusal
    if saying.reply_to is not None and known["reply_id"] is None:
        return Refusal.NO_SUCH_MESSAGE
    brought = {(saying.room_id, saying.author_id, file_id) for file_id in saying.files}
    if not brought <= batch.files:
        return Refusal.NO_SUCH_FILE
    if known["slow_seconds"] and not known["runs_it"]:
        batch.turns[saying.room_id, saying.author_id] = batch.now
    batch.files -= brought
    batch.seqs[saying.room_id] += 1
    batch.new[saying.key] = saying, batch.seqs[saying.room_id]
    if known["kind"] == "direct":
        batch.direct[saying.room_id, saying.author_id] = batch.seqs[saying.room_id]
    return None


def _may_not_speak(saying: Saying, known: Any, batch: Batch) -> Refusal | TooSoon | None:
    if not known["belongs"]:
        return Refusal.CLOSED if known["kind"] == "direct" else Refusal.NOT_A_MEMBER
    if known["suspended"]:
        return Refusal.SUSPENDED
    if known["silenced"]:
        return Refusal.SILENCED
    # Who asks to be let in says one thing, until somebody there answers.
    if known["is_alone"] and batch.seqs[saying.room_id] > 0:
        return Refusal.UNANSWERED
    if known["runs_it"]:
        return None
    if known["frozen_at"] is not None:
        return Refusal.FROZEN
    if known["slow_seconds"]:
        turn = saying.room_id, saying.author_id
        last = batch.turns.get(turn, known["turn_at"])
        wait = known["slow_seconds"] - (batch.now - last).total_seconds() if last else 0
        if wait > 0:
            return TooSoon(math.ceil(wait))
    return None
