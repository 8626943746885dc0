"""Replay a store's last days under a draft, in a job, without moving anything."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.i18n import gettext as _
from app.jobs import enqueue_one, job
from app.limits import limit
from app.money import Money, share_of
from referrals.attribution.facts import Case, decided, gather
from referrals.attribution.shares import SHARER, WHOLE, Share, shares_of
from referrals.commissions.dues import divide
from referrals.programs.policies import Crediting
from referrals.programs.queries import version_at
from referrals.simulator import queries
from referrals.simulator.drafts import crediting_of
from referrals.simulator.schemas import Changed, Draft, Mover, Rehearsal, SimulationView
from storefront.stores.policy import access_own_store

MOST_ORDERS = 5_000
BATCH = 250
EXAMPLES = 50
NOBODY = ""


async def rehearse(viewer: Viewer, slug: str, rehearsal: Rehearsal) -> int:
    """Queue a replay; its id."""
    store = await access_own_store(viewer, slug)
    actor_id = require_member(viewer)
    await limit("simulate", actor_id, most=30, per=3600)
    rules = await version_at(store["id"], clock.now())
    if rules is None:
        raise NotFound(_("This store has no programme yet."))
    await crediting_of(rehearsal.draft)
    async with db.transaction():
        simulation_id: int = await db.fetch_val(
            """INSERT INTO simulation (store_id, against_id, made_by, draft, days, state, created_at)
               VALUES ($1, $2, $3, $4::jsonb, $5, 'queued', $6) RETURNING id""",
            store["id"],
            rules["id"],
            actor_id,
            msgspec.json.encode(rehearsal.draft).decode(),
            rehearsal.days,
            clock.now(),
        )
        await enqueue_one(run_simulation, str(simulation_id).encode())
    return simulation_id


@job
async def run_simulation(payload: bytes) -> None:
    await replay(int(payload))


class Tally(msgspec.Struct):
    """What a replay has found so far; before and after by (member, currency)."""

    before: dict[tuple[int, str], int] = {}
    after: dict[tuple[int, str], int] = {}
    won: dict[int, int] = {}
    lost: dict[int, int] = {}
    changed: int = 0
    examples: list[tuple[str, int, int, str, int, str]] = []


async def replay(simulation_id: int) -> None:
    """Decide each order of the days anew under the draft, and keep who gains and who loses."""
    simulation = await db.fetch_one("SELECT * FROM simulation WHERE id = $1", simulation_id)
    if simulation is None or simulation["state"] in ("done", "failed"):
        return
    try:
        crediting = await crediting_of(msgspec.convert(simulation["draft"], Draft))
        since = simulation["created_at"] - timedelta(days=simulation["days"])
        ids = await queries.orders_since(simulation["store_id"], since, simulation["created_at"], MOST_ORDERS + 1)
    except Exception:
        await queries.note_failed(simulation_id)
        raise
    cut_off, ids = len(ids) > MOST_ORDERS, ids[:MOST_ORDERS]
    tally = Tally()
    for start in range(0, len(ids), BATCH):
        await queries.note_progress(simulation_id, len(ids), start)
        await _replay_some(ids[start : start + BATCH], simulation, crediting, tally)
    await queries.note_done(simulation_id, len(ids), await _result(tally, cut_off))


async def _replay_some(ids: list[int], simulation: asyncpg.Record, crediting: Crediting, tally: Tally) -> None:
    orders = await queries.orders_with_stakes(ids, simulation["against_id"])
    cases = [
        Case(order, crediting.policy, crediting.model, timedelta(days=crediting.window_days), order["program_id"])
        for order in orders
    ]
    await gather(cases)
    for case in cases:
        _count(tally, case)


def _count(tally: Tally, case: Case) -> None:
    """One order: the commission that is at stake, as divided now and as it would be."""
    decision = decided(case)
    winner = decision.winner
    before = shares_of(case.current) if case.current is not None else []
    after = decision.shares or ([Share(winner.member_id, SHARER, WHOLE)] if winner else [])
    stake, currency = _stake(case.order), case.order["currency"]
    for shares, sums in ((before, tally.before), (after, tally.after)):
        for share, amount in zip(shares, divide(stake, WHOLE, shares), strict=True):
            sums[share.member_id, currency] = sums.get((share.member_id, currency), 0) + amount
    if before == after:
        return
    tally.changed += 1
    had, has = {one.member_id for one in before}, {one.member_id for one in after}
    for member_id in has - had:
        tally.won[member_id] = tally.won.get(member_id, 0) + 1
    for member_id in had - has:
        tally.lost[member_id] = tally.lost.get(member_id, 0) + 1
    if len(tally.examples) < EXAMPLES:
        old, new = (shares[0].member_id if shares else 0 for shares in (before, after))
        tally.examples.append((case.order["external_id"], old, new, decision.rule, stake, currency))


def _stake(order: asyncpg.Record) -> int:
    """What stands of the order's commissions; where nobody was credited, the plain rate of what was kept."""
    return order["standing"] if order["has_commissions"] else share_of(order["net"], order["rate_bps"])


async def _result(tally: Tally, cut_off: bool) -> dict[str, Any]:
    """What is kept: members by handle, those with the largest change first."""
    moved = {key for key in {*tally.before, *tally.after} if tally.before.get(key, 0) != tally.after.get(key, 0)}
    shown = {member for member, _currency in moved} | {m for one in tally.examples for m in one[1:3]}
    handles = await queries.handles_of(sorted(shown - {0}))
    movers = [
        Mover(
            handles.get(member_id, ""),
            tally.won.get(member_id, 0),
            tally.lost.get(member_id, 0),
            Money(tally.before.get((member_id, currency), 0), currency),
            Money(tally.after.get((member_id, currency), 0), currency),
            Money(tally.after.get((member_id, currency), 0) - tally.before.get((member_id, currency), 0), currency),
        )
        for member_id, currency in moved
    ]
    movers.sort(key=lambda one: (-abs(one.change.amount), one.member))
    examples = [
        Changed(ref, handles.get(old, NOBODY), handles.get(new, NOBODY), rule, Money(stake, currency))
        for ref, old, new, rule, stake, currency in tally.examples
    ]
    kept = {"movers": movers[:200], "examples": examples, "changed": tally.changed, "cut_off": cut_off}
    return msgspec.to_builtins(kept)


async def simulation_of(viewer: Viewer, slug: str, simulation_id: int) -> tuple[asyncpg.Record, SimulationView]:
    """A replay of one's own store: its row (with the draft) and what it found so far."""
    store = await access_own_store(viewer, slug)
    row = await db.fetch_one("SELECT * FROM simulation WHERE id = $1 AND store_id = $2", simulation_id, store["id"])
    if row is None:
        raise NotFound()
    found: dict[str, Any] = defaultdict(list, row["result"])
    return row, SimulationView(
        id=str(row["id"]),
        state=row["state"],
        days=row["days"],
        orders=row["orders"],
        done=row["done"],
        changed=found["changed"] or 0,
        cut_off=bool(found["cut_off"]),
        movers=msgspec.convert(found["movers"], list[Mover]),
        examples=msgspec.convert(found["examples"], list[Changed]),
        created_at=row["created_at"].isoformat(),
    )
