"""A room of any kind under everything that may happen to it, and beside it a picture: who may read and speak there now.

Every deed must do to the room what it does to the picture, and be refused where that says so.
"""

from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.errors import Problem
from community.chat import live as live_of_chat
from community.chat import measures, pins, policy, reads, service
from community.chat.measures_schemas import NewMeasure
from community.moderation import service as moderation
from community.moderation.schemas import Subject
from tests.community.chat_machine import Room
from tests.factories import Person, run_jobs

EVERYBODY = frozenset(range(4))
AN_HOUR = 3600
WHY = "so that there is peace"


class AnyRoom(Room):
    """Four people before one room. The first keeps it in order where its kind lets somebody."""

    may_be_suspended = frozenset({1, 2, 3})

    def __init__(self, house: Callable, people: list[Person], keeper: Person, slug: str, room: str) -> None:
        super().__init__(house, people, slug, room)
        self.keeper = keeper
        self.suspended: set[int] = set()
        self.shut_out: dict[int, set[str]] = {who: set() for who in EVERYBODY}
        self.silenced: set[int] = set()
        self.frozen = False
        # When slow mode was on, in the room's own numbers; the last one may not be over yet.
        self.slow: list[tuple[int, int | None]] = []
        # Since when somebody may say nothing, and when that was so before: from one number to another.
        self.quiet: dict[int, int] = {}
        self.was_quiet: list[tuple[int, int, int]] = []
        # Who speaks in slow mode without a turn, or did.
        self.ran: set[int] = set()
        # Messages that moderators withhold.
        self.hidden: set[int] = set()

    # --- what each kind says of itself ---

    def places(self) -> set[int]:
        """Who may read it, but for measures and suspensions."""
        raise NotImplementedError

    def seated(self) -> set[int]:
        """Who has a place from which to speak."""
        raise NotImplementedError

    def running(self) -> set[int]:
        """Who may speak while it is frozen or slow."""
        raise NotImplementedError

    def keeps_order(self) -> bool:
        """Whether the first person may show others out of it."""
        return 0 in self.readers() & self.running()

    def measurable(self) -> set[int]:
        """About whom the first person may do something."""
        return {1, 2, 3}

    def lose_place(self, who: int) -> None:
        """Whoever is shown out has no place there any more."""

    async def stands(self) -> dict[str, object]:
        """How the room stands, as its events must have told everybody."""
        row = await db.fetch_one("SELECT frozen_at, slow_seconds FROM room WHERE id = $1", self.id)
        assert row is not None
        return {"frozen": row["frozen_at"] is not None, "slow": row["slow_seconds"]}

    # --- the picture ---

    def may_read(self) -> set[int]:
        return {who for who in self.places() if not self.shut_out[who]}

    def readers(self) -> set[int]:
        return self.may_read() - self.suspended

    def speakers(self) -> set[int]:
        able = (self.readers() & self.seated()) - self.silenced
        return able & self.running() if self.frozen else able

    async def look(self) -> None:
        """Pages of who may not read the room from the beginning hear nothing at all."""
        founded = await db.fetch("SELECT client_id FROM message WHERE room_id = $1", self.id)
        self.said_elsewhere = {str(row["client_id"]) for row in founded}
        self.ran |= self.running()
        for who in EVERYBODY - self.readers():
            self.pages[who].shut_at = 0
        self.quiet = dict.fromkeys(EVERYBODY - self.speakers(), await self.seq())

    async def deed(
        self,
        act: Callable[[], Awaitable],
        changes: Callable[[], None],
        *,
        works: bool = True,
        boundary: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        """Do it, or be refused; afterwards the room lets read and speak whom the picture says.

        `boundary`: the last number that who reads no longer may have heard; where the room stands afterwards, unless
        the deed itself has a number.
        """
        await self.finish_deeds()
        readers, speakers = self.readers(), self.speakers()
        if works:
            changes()
            self.ran |= self.running()
        for who in self.readers() - readers:
            # What came until now came to somebody who was shut out.
            await self.pages[who].catch_up()
            await self.pages[who].cut()
        start = await self.seq()
        if works:
            await act()
        else:
            with pytest.raises(Problem):
                await act()
        stood = await (boundary or self.seq)()
        for who in readers - self.readers():
            self.pages[who].shut_at = stood
        for who in self.readers() - readers:
            self.pages[who].shut_at = None
        for who in speakers - self.speakers():
            self.quiet[who] = stood
        for who in self.speakers() - speakers:
            self.was_quiet.append((who, self.quiet.pop(who), start))
        ids = {person.id: who for who, person in enumerate(self.people)}
        assert {ids[one] for one in await policy.readers_among(self.id, list(ids))} == self.may_read(), act

    # --- what those who run it do ---

    async def measure(self, kind: str, who: int) -> None:
        by = self.people[0]
        about = "" if kind in ("freeze", "slow") else self.people[who].handle
        works = self.keeps_order() and (not about or who in self.measurable())
        begins = works and kind == "slow" and not self.is_slow
        new = NewMeasure(kind, WHY, about, 0, AN_HOUR if kind == "slow" else 0)  # type: ignore[arg-type]

        def changes() -> None:
            if kind == "freeze":
                self.frozen = True
            elif kind == "slow":
                self.slow += [(2**40, None)] if begins else []
            elif kind == "silence":
                self.silenced.add(who)
            else:
                self.shut_out[who].add(kind)
                self.lose_place(who)

        async def boundary() -> int:
            return await self.last_told("what", kind) - 1 if works else await self.seq()

        if 0 not in self.suspended:
            await self.deed(lambda: measures.take(by.viewer, self.id, new), changes, works=works, boundary=boundary)
            if begins:
                self.slow[-1] = await self.last_told("what", kind), None
            await run_jobs()

    async def kick(self, who: int, pick: int) -> None:
        await self.measure("kick", who)

    async def ban(self, who: int, pick: int) -> None:
        await self.measure("ban", who)

    async def silence(self, who: int, pick: int) -> None:
        await self.measure("silence", who)

    async def freeze(self, who: int, pick: int) -> None:
        await self.measure("freeze", who)

    async def slow_down(self, who: int, pick: int) -> None:
        await self.measure("slow", who)

    async def lift(self, who: int, pick: int) -> None:
        standing = await db.fetch(
            "SELECT id, kind, member_id FROM room_measure WHERE room_id = $1 AND lifted_at IS NULL ORDER BY id", self.id
        )
        if not standing or 0 in self.suspended:
            return
        row = standing[pick % len(standing)]

        def changes() -> None:
            about = next((n for n, person in enumerate(self.people) if person.id == row["member_id"]), None)
            if row["kind"] == "freeze":
                self.frozen = False
            elif row["kind"] == "slow":
                self.slow[-1] = self.slow[-1][0], start
            elif row["kind"] == "silence":
                self.silenced.discard(about)  # type: ignore[arg-type]
            else:
                self.shut_out[about].discard(row["kind"])  # type: ignore[index]

        await self.finish_deeds()
        start = await self.seq()
        act = lambda: measures.lift(self.people[0].viewer, self.id, row["id"])  # noqa: E731
        await self.deed(act, changes, works=self.keeps_order())

    @property
    def is_slow(self) -> bool:
        return bool(self.slow) and self.slow[-1][1] is None

    async def take_away(self, who: int, pick: int) -> None:
        """Somebody deletes whatever message: their own, or as who runs the room, or they are refused."""
        if who not in self.suspended and (message_id := await self.a_message(pick)):
            self.begin(service.delete(self.people[who].viewer, self.id, message_id))

    async def pin(self, who: int, pick: int) -> None:
        if 0 not in self.suspended and (message_id := await self.a_message(pick)):
            self.begin((pins.pin if who else pins.unpin)(self.people[0].viewer, self.id, message_id))

    # --- what the community's moderators do ---

    async def hide(self, who: int, pick: int) -> None:
        if message_id := await self.a_message(pick):
            await self.finish_deeds()
            if message_id in self.hidden:
                self.hidden.discard(message_id)
                await self._restore("message", message_id)
            else:
                self.hidden.add(message_id)
                await self._withhold("message", message_id)

    async def suspend(self, who: int, pick: int) -> None:
        """Or let them in again."""
        person = self.people[who]
        if who in self.suspended:
            await self.deed(lambda: self._restore("member", person.id), lambda: self.suspended.discard(who))
        elif who in self.may_be_suspended:
            # What was being written down just then may still be said: a suspension waits for no room.
            await self.pages[who].catch_up()
            await live_of_chat.answer_what_was_said()
            await self.deed(lambda: self._withhold("member", person.id), lambda: self.suspended.add(who))

    async def _withhold(self, kind: str, subject_id: int) -> None:
        await moderation.report(self.keeper.viewer, Subject(kind, subject_id, None, "/", ""), "spam")
        await moderation.hide(self.keeper.viewer, await self._case(kind, subject_id), WHY)

    async def _restore(self, kind: str, subject_id: int) -> None:
        await moderation.restore(self.keeper.viewer, await self._case(kind, subject_id), WHY)

    async def _case(self, kind: str, subject_id: int) -> int:
        return await db.fetch_val(
            "SELECT max(id) FROM moderation_case WHERE subject_kind = $1 AND subject_id = $2", kind, subject_id
        )

    # --- what anybody does ---

    async def call(self, who: int, pick: int) -> None:
        everybody = who == 0 and pick == 0
        await self.pages[who].say("@room, look" if everybody else f"@{self.people[pick % 4].handle}, look")

    async def read(self, who: int, pick: int) -> None:
        page = self.pages[who]
        if page.line and page.seq:
            await page.line.send("read", room=self.room, seq=page.seq)

    async def work(self, who: int, pick: int) -> None:
        self.begin(run_jobs())

    async def rest(self, who: int, pick: int) -> None:
        """Everything that is under way comes to its end."""
        for page in self.pages:
            await page.settle()
        await self.finish_deeds()
        await run_jobs()

    async def edit(self, who: int, pick: int) -> None:
        if who not in self.suspended and (message_id := await self.a_message(pick, by=who)):
            words = f"@{self.people[pick % 4].handle}, sorry" if pick % 2 else f"changed by {who}, {pick}"
            self.begin(service.edit(self.people[who].viewer, self.id, message_id, words))

    async def delete(self, who: int, pick: int) -> None:
        if who not in self.suspended and (message_id := await self.a_message(pick, by=who)):
            self.begin(service.delete(self.people[who].viewer, self.id, message_id))

    async def react(self, who: int, pick: int) -> None:
        if who not in self.suspended:
            await super().react(who, pick)

    # --- how we look at it ---

    async def last_told(self, key: str, what: str) -> int:
        """The number of the last event about the room or who left it that says so."""
        return await db.fetch_val(
            """SELECT max(seq) FROM room_event WHERE room_id = $1 AND kind IN ('leave', 'room') AND data ->> $2 = $3""",
            self.id,
            key,
            what,
        )

    async def a_last_word(self) -> None:
        """One after the other says something, and it is said or refused as the picture has it."""
        for who, page in enumerate(self.pages):
            # Who ran the room once took no turns then: whether they had theirs is not in the books.
            if who in self.suspended or (self.is_slow and who in self.ran - self.running()):
                continue
            may = who in self.speakers() and not await self._had_their_turn(who)
            before = set(page.acked)
            await page.say(f"the last word of {who}")
            await page.settle()
            assert (len(page.acked) > len(before)) is may, (who, "may speak" if may else "may not speak")

    async def _had_their_turn(self, who: int) -> bool:
        if not self.is_slow or who in self.running():
            return False
        return await self._spoke_since(who, self.slow[-1][0]) > 0

    async def _spoke_since(self, who: int, start: int, end: int | None = None) -> int:
        return await db.fetch_val(
            """SELECT count(*) FROM message WHERE room_id = $1 AND author_id = $2 AND seq > $3
                                              AND ($4::bigint IS NULL OR seq <= $4)""",
            self.id,
            self.people[who].id,
            start,
            end,
        )

    async def everything_holds(self) -> None:
        await super().everything_holds()
        await self._counters_are_right()
        await self.a_last_word()
        for page in self.pages:
            await page.cut()
        await super().everything_holds()
        for who, page in enumerate(self.pages):
            assert page.is_shut_out is (who not in self.readers()), who
        await self._nobody_spoke_out_of_turn()
        await self._counters_are_right()
        stands = await self.stands()
        for who in self.readers():
            assert stands | self.pages[who].standing == stands, "what its events say of the room is not how it stands"

    async def _nobody_spoke_out_of_turn(self) -> None:
        spans = self.was_quiet + [(who, start, 2**40) for who, start in self.quiet.items()]
        for who, start, end in spans:
            assert await self._spoke_since(who, start, end) == 0, f"{who} spoke between {start} and {end}"
        for who in EVERYBODY - self.ran:
            for start, until in self.slow:
                assert await self._spoke_since(who, start, until) <= 1, f"{who} spoke twice in a slow room"

    async def _counters_are_right(self) -> None:
        await run_jobs()
        await reads.flush()
        for person in self.people:
            row = await db.fetch_one(
                """SELECT p.seq, p.mentioned, greatest(r.said - p.said, 0) AS unread,
                          (SELECT count(*) FROM message m WHERE m.room_id = r.id AND m.seq > p.seq) AS recounted,
                          ARRAY(SELECT m.seq FROM message m JOIN message_mention x ON x.message_id = m.id
                                 WHERE m.room_id = r.id AND x.member_id = p.member_id AND m.seq > p.seq
                                   AND m.deleted_at IS NULL ORDER BY m.seq) AS called
                     FROM read_pointer p JOIN room r ON r.id = p.room_id WHERE p.room_id = $1 AND p.member_id = $2""",
                self.id,
                person.id,
            )
            if row is not None:
                assert row["unread"] == row["recounted"], f"{person.handle} sees another number of news"
                assert sorted(row["mentioned"]) == row["called"], f"{person.handle} is called elsewhere"
