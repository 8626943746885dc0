"""Changing a link: its name, where it leads and whom, how long it lives; and links that another program keeps."""

import asyncio
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from argon2 import PasswordHasher
from msgspec import UNSET

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, Problem
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.money import check_currency
from app.text import clean
from referrals.links import names, queries, service
from referrals.links.events import LinkChanged
from referrals.links.routing import Branch, Routes, Rule
from referrals.links.schemas import LinkChange, NamedLink, NewBranch, NewRule, Place, WholeLink
from referrals.links.targets import Target, resolve

SHORTEST_PASSWORD = 4
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


async def change(viewer: Viewer, code: str, wanted: LinkChange) -> asyncpg.Record:
    """The viewer's link with what was asked for changed, all of it or nothing. Effective within five seconds."""
    owner_id = require_member(viewer)
    await limit("change-link", owner_id, most=600, per=3600)
    link = await queries.access_own_link(owner_id, code)
    return await _apply(viewer, link, wanted)


async def upsert(viewer: Viewer, external_id: str, wanted: WholeLink) -> tuple[asyncpg.Record, bool]:
    """The link that the viewer's program calls `external_id`, made or changed to be as told; whether it is new."""
    owner_id = require_member(viewer)
    await limit("share", owner_id, most=300, per=3600)
    return await _upsert(viewer, owner_id, external_id, wanted)


async def upsert_many(viewer: Viewer, wanted: list[NamedLink]) -> list[tuple[asyncpg.Record, bool]]:
    """All of them or none; a complaint names the number of the link."""
    owner_id = require_member(viewer)
    await limit("share-many", owner_id, most=3000, per=3600, cost=len(wanted))
    if len({one.external_id for one in wanted}) < len(wanted):
        raise Invalid("links", _("Each external id may stand in the list once."))
    done = []
    async with db.transaction():
        for number, one in enumerate(wanted):
            try:
                done.append(await _upsert(viewer, owner_id, one.external_id, one))
            except Problem as problem:
                problem.fields = {f"links[{number}].{name}": why for name, why in problem.fields.items()} or {
                    f"links[{number}]": problem.detail
                }
                raise
    return done


async def _upsert(viewer: Viewer, owner_id: int, external_id: str, wanted: WholeLink) -> tuple[asyncpg.Record, bool]:
    external_id = clean(external_id, "external_id", least=1, most=100)
    async with db.transaction():
        # Two who send the same new one at once: the second waits here and then finds it.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"link:{owner_id}:{external_id}")
        link = await queries.named_link(owner_id, external_id)
        is_new = link is None
        if link is None:
            target = await resolve(viewer, wanted.target)
            code = names.checked_code(wanted.code) if wanted.code.strip() else ""
            placement = clean(wanted.placement, "placement", most=60)
            link = await service.make_named(owner_id, target, placement, code, external_id)
        told = {
            field.name: getattr(wanted, field.name)
            for field in msgspec.structs.fields(LinkChange)
            if field.name != "code" or wanted.code.strip()  # Without a code it keeps the one it was given.
        }
        fresh = await _apply(viewer, link, LinkChange(**told))
    return fresh, is_new


async def _apply(viewer: Viewer, link: asyncpg.Record, wanted: LinkChange) -> asyncpg.Record:
    set_: dict[str, Any] = {}
    if wanted.target is not UNSET:
        set_ |= _led_to(link, await resolve(viewer, wanted.target))
    if wanted.placement is not UNSET:
        set_["placement"] = clean(wanted.placement, "placement", most=60)
    if wanted.rules is not UNSET or wanted.split is not UNSET:
        routes = await _routes(viewer, link, wanted)
        set_["routes"] = msgspec.json.encode(routes).decode()
    if wanted.password is not UNSET:
        set_["password_hash"] = await _hashed(wanted.password)
    set_ |= _life(link, wanted)
    code = "" if wanted.code is UNSET else names.checked_code(wanted.code)
    changed = {name: value for name, value in set_.items() if name == "routes" or link[name] != value}
    try:
        async with db.transaction():
            if wanted.place is not UNSET:
                await _put(link["id"], wanted.place)
            if code and code != link["code"]:
                await _rename(link, code)
            if changed:
                await _keep_former_target(link, changed)
                await _write(link["id"], changed)
            await publish(LinkChanged(link_id=link["id"], owner_id=link["owner_id"]), actor_id=viewer.member_id)
            fresh = await db.fetch_one("SELECT * FROM link WHERE id = $1", link["id"])
    except asyncpg.UniqueViolationError as lost:
        if lost.constraint_name == "link_once_per_target":
            raise Conflict(
                _("You already have a link to this. Give one of them a placement."),
                fields={"placement": _("A placement tells the two links apart.")},
            ) from lost
        raise names.code_taken() from lost
    assert fresh is not None
    return fresh


def _led_to(link: asyncpg.Record, target: Target) -> dict[str, Any]:
    """The columns of another target. What was earned at one store must stay explainable, so a link keeps its store."""
    if link["target_kind"] == "member" or target.store_id != link["store_id"]:
        raise Conflict(
            _("This link may lead elsewhere, but not to another store. Make a new link for that."),
            fields={"target": _("Not at the same store.")},
        )
    return {"target_kind": target.kind, "target_id": target.id, "destination": target.destination}


