"""What stops a grant: caps per order, customer, day and month, and budgets. A part is granted when a part is left.

Every commission that a limit watches has a `reserved`, and a limit's `used` is their sum. Limits are locked in the
order of their ids, after the order and before the books.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from app.money import check_amount, check_currency
from referrals.commissions.events import BudgetSet
from referrals.programs.terms import Caps, Terms


class Claim(msgspec.Struct, frozen=True):
    """A commission asks its limits for `wanted`; it has `reserved` of them so far."""

    commission_id: int
    wanted: int
    reserved: int


def are_set(terms: Terms, budgets: Iterable[str]) -> bool:
    """Whether anything limits these."""
    return bool(terms.budget or terms.caps != Caps() or any(budgets))


async def spent_budgets(program_id: int, terms: Terms) -> frozenset[str]:
    """The budgets named by these terms that have nothing left, or that nobody has opened."""
    return (await budgets_named([(program_id, terms)]))[0].spent


class Named(msgspec.Struct, frozen=True):
    """The budgets that terms name: their ids as far as somebody opened them, and which have nothing left."""

    ids: dict[str, int | None]
    spent: frozenset[str]


async def budgets_named(asked: Sequence[tuple[int, Terms]]) -> list[Named]:
    """The same for any number of programmes with their terms, in one query, or none where no terms name any."""
    names = [sorted({terms.budget, *(rule.budget for rule in terms.rules)} - {""}) for _program, terms in asked]
    wanted = sorted({(one[0], one[1].currency, name) for one, mine in zip(asked, names, strict=True) for name in mine})
    if not wanted:
        return [Named({}, frozenset()) for _one in asked]
    rows = await db.fetch(
        """SELECT l.id, l.program_id, l.currency, l.name, l.used >= l.most AS is_spent
             FROM commission_limit l JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS w (program_id, currency, name)
               ON (l.program_id, l.currency, l.name) = (w.program_id, w.currency, w.name) AND l.kind = 'budget'""",
        *map(list, zip(*wanted, strict=True)),
    )
    known = {(row["program_id"], row["currency"], row["name"]): row for row in rows}
    found = []
    for (program_id, terms), mine in zip(asked, names, strict=True):
        here = {name: known.get((program_id, terms.currency, name)) for name in mine}
        spent = frozenset(name for name, row in here.items() if row is None or row["is_spent"])
        found.append(Named({name: row and row["id"] for name, row in here.items()}, spent))
    return found


class Fresh(msgspec.Struct, frozen=True):
    """A commission that was just opened, with the rule's own budget."""

    commission_id: int
    member_id: int
    budget: str


class Turn(msgspec.Struct, frozen=True):
    """New commissions of one order (or of none), under the terms that they were opened by."""

    fresh: Sequence[Fresh]
    program_id: int
    terms: Terms
    order: asyncpg.Record | None


async def watch(fresh: Sequence[Fresh], program_id: int, terms: Terms, order: asyncpg.Record | None) -> dict[int, int]:
    """Put new commissions under every limit that their terms have for them; how high each of these limits is now."""
    return (await watch_all([Turn(fresh, program_id, terms, order)]))[0]


async def watch_all(turns: Sequence[Turn]) -> list[dict[int, int]]:
    """The same for any number of orders, in their order.

    Nothing is locked that stands already: that waits for `open_room`, which goes by the ids.
    """
    wanted = [
        (one.commission_id, turn.program_id, turn.terms.currency, *limit, number)
        for number, turn in enumerate(turns)
        for one in turn.fresh
        for limit in _limits_for(turn.terms, turn.order, one.member_id, one.budget)
    ]
    heights: list[dict[int, int]] = [{} for _turn in turns]
    if not wanted:
        return heights
    columns = [list(column) for column in zip(*wanted, strict=True)]
    await db.execute(
        """INSERT INTO commission_limit (program_id, kind, name, currency, most, used)
           SELECT DISTINCT ON (w.program_id, w.kind, w.name, w.currency)
                  w.program_id, w.kind, w.name, w.currency, w.most, 0
             FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::int[])
                  AS w (program_id, currency, kind, name, most, number)
            WHERE w.kind <> 'budget' ORDER BY w.program_id, w.kind, w.name, w.currency, w.number
           ON CONFLICT (program_id, kind, name, currency) DO NOTHING""",
        *columns[1:],
    )
    rows = await db.fetch(
        """INSERT INTO commission_limit_use (commission_id, limit_id)
           SELECT w.commission_id, l.id
             FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
                  AS w (commission_id, program_id, currency, kind, name)
             JOIN commission_limit l
               ON l.program_id = w.program_id AND l.currency = w.currency AND l.kind = w.kind AND l.name = w.name
        RETURNING commission_id, limit_id,
                  (SELECT kind || ' ' || name FROM commission_limit WHERE id = limit_id) AS called""",
        *columns[:5],
    )
    found = {(one[0], f"{one[3]} {one[4]}"): (one[6], one[5]) for one in wanted if one[3] != "budget"}
    for row in rows:
        if height := found.get((row["commission_id"], row["called"])):
            number, most = height
            heights[number][row["limit_id"]] = most
    return heights


