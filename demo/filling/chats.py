"""What people do in rooms besides talking: signs, a pin, answers in a thread, and words for one alone."""

from random import Random
from uuid import UUID

from app import db
from app.settings import settings
from community.chat import pins, reactions
from community.chat import service as chat
from community.direct import service as direct
from demo.content.source import read, split_line
from demo.filling.rows import Filling, go_to
from demo.filling.trade import run_jobs

MINUTE, HOUR = 60, 3600


async def liven(f: Filling) -> None:
    """Through the services, as members would; the recent past, in the order of time."""
    told, rng = read("direct"), f.rng("direct")
    for one in told["sign"]:
        await _sign(f, one)
    for number, one in enumerate(told["answer"]):
        await _answer(f, rng, one, ago=(40 - 20 * number) * MINUTE)
    for one in sorted(told["talk"], key=lambda talk: -talk["ago_hours"]):
        await _talk(f, rng, one)
    await run_jobs(0)


async def _sign(f: Filling, one: dict) -> None:
    room_id, message_id = await _line(f, one["group"], one["line"])
    go_to(f.at(50 * MINUTE))
    for emoji, handles in one["signs"].items():
        for handle in handles:
            await reactions.react(f.viewer(handle), room_id, message_id, emoji)
    if by := one.get("pinned_by"):
        await pins.pin(f.viewer(by), room_id, message_id)


async def _answer(f: Filling, rng: Random, one: dict, ago: int) -> None:
    room_id, message_id = await _line(f, one["group"], one["line"])
    for number, line in enumerate(one["answers"]):
        by, body = split_line(line.replace("{home}", settings().base_url))
        go_to(f.at(ago - number * 2 * MINUTE))
        await chat.send(f.viewer(by), room_id, UUID(int=rng.getrandbits(128), version=4), body, reply_to=message_id)


async def _talk(f: Filling, rng: Random, one: dict) -> None:
    """The first line opens the room; if it waits for an answer, it is all that is said."""
    handles = [split_line(line)[0] for line in one["lines"]]
    other = next((handle for handle in handles if handle != handles[0]), "mara")
    room_id = 0
    for number, line in enumerate(one["lines"]):
        by, body = split_line(line)
        go_to(f.at(one["ago_hours"] * HOUR - number * 3 * MINUTE))
        if not room_id:
            begun = await direct.begin(f.viewer(by), [other], UUID(int=rng.getrandbits(128), version=4), body)
            room_id = int(begun.room)
        else:
            await chat.send(f.viewer(by), room_id, UUID(int=rng.getrandbits(128), version=4), body)


async def _line(f: Filling, group: str, line: str) -> tuple[int, int]:
    """A line of a group's room: the room and the message."""
    by, body = split_line(line)
    message_id = await db.fetch_val(
        "SELECT id FROM message WHERE room_id = $1 AND author_id = $2 AND body = $3",
        f.rooms[group],
        f.members[by],
        body,
    )
    assert message_id, line
    return f.rooms[group], message_id