async def _routes(viewer: Viewer, link: asyncpg.Record, wanted: LinkChange) -> Routes:
    """The link's routes with the given part anew, each target found through the viewer and checked like any other."""
    kept = msgspec.convert(link["routes"], Routes)
    rules, split = kept.rules, kept.split
    if wanted.rules is not UNSET:
        rules = [await _rule(viewer, link, new, number) for number, new in enumerate(wanted.rules)]
    if wanted.split is not UNSET:
        if len(wanted.split) == 1:
            raise Invalid("split", _("A split has two sides or more."))
        if len({branch.name for branch in wanted.split}) < len(wanted.split):
            raise Invalid("split", _("Each side of a split has a name of its own."))
        split = [await _branch(viewer, link, new, number) for number, new in enumerate(wanted.split)]
    return Routes(rules, split)


async def _rule(viewer: Viewer, link: asyncpg.Record, new: NewRule, number: int) -> Rule:
    if not msgspec.to_builtins(new.when):
        raise Invalid(f"rules[{number}].when", _("A rule needs at least one condition."))
    if new.when.since and new.when.until and new.when.since >= new.when.until:
        raise Invalid(f"rules[{number}].when", _("The end has to come after the start."))
    return Rule(new.when, new.to, await _aside(viewer, link, new.to, f"rules[{number}].to"))


async def _branch(viewer: Viewer, link: asyncpg.Record, new: NewBranch, number: int) -> Branch:
    return Branch(new.name, new.weight, new.to, await _aside(viewer, link, new.to, f"split[{number}].to"))


async def _aside(viewer: Viewer, link: asyncpg.Record, target: str, field: str) -> str:
    """Where a rule leads: a place like any other, at the link's own store or with us."""
    try:
        found = await resolve(viewer, target)
    except Problem as problem:
        raise Invalid(field, problem.detail) from problem
    if found.store_id not in (None, link["store_id"]) and link["store_id"] is not None:
        raise Invalid(field, _("A rule leads to this site or to the same store."))
    return found.destination


def _life(link: asyncpg.Record, wanted: LinkChange) -> dict[str, Any]:
    """The columns of how long a link lives."""
    set_: dict[str, Any] = {}
    if wanted.starts_at is not UNSET:
        set_["starts_at"] = wanted.starts_at
    if wanted.ends_at is not UNSET:
        set_["ends_at"] = wanted.ends_at
    starts, ends = set_.get("starts_at", link["starts_at"]), set_.get("ends_at", link["ends_at"])
    if starts and ends and starts >= ends:
        raise Invalid("ends_at", _("The end has to come after the start."))
    for field, moment in (("starts_at", starts), ("ends_at", ends)):
        _check_year(field, moment)
    if wanted.most_visits is not UNSET and wanted.most_visits != link["most_visits"]:
        # Those who came already count: raising the number lets only the difference in.
        used = (link["most_visits"] or 0) - (link["visits_left"] or 0)
        set_["most_visits"] = wanted.most_visits
        set_["visits_left"] = None if wanted.most_visits is None else max(0, wanted.most_visits - used)
    return set_


def _check_year(field: str, moment: datetime | None) -> None:
    if moment is not None and not 2000 <= moment.year <= 2200:
        raise Invalid(field, _("That is not a date we can keep."))


async def _write(link_id: int, changed: dict[str, Any]) -> None:
    kinds = {"routes": "::jsonb"}
    columns = ", ".join(f"{name} = ${n}{kinds.get(name, '')}" for n, name in enumerate(changed, 2))
    await db.execute(f"UPDATE link SET {columns} WHERE id = $1", link_id, *changed.values())


async def _keep_former_target(link: asyncpg.Record, changed: dict[str, Any]) -> None:
    if "target_kind" in changed or "target_id" in changed:
        await db.execute(
            "INSERT INTO link_former_target (link_id, target_kind, target_id, until) VALUES ($1, $2, $3, $4)",
            link["id"],
            link["target_kind"],
            link["target_id"],
            clock.now(),
        )


async def _rename(link: asyncpg.Record, code: str) -> None:
    """A new code; the old one leads to the link for ever, and no one else may have it."""
    await names.take(code, link["owner_id"])
    elsewhere = await db.fetch_val(
        """SELECT 1 FROM link WHERE code = $1 AND id <> $2
           UNION ALL SELECT 1 FROM link_former_code WHERE code = $1 AND link_id <> $2 LIMIT 1""",
        code,
        link["id"],
    )
    if elsewhere:
        raise names.code_taken()
    await db.execute("DELETE FROM link_former_code WHERE code = $1", code)
    await db.execute(
        "INSERT INTO link_former_code (code, link_id, until) VALUES ($1, $2, $3)",
        link["code"],
        link["id"],
        clock.now(),
    )
    await db.execute("UPDATE link SET code = $2 WHERE id = $1", link["id"], code)


async def _put(link_id: int, place: Place | None) -> None:
    if place is None:
        await db.execute(
            "UPDATE link_placement SET removed_at = coalesce(removed_at, $2) WHERE link_id = $1", link_id, clock.now()
        )
        return
    await db.execute(
        """INSERT INTO link_placement (link_id, kind, location, cost, currency, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (link_id) DO UPDATE SET kind = excluded.kind, location = excluded.location,
                                               cost = excluded.cost, currency = excluded.currency,
                                               removed_at = NULL""",
        link_id,
        place.kind,
        clean(place.location, "location", most=120),
        place.cost,
        check_currency(place.currency),
        clock.now(),
    )


async def _hashed(password: str) -> str:
    if not password:
        return ""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", _("At least %(n)s characters, please.", n=SHORTEST_PASSWORD))
    return await asyncio.to_thread(_hasher.hash, password)