def _limits_for(terms: Terms, order: asyncpg.Record | None, member_id: int, budget: str) -> list[tuple[str, str, int]]:
    """Kind, name and height; a budget is as high as the store set it."""
    found = [("budget", name, 0) for name in sorted({budget, terms.budget} - {""})]
    caps = terms.caps
    # What is earned without an order counts for the day on which it is granted.
    day = f"{order['paid_at'] if order is not None else clock.now():%Y-%m-%d}"
    if order is not None and caps.customer and order["customer_id"]:
        found.append(("customer", f"customer:{order['buyer_mailbox'] or order['customer_id']}", caps.customer))
    if caps.day:
        found.append(("day", f"member:{member_id}:{day}", caps.day))
    if caps.month:
        found.append(("month", f"member:{member_id}:{day[:7]}", caps.month))
    if order is not None and caps.order:
        found.append(("order", f"order:{order['id']}", caps.order))
    return found


class Room(msgspec.Struct):
    """What is left of limits that are ours until the transaction ends, while orders take their turns."""

    limits_of: dict[int, list[int]]
    used: dict[int, int]
    most: dict[int, int]
    before: dict[int, tuple[int, int]]
    has: dict[int, int] = {}


async def reserve(claims: Sequence[Claim], heights: Mapping[int, int] | None = None) -> dict[int, int]:
    """Give back what is wanted less, then take what is wanted more as far as every limit allows: what each has now."""
    if not claims:
        return {}
    room = await open_room(one.commission_id for one in claims)
    has = take_turn(room, claims, heights or {})
    await close_room(room)
    return has


async def open_room(commission_ids: Iterable[int], also: Iterable[int] = ()) -> Room:
    """Lock every limit of these commissions, and these others, by id."""
    ids = list(commission_ids)
    uses = await db.fetch(
        "SELECT commission_id, limit_id FROM commission_limit_use WHERE commission_id = ANY($1::bigint[])"
        " ORDER BY limit_id",
        ids,
    )
    limits_of: dict[int, list[int]] = {one: [] for one in ids}
    for use in uses:
        limits_of[use["commission_id"]].append(use["limit_id"])
    rows = await db.fetch(
        "SELECT id, most, used FROM commission_limit WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        sorted({use["limit_id"] for use in uses} | set(also)),
    )
    used, most = {row["id"]: row["used"] for row in rows}, {row["id"]: row["most"] for row in rows}
    return Room(limits_of, used, most, {row["id"]: (row["most"], row["used"]) for row in rows})


def take_turn(room: Room, claims: Sequence[Claim], heights: Mapping[int, int]) -> dict[int, int]:
    """One order's claims: what each has now. A new height counts; what was granted stays."""
    for one in {limit for claim in claims for limit in room.limits_of[claim.commission_id]}:
        room.most[one] = max(room.used[one], heights.get(one, room.most[one]))
    has = {}
    for claim in sorted(claims, key=lambda one: (one.wanted > one.reserved, one.commission_id)):
        mine, more = room.limits_of[claim.commission_id], claim.wanted - claim.reserved
        if more > 0:
            more = min([more, *(room.most[one] - room.used[one] for one in mine)])
        for one in mine:
            room.used[one] += more
        has[claim.commission_id] = claim.reserved + more
    room.has |= has
    return has


