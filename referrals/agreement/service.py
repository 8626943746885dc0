"""Two people for what a store pays and whom it checks, where its owner wants that: one proposes, another one agrees."""

from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.notifications.service import notify
from referrals.agreement.events import ChangeDecided, ChangeProposed
from referrals.agreement.kinds import KINDS, Change, Kind, name_of, read, takes_two
from storefront.stores.policy import access_own_store

WAITS_AT_MOST = timedelta(days=14)
MOST_WAITING = 50


class _Tried(Exception):
    """It would work; nothing of it is kept."""


class Alone(Change, frozen=True):
    """One person is enough again."""


async def asks_for_two(store_id: int) -> bool:
    return bool(await db.fetch_val("SELECT EXISTS (SELECT 1 FROM second_person WHERE store_id = $1)", store_id))


async def waits(viewer: Viewer, store: asyncpg.Record, change: Change) -> bool:
    """Whether this has to wait for a second person; then it does, after it was seen that it could be done."""
    member_id = require_member(viewer)
    if not await asks_for_two(store["id"]):
        return False
    name = name_of(change)
    await _try(KINDS[name], viewer, store, change)
    async with db.transaction():
        await db.execute("SELECT 1 FROM second_person WHERE store_id = $1 FOR UPDATE", store["id"])
        many = await db.fetch_val(
            "SELECT count(*) FROM pending_change WHERE store_id = $1 AND state = 'waiting'", store["id"]
        )
        if many >= MOST_WAITING:
            raise Conflict(_("Too much waits for a second person already."))
        change_id = await db.fetch_val(
            """INSERT INTO pending_change (store_id, kind, said, state, proposed_by_id, proposed_at)
               VALUES ($1, $2, $3::jsonb, 'waiting', $4, $5) RETURNING id""",
            store["id"],
            name,
            msgspec.json.encode(change).decode(),
            member_id,
            clock.now(),
        )
        await publish(ChangeProposed(change_id=change_id, store_id=store["id"]), actor_id=member_id)
        for person in await people_of(store):
            if person["id"] != member_id:
                await notify(
                    person["id"],
                    "change_waits",
                    source=f"pending_change:{change_id}",
                    url=f"/admin/programs/{store['slug']}/changes",
                    data={"member": viewer.handle, "store": store["name"]},
                )
    return True


async def refuse_alone(store: asyncpg.Record) -> None:
    """For programs: where two people are wanted, a token of one is not enough."""
    if await asks_for_two(store["id"]):
        raise Conflict(_("This store wants two people for that: propose it on its pages, where another one agrees."))


async def agree(viewer: Viewer, slug: str, change_id: int) -> None:
    """The second person agrees: it is done now, as if the first had done it."""
    store = await access_own_store(viewer, slug)
    member_id = require_member(viewer)
    async with db.transaction():
        row = await _waiting(store, change_id)
        if row["proposed_by_id"] == member_id:
            raise Forbidden(_("Somebody else has to agree to what you proposed."))
        if row["proposed_at"] < clock.now() - WAITS_AT_MOST:
            raise Gone(_("It waited too long. Please propose it again."))
        kind, change = KINDS[row["kind"]], read(row["kind"], row["said"])
        if kind.gains is not None and await kind.gains(change) == member_id:
            raise Forbidden(_("You gain by it, so somebody else has to agree."))
        await kind.apply(await _proposer(row), store, change)
        await _end(row, "agreed", member_id)


async def refuse(viewer: Viewer, slug: str, change_id: int, reason: str) -> None:
    """It is not done; whoever proposed it takes it back the same way."""
    store = await access_own_store(viewer, slug)
    member_id = require_member(viewer)
    reason = clean(reason, "reason", most=500)
    async with db.transaction():
        row = await _waiting(store, change_id)
        state = "withdrawn" if row["proposed_by_id"] == member_id else "refused"
        await _end(row, state, member_id, reason)


async def want_two(viewer: Viewer, slug: str) -> None:
    """From now on it takes two; there have to be two."""
    store = await access_own_store(viewer, slug)
    member_id = require_member(viewer)
    if len(await people_of(store)) < 2:
        raise Conflict(_("There is nobody else who could agree: the store's owner and the admins may."))
    await db.execute(
        "INSERT INTO second_person (store_id, by_id, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        store["id"],
        member_id,
        clock.now(),
    )


async def want_one(viewer: Viewer, slug: str) -> bool:
    """One is enough again, when another one agrees to that; whether it waits."""
    store = await access_own_store(viewer, slug)
    return await waits(viewer, store, Alone())


async def people_of(store: asyncpg.Record) -> list[asyncpg.Record]:
    """Who may change what a store pays: its owner, and admins."""
    return await db.fetch(
        "SELECT id, handle FROM member WHERE id = $1 OR role = 'admin' ORDER BY id", store["owner_id"] or 0
    )


async def changes_of(
    store: asyncpg.Record, limit: int = 50, after: tuple[bool, int] | None = None
) -> list[tuple[asyncpg.Record, list[str]]]:
    """What waits first, then what was decided, each in sentences. `after`: whether the last one seen waited, its id."""
    waited, last = after or (None, None)
    rows = await db.fetch(
        """SELECT c.*, p.handle AS proposer, d.handle AS decider FROM pending_change c
             JOIN member p ON p.id = c.proposed_by_id LEFT JOIN member d ON d.id = c.decided_by_id
            WHERE c.store_id = $1 AND ($3::bool IS NULL OR (c.state = 'waiting', c.id) < ($3, $4::bigint))
            ORDER BY c.state = 'waiting' DESC, c.id DESC LIMIT $2""",
        store["id"],
        limit,
        waited,
        last,
    )
    return [(row, await KINDS[row["kind"]].describe(store, read(row["kind"], row["said"]))) for row in rows]


async def _try(kind: Kind, viewer: Viewer, store: asyncpg.Record, change: Change) -> None:
    """Every check that doing it would make is made now: a second person is not asked about what cannot be."""
    try:
        async with db.transaction():
            await kind.apply(viewer, store, change)
            raise _Tried
    except _Tried:
        pass


async def _waiting(store: asyncpg.Record, change_id: int) -> asyncpg.Record:
    row = await db.fetch_one(
        "SELECT * FROM pending_change WHERE id = $1 AND store_id = $2 FOR UPDATE", change_id, store["id"]
    )
    if row is None:
        raise NotFound()
    if row["state"] != "waiting":
        raise Conflict(_("This was decided already."))
    return row


async def _proposer(row: asyncpg.Record) -> Viewer:
    """Who wanted it, with what they may do now: a former admin's wish is nobody's."""
    member = await db.fetch_one("SELECT id, handle, role FROM member WHERE id = $1", row["proposed_by_id"])
    assert member is not None
    return Viewer(member_id=member["id"], handle=member["handle"], role=member["role"])


async def _end(row: asyncpg.Record, state: str, by_id: int, reason: str = "") -> None:
    await db.execute(
        "UPDATE pending_change SET state = $2, decided_by_id = $3, decided_at = $4, reason = $5 WHERE id = $1",
        row["id"],
        state,
        by_id,
        clock.now(),
        reason,
    )
    await publish(ChangeDecided(change_id=row["id"], store_id=row["store_id"], state=state), actor_id=by_id)


async def _be_alone(_viewer: Viewer, store: asyncpg.Record, _change: Alone) -> None:
    await db.execute("DELETE FROM second_person WHERE store_id = $1", store["id"])


async def _say_alone(_store: asyncpg.Record, _change: Alone) -> list[str]:
    return [_("One person is enough again.")]


takes_two("alone", Kind(Alone, _be_alone, _say_alone))
