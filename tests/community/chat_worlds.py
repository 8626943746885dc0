"""Rooms of each kind for the machine: a group's, a product's, a live event's, and of two who talk alone."""

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta

from app import clock, db
from community.direct import blocking, requests
from community.direct import service as direct
from community.groups import roles
from community.groups import service as groups
from content.live_events import hosts
from content.live_events import service as live_events
from content.live_events.schemas import NewLive
from content.product_rooms import service as product_rooms
from tests.community.chat_kinds import EVERYBODY, AnyRoom
from tests.community.test_chat import a_room
from tests.factories import Person, a_group, run_jobs
from tests.storefront.shop import a_product, a_shop

_shops = itertools.count(1)


class GroupRoom(AnyRoom):
    """The owner, a moderator, a member, and one from outside."""

    visibility = "public"

    def __init__(self, *known) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*known)
        self.members, self.moderators = {0, 1, 2}, {1}

    @classmethod
    async def found(cls, house: Callable, people: list[Person], keeper: Person, visibility: str) -> "GroupRoom":
        slug, room_id = await a_room(*people[:3], visibility=visibility)
        await roles.give(people[0].viewer, slug, people[1].id, "moderator")
        room = cls(house, people, keeper, slug, room_id)
        room.visibility = visibility
        return room

    def places(self) -> set[int]:
        return set(EVERYBODY) if self.visibility == "public" else self.members

    def seated(self) -> set[int]:
        return self.members

    def running(self) -> set[int]:
        return {0} | self.moderators & self.members

    def lose_place(self, who: int) -> None:
        self.members.discard(who)
        self.moderators.discard(who)

    async def join(self, who: int, pick: int) -> None:
        """In a closed group the owner lets them in."""
        person = self.people[who]
        if who in self.suspended or who in self.members:
            return

        async def act() -> None:
            if await groups.join(person.viewer, self.slug) == "pending":
                await groups.admit(self.people[0].viewer, self.slug, person.id)

        works = self.visibility != "secret" and not self.shut_out[who]
        await self.deed(act, lambda: self.members.add(who), works=works)
        await run_jobs()

    async def leave(self, who: int, pick: int) -> None:
        if who in self.suspended or (self.visibility == "secret" and who not in self.members):
            return
        person = self.people[who]
        await self.deed(lambda: groups.leave(person.viewer, self.slug), lambda: self.lose_place(who), works=who != 0)
        await run_jobs()

    async def close(self, who: int, pick: int) -> None:
        """The group closes, or opens: for now by hand, the database says what follows."""
        if self.visibility == "secret":
            return
        now = "closed" if self.visibility == "public" else "public"

        def changes() -> None:
            self.visibility = now

        await self.deed(
            lambda: db.execute("UPDATE groups SET visibility = $2 WHERE slug = $1", self.slug, now), changes
        )

    async def promote(self, who: int, pick: int) -> None:
        """Or make them a plain member again."""
        if who == 0 or 0 in self.suspended or 0 not in self.readers():
            return
        role = "member" if who in self.moderators else "moderator"

        def changes() -> None:
            self.moderators ^= {who}

        act = lambda: roles.give(self.people[0].viewer, self.slug, self.people[who].id, role)  # noqa: E731
        await self.deed(act, changes, works=who in self.members)


class ProductRoom(AnyRoom):
    """Everybody reads and speaks; the community's moderators keep order, and speak as everybody does."""

    @classmethod
    async def found(cls, house: Callable, people: list[Person], keeper: Person) -> "ProductRoom":
        product = await a_product(await a_shop(f"shop{next(_shops)}"))
        return cls(house, people, keeper, product, str(await product_rooms.enter(people[0].viewer, product)))

    def places(self) -> set[int]:
        return set(EVERYBODY)

    def seated(self) -> set[int]:
        return set(EVERYBODY)

    def running(self) -> set[int]:
        return set()

    def keeps_order(self) -> bool:
        return 0 in self.readers()

    async def join(self, who: int, pick: int) -> None:
        if who not in self.suspended:
            works = who in self.readers()
            await self.deed(lambda: product_rooms.enter(self.people[who].viewer, self.slug), bool, works=works)

    async def leave(self, who: int, pick: int) -> None:
        """Out of one's list, and no further."""
        if who not in self.suspended:
            await self.deed(lambda: product_rooms.leave(self.people[who].viewer, self.slug), bool)


