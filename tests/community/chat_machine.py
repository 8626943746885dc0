"""One room with its pages, everything that can happen to them, and what must hold whatever did."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app import db, live
from app.errors import Problem
from app.live_socket import RESTART
from community.chat import live as live_of_chat
from community.chat import measures, pins, queries, reactions, service
from community.chat.measures_schemas import NewMeasure
from community.chat.snapshot import Snapshot, apply_all
from community.groups import service as groups
from tests.community.chat_page import Page, load
from tests.community.test_chat import a_room
from tests.factories import Person, run_jobs

SIGNS = ["👍", "🎉", "❤️"]


class Room:
    """One room with its pages, and everything that can happen to them. The first person runs it."""

    def __init__(self, house: Callable, people: list[Person], slug: str, room: str) -> None:
        self.people, self.slug, self.room, self.id = people, slug, room, int(room)
        self.pages = [Page(house, person, room) for person in people]
        self.deeds: list[asyncio.Task] = []
        self.shots: list[Snapshot] = []
        self.past_client_ids: set[str] = set()
        self.said_elsewhere: set[str] = set()

    # --- what a person does at their page ---

    async def say(self, who: int, pick: int) -> None:
        await self.pages[who].say(f"{who} says {pick}")

    async def answer(self, who: int, pick: int) -> None:
        message_id = await self.a_message(pick)
        await self.pages[who].say(f"{who} answers {pick}", str(message_id) if message_id else None)

    async def cut(self, who: int, pick: int) -> None:
        await self.pages[who].cut()

    async def come(self, who: int, pick: int) -> None:
        await self.pages[who].come()

    async def send_again(self, who: int, pick: int) -> None:
        await self.pages[who].send_again()

    async def listen(self, who: int, pick: int) -> None:
        await self.pages[who].listen(0.002)

    # --- what somebody does somewhere else, while the pages go on ---

    async def edit(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick, by=who):
            self.begin(service.edit(self.people[who].viewer, self.id, message_id, f"changed by {who}, {pick}"))

    async def delete(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick, by=who if who else None):
            self.begin(service.delete(self.people[who].viewer, self.id, message_id))

    async def react(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick):
            self.begin(reactions.toggle(self.people[who].viewer, self.id, message_id, SIGNS[pick % len(SIGNS)]))

    async def pin(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick):
            self.begin(pins.pin(self.people[0].viewer, self.id, message_id))

    async def unpin(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick):
            self.begin(pins.unpin(self.people[0].viewer, self.id, message_id))

    async def freeze(self, who: int, pick: int) -> None:
        self.begin(measures.take(self.people[0].viewer, self.id, NewMeasure("freeze", "a pause")))

    async def lift(self, who: int, pick: int) -> None:
        row = await db.fetch_one(
            "SELECT id, kind, member_id FROM room_measure WHERE room_id = $1 AND lifted_at IS NULL LIMIT 1", self.id
        )
        if row is not None:
            await self.finish_deeds()
            with suppress(Problem):
                await measures.lift(self.people[0].viewer, self.id, row["id"])
            if row["kind"] == "kick":
                await self.let_back(next(n for n, p in enumerate(self.people) if p.id == row["member_id"]))

    async def kick(self, who: int, pick: int) -> None:
        if who == 0:
            return
        await self.finish_deeds()
        with suppress(Problem):
            await measures.take(
                self.people[0].viewer, self.id, NewMeasure("kick", "too loud", member=self.people[who].handle)
            )
            page = self.pages[who]
            page.shut_at = await self.seq()

    async def let_back(self, who: int) -> None:
        page = self.pages[who]
        # What came until now came to somebody who was shown out.
        await page.listen(0.01)
        page.shut_at = None
        await page.cut()
        with suppress(Problem):
            await groups.join(self.people[who].viewer, self.slug)
        await run_jobs()

    # --- what happens to the server ---

    async def restart(self, who: int, pick: int) -> None:
        for socket in live._everyone():
            socket.close(RESTART, "restart")
        for page in self.pages:
            await page.listen(0.01)
            assert page.line is None

    async def restore(self, who: int, pick: int) -> None:
        """A backup comes back: the room's last events are gone, and its epoch is another."""
        await self.finish_deeds()
        await self.restart(who, pick)
        async with db.transaction():
            await db.execute("SET LOCAL session_replication_role = replica")
            # Nobody writes while a backup comes back.
            seq = await db.fetch_val("SELECT seq FROM room WHERE id = $1 FOR UPDATE", self.id)
            kept = max(0, seq - pick % 4)
            lost = "SELECT id FROM message WHERE room_id = $1 AND seq > $2"
            for table in ("message_reaction", "message_pin", "message_version"):
                await db.execute(f"DELETE FROM {table} WHERE message_id IN ({lost})", self.id, kept)
            gone = await db.fetch(
                "DELETE FROM message WHERE room_id = $1 AND seq > $2 RETURNING client_id", self.id, kept
            )
            self.past_client_ids |= {str(row["client_id"]) for row in gone}
            await db.execute("DELETE FROM room_event WHERE room_id = $1 AND seq > $2", self.id, kept)
            await db.execute(
                """UPDATE room SET seq = $2, epoch = substr(md5(random()::text), 1, 8),
                          said = coalesce((SELECT said FROM room_event WHERE room_id = $1 AND seq = $2), 0)
                    WHERE id = $1""",
                self.id,
                kept,
            )
        for page in self.pages:
            page.acked = {key: place for key, place in page.acked.items() if key not in self.past_client_ids}
            page.heard = []

    # --- how we look at it ---

    def begin(self, deed: Awaitable) -> None:
        async def do() -> None:
            with suppress(Problem):
                await deed

        self.deeds.append(asyncio.ensure_future(do()))

    async def finish_deeds(self) -> None:
        await asyncio.gather(*self.deeds)
        self.deeds.clear()

    async def seq(self) -> int:
        return await db.fetch_val("SELECT seq FROM room WHERE id = $1", self.id)

    async def a_message(self, pick: int, *, by: int | None = None) -> int | None:
        author = self.people[by].id if by is not None else None
        rows = await db.fetch(
            "SELECT id FROM message WHERE room_id = $1 AND ($2::bigint IS NULL OR author_id = $2) ORDER BY seq",
            self.id,
            author,
        )
        return rows[pick % len(rows)]["id"] if rows else None

    async def everything_holds(self) -> None:
        await self.finish_deeds()
        await run_jobs()
        # Twice: what the last of them still had to say is heard by the first as well.
        for page in self.pages + self.pages:
            await page.settle()
        events = await db.fetch("SELECT seq, message_id FROM room_event WHERE room_id = $1 ORDER BY seq", self.id)
        assert [row["seq"] for row in events] == list(range(1, await self.seq() + 1)), "holes in the books"
        await self._what_was_acked_is_there_once()
        fresh = await load(self.room)
        ids = {row["seq"]: str(row["message_id"] or "") for row in events}
        for page in self.pages:
            assert [(seq, message_id) for seq, _kind, message_id in page.heard] == [
                (seq, ids[seq]) for seq, _kind, _id in page.heard
            ], "one order for all"
            if not page.is_shut_out:
                assert page.shown == fresh, "what is drawn is not what a page opened now shows"
        await self._old_snapshots_become_the_new_one(fresh)

    async def _what_was_acked_is_there_once(self) -> None:
        stored: dict[str, tuple[int, str]] = {}
        for row in await db.fetch("SELECT client_id, seq, id FROM message WHERE room_id = $1", self.id):
            assert str(row["client_id"]) not in stored
            stored[str(row["client_id"])] = row["seq"], str(row["id"])
        for page in self.pages:
            for client_id, place in page.acked.items():
                assert stored.pop(client_id, None) == place, "acked, and not in the books"
        # Who has no line any more cannot ask again what became of it.
        unknown = self.said_elsewhere.union(*(page.refused | page.outbox.keys() for page in self.pages))
        assert stored.keys() <= unknown, "said by nobody"

    async def _old_snapshots_become_the_new_one(self, fresh: Snapshot) -> None:
        for old in self.shots:
            events = [queries.view(row) for row in await queries.events_after(self.id, old.seq, limit=10_000)]
            assert apply_all(old, events) == fresh
            assert apply_all(apply_all(old, events), events) == fresh, "told twice"


async def play(house: Callable, people: list[Person], course: list, *, keep_shots: bool) -> Room:
    slug, room_id = await a_room(people[0], *people[1:])
    return await play_in(Room(house, people, slug, room_id), course, keep_shots=keep_shots)


async def play_in(room: Room, course: list, *, keep_shots: bool) -> Room:
    try:
        for page in room.pages:
            await page.come()
        for who, action, pick, pause in course:
            await asyncio.sleep(pause)
            await getattr(room, action)(who, pick)
            if keep_shots and pick == 0:
                room.shots.append(await load(room.room))
        await room.everything_holds()
    finally:
        await room.finish_deeds()
        for page in room.pages:
            await page.cut()
        await live_of_chat.answer_what_was_said()
    return room