async def close_room(room: Room) -> None:
    """Write what the turns have left, and what each commission has of it."""
    changed = {
        one: (room.most[one], room.used[one] - used)
        for one, (most, used) in room.before.items()
        if (room.most[one], room.used[one]) != (most, used)
    }
    moved = await db.execute(
        """UPDATE commission_limit l SET most = m.most, used = l.used + m.more
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS m (id, most, more)
            WHERE l.id = m.id AND l.used + m.more BETWEEN 0 AND m.most""",
        list(changed),
        [most for most, _more in changed.values()],
        [more for _most, more in changed.values()],
    )
    if moved != len(changed):
        raise RuntimeError("a limit changed under its lock")
    await db.execute(
        """UPDATE commission c SET reserved = h.amount FROM unnest($1::bigint[], $2::bigint[]) AS h (id, amount)
            WHERE c.id = h.id AND c.reserved IS DISTINCT FROM h.amount""",
        list(room.has),
        list(room.has.values()),
    )


async def give_back(commission_ids: Iterable[int]) -> None:
    """These are over: what they had of their limits is free for others. The caller holds their locks."""
    rows = await db.fetch(
        "SELECT id, reserved FROM commission WHERE id = ANY($1::bigint[]) AND reserved > 0", list(commission_ids)
    )
    await reserve([Claim(row["id"], 0, row["reserved"]) for row in rows])


async def lock_for(commission_ids: Iterable[int]) -> None:
    """Lock every limit of these commissions, by id: whoever asks several times in a transaction begins with this.

    No stronger than needed: a new use of a limit holds a share of its key, and two of them would wait for ever.
    """
    ids = list(commission_ids)
    if not ids:
        return
    await db.execute(
        """SELECT 1 FROM commission_limit
            WHERE id IN (SELECT limit_id FROM commission_limit_use WHERE commission_id = ANY($1::bigint[]))
            ORDER BY id FOR NO KEY UPDATE""",
        ids,
    )


async def would_grant(
    program_id: int, terms: Terms, asked: Sequence[tuple[int, str]], member_id: int | None, now: datetime
) -> list[int]:
    """What the limits would leave of an order's amounts (each with its rule's budget) if it came now. Takes nothing."""
    caps, day = terms.caps, f"{now:%Y-%m-%d}"
    shared = {"order": caps.order} if caps.order else {}
    if member_id is not None:
        shared |= {f"day member:{member_id}:{day}": caps.day} if caps.day else {}
        shared |= {f"month member:{member_id}:{day[:7]}": caps.month} if caps.month else {}
    names = {f"budget {name}" for name in {terms.budget, *(name for _amount, name in asked)} - {""}}
    rows = await db.fetch(
        """SELECT kind || ' ' || name AS called, most, used FROM commission_limit
            WHERE program_id = $1 AND currency = $2 AND kind || ' ' || name = ANY($3::text[])""",
        program_id,
        terms.currency,
        [*shared, *names],
    )
    left = shared | dict.fromkeys(names, 0)
    for row in rows:
        left[row["called"]] = max(0, shared.get(row["called"], row["most"]) - row["used"])
    granted = []
    for amount, budget in asked:
        mine = [*shared, *(f"budget {name}" for name in {terms.budget, budget} - {""})]
        got = min([amount, *(left[one] for one in mine)])
        for one in mine:
            left[one] -= got
        granted.append(got)
    return granted


async def set_budget(program_id: int, name: str, most: int, currency: str, *, actor_id: int | None = None) -> int:
    """Open a budget or change how much it holds; what it holds now. Never less than what was granted from it."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise Invalid("name", _("A budget has a name of 1 to 80 characters."))
    check_amount(most, "most")
    check_currency(currency)
    async with db.transaction():
        holds: int = await db.fetch_val(
            """INSERT INTO commission_limit AS l (program_id, kind, name, currency, most, used)
               VALUES ($1, 'budget', $2, $3, $4, 0)
               ON CONFLICT (program_id, kind, name, currency) DO UPDATE SET most = greatest(l.used, excluded.most)
               RETURNING most""",
            program_id,
            name,
            currency,
            most,
        )
        changed = BudgetSet(program_id=program_id, name=name, most=holds, currency=currency)
        await publish(changed, actor_id=actor_id)
    return holds


async def budgets_of(program_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT id, name, currency, most, used FROM commission_limit
            WHERE program_id = $1 AND kind = 'budget' ORDER BY name, currency""",
        program_id,
    )