class LiveRoom(AnyRoom):
    """An event: its host, a moderator, and whoever looks in; or in a closed group, whose owner also runs it."""

    def __init__(self, *known) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*known)
        self.seats, self.cohosts, self.is_hidden, self.state = {0}, set[int](), False, "planned"
        self.group = ""
        self.members: set[int] = set()

    @classmethod
    async def found(cls, house: Callable, people: list[Person], keeper: Person, *, in_a_group: bool) -> "LiveRoom":
        group = ""
        if in_a_group:
            group, _room = await a_room(people[1], people[0], people[2], visibility="closed")
        new = NewLive("An evening", clock.now() + timedelta(minutes=5), group=group)
        slug = await live_events.plan(people[0].viewer, new)
        row = await db.fetch_one("SELECT id, room_id FROM live_event WHERE slug = $1", slug)
        assert row is not None
        room = cls(house, people, keeper, slug, str(row["room_id"]))
        room.event_id, room.group = row["id"], group
        if in_a_group:
            room.members = {0, 1, 2}
        else:
            room.seats.add(1)
            await db.execute(
                """INSERT INTO room_member (room_id, member_id, role, state, joined_at)
                   VALUES ($1, $2, 'moderator', 'active', now())""",
                row["room_id"],
                people[1].id,
            )
        return room

    def places(self) -> set[int]:
        looking_in = self.members if self.group else set(EVERYBODY)
        if self.is_hidden:
            looking_in = self.members & {1}
        return self.seats | looking_in

    def seated(self) -> set[int]:
        return self.places()

    def running(self) -> set[int]:
        return self.seats | self.members & {1}

    def measurable(self) -> set[int]:
        """No host by another, nor whoever owns the group."""
        return super().measurable() - (self.cohosts & self.seats) - (self.members & {1})

    def lose_place(self, who: int) -> None:
        self.seats.discard(who)

    async def stands(self) -> dict[str, object]:
        state = await db.fetch_val("SELECT state FROM live_event WHERE id = $1", self.event_id)
        assert state == self.state
        return await super().stands() | {"live": state}

    async def go_on(self, who: int, pick: int) -> None:
        """Planned, live, ended; or called off."""
        if 0 in self.suspended or 0 not in self.readers():
            return
        verb, before, after = live_events.end, "live", "ended"
        if pick % 5 == 0:
            verb, before, after = live_events.cancel, "planned", "cancelled"
        elif self.state == "planned":
            verb, before, after = live_events.begin, "planned", "live"

        def changes() -> None:
            self.state = after

        await self.deed(lambda: verb(self.people[0].viewer, self.slug), changes, works=self.state == before)

    async def off_the_air(self, who: int, pick: int) -> None:
        """Moderators hide the event, or show it again: what was live ends, what was planned is called off."""
        show = self.is_hidden

        def changes() -> None:
            self.is_hidden = not show
            if self.is_hidden:
                self.state = {"planned": "cancelled", "live": "ended"}.get(self.state, self.state)

        await self.deed(lambda: (self._restore if show else self._withhold)("live", self.event_id), changes)
        await run_jobs()

    async def host_along(self, who: int, pick: int) -> None:
        """Asked by the host, somebody says yes; or the host takes it back."""
        if self.suspended & {0, who} or 0 not in self.readers() or who == 0:
            return
        host, other = self.people[0], self.people[who]

        async def act() -> None:
            await hosts.invite(host.viewer, self.slug, other.handle)
            await hosts.accept(other.viewer, self.slug)

        def changes() -> None:
            self.cohosts.add(who)
            self.seats.add(who)

        def changes_back() -> None:
            self.cohosts.discard(who)
            self.seats.discard(who)

        if who in self.cohosts & self.seats:
            await self.deed(lambda: hosts.remove(host.viewer, self.slug, other.handle), changes_back)
        else:
            may = self.state in ("planned", "live") and who in self.may_read()
            await self.deed(act, changes, works=may)

    async def leave(self, who: int, pick: int) -> None:
        """Out of the group is out of its events."""
        if not self.group or who in self.suspended or who not in self.members:
            return

        def changes() -> None:
            self.members.discard(who)
            self.seats.discard(who)

        await self.deed(lambda: groups.leave(self.people[who].viewer, self.group), changes, works=who != 1)
        await run_jobs()

    async def join(self, who: int, pick: int) -> None:
        if not self.group or who in self.suspended or who in self.members:
            return

        async def act() -> None:
            await groups.join(self.people[who].viewer, self.group)
            await groups.admit(self.people[1].viewer, self.group, self.people[who].id)

        await self.deed(act, lambda: self.members.add(who))
        await run_jobs()


class DirectRoom(AnyRoom):
    """Two who talk alone, and two whom it does not concern: one of them a moderator of the community.

    The first wrote to the second: known to each other from a group, or as a stranger who asks.
    """

    may_be_suspended = frozenset({0, 1})

    def __init__(self, *known) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*known)
        self.state = {0: "active", 1: "active"}
        self.blocks: set[int] = set()

    @classmethod
    async def found(cls, house: Callable, people: list[Person], keeper: Person, *, strangers: bool) -> "DirectRoom":
        if not strangers:
            slug = await a_group(people[0])
            await groups.join(people[1].viewer, slug)
        begun = await direct.begin(people[0].viewer, [people[1].handle], uuid.uuid4(), "Do I know you?")
        assert begun.waits is strangers
        room = cls(house, people, keeper, "", begun.room)
        if strangers:
            room.state[1] = "invited"
        return room

    def places(self) -> set[int]:
        return {who for who, state in self.state.items() if state != "left"}

    def seated(self) -> set[int]:
        # The first thing was said when it was founded: who is alone waits for an answer.
        return {who for who in (0, 1) if self.state[0] == self.state[1] == "active"}

    def running(self) -> set[int]:
        return set()

    async def stands(self) -> dict[str, object]:
        return await super().stands() | {"closed": "blocked" in self.state.values()}

    async def answer_request(self, who: int, pick: int) -> None:
        """Accept or decline; who asked may do neither."""
        who = who % 2
        if who in self.suspended:
            return
        verb, becomes = (requests.accept, "active") if pick % 2 else (requests.decline, "left")
        works = self.state[who] == "invited"
        await self.deed(
            lambda: verb(self.people[who].viewer, self.id), lambda: self.state.update({who: becomes}), works=works
        )

    async def write(self, who: int, pick: int) -> None:
        """Through the door that begins: who was asked, or had declined, accepts by it."""
        who, other = who % 2, 1 - who % 2
        if who in self.suspended:
            return
        may = not self.blocks and other not in self.suspended

        def changes() -> None:
            if self.state[who] in ("invited", "left"):
                self.state[who] = "active"

        # A first word is all that who asks may say.
        works = may and self.state[other] == "active"
        client_id = uuid.uuid4()

        async def act() -> None:
            await direct.begin(self.people[who].viewer, [self.people[other].handle], client_id, f"{who} writes {pick}")
            # It was said without a page.
            self.said_elsewhere.add(str(client_id))

        await self.deed(act, changes, works=works)

    async def block(self, who: int, pick: int) -> None:
        who, other = who % 2, 1 - who % 2
        if who in self.suspended:
            return

        def changes() -> None:
            if who in self.blocks:
                return
            self.blocks.add(who)
            waits = "invited" in self.state.values()
            for one, state in self.state.items():
                if waits and state == "invited":
                    self.state[one] = "left"
                elif not waits and state == "active":
                    self.state[one] = "blocked"

        await self.deed(lambda: blocking.block(self.people[who].viewer, self.people[other].handle), changes)

    async def unblock(self, who: int, pick: int) -> None:
        who, other = who % 2, 1 - who % 2
        if who in self.suspended:
            return

        def changes() -> None:
            if who in self.blocks:
                self.blocks.discard(who)
                if not self.blocks:
                    self.state = {one: "active" if state == "blocked" else state for one, state in self.state.items()}

        await self.deed(lambda: blocking.unblock(self.people[who].viewer, self.people[other].handle), changes)

    def keeps_order(self) -> bool:
        """Nobody runs a room of two."""
        return False
