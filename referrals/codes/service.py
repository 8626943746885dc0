"""Codes that buyers type at the shop: made, used, watched for leaks, and replaced when they leaked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish, publish_all
from app.i18n import gettext as _
from app.limits import limit
from referrals.codes import queries, shops
from referrals.codes.events import CodeEntered, CodeLeaked, CodeUsed
from referrals.codes.schemas import NewCode
from referrals.codes.spelling import checked_text, new_code_for, norm_of
from referrals.programs.policy import LeakRules
from storefront.stores.policy import access_own_store

TRIES = 8
TRIES_TO_GUESS = 10
MOST_LIMIT = 10_000_000


async def give_personal_codes(member_id: int) -> None:
    """The member's own code in every programme that has none for them yet."""
    rows = await db.fetch(
        """SELECT p.id, m.handle FROM program p, member m
            WHERE m.id = $1 AND NOT EXISTS (
                  SELECT 1 FROM code c WHERE c.program_id = p.id AND c.owner_id = m.id AND c.kind = 'personal')
            ORDER BY p.id""",
        member_id,
    )
    for row in rows:
        await _make_personal(row["id"], member_id, row["handle"])


async def give_everybody_a_code(program_id: int, *, batch: int = 500) -> int:
    """A programme that is new gives each member their own code before anybody asks; how many were made."""
    made, last_id = 0, 0
    while rows := await db.fetch(
        """SELECT m.id, m.handle FROM member m
            WHERE m.id > $2 AND NOT EXISTS (
                  SELECT 1 FROM code c WHERE c.program_id = $1 AND c.owner_id = m.id AND c.kind = 'personal')
            ORDER BY m.id LIMIT $3""",
        program_id,
        last_id,
        batch,
    ):
        last_id = rows[-1]["id"]
        texts = [new_code_for(row["handle"]) for row in rows]
        # A code that is taken, or a member who got one meanwhile, waits for the member's own visit.
        made += await db.execute(
            """INSERT INTO code (program_id, text, code_norm, kind, owner_id, leak_state, created_at)
               SELECT $1, t.text, t.norm, 'personal', t.owner_id, 'ok', $5
                 FROM unnest($2::bigint[], $3::text[], $4::text[]) AS t (owner_id, text, norm)
               ON CONFLICT DO NOTHING""",
            program_id,
            [row["id"] for row in rows],
            texts,
            [norm_of(text) for text in texts],
            clock.now(),
        )
    if made:
        async with db.transaction():
            await shops.announce(program_id)
    return made


async def _make_personal(
    program_id: int, owner_id: int, handle: str, *, replaces_id: int | None = None
) -> asyncpg.Record | None:
    """A new personal code; None when the member has one (by now)."""
    for _try in range(TRIES):
        text = new_code_for(handle)
        async with db.transaction():
            made = await db.fetch_one(
                """INSERT INTO code (program_id, text, code_norm, kind, owner_id, leak_state, replaces_id, created_at)
                   VALUES ($1, $2, $3, 'personal', $4, 'ok', $5, $6) ON CONFLICT DO NOTHING RETURNING *""",
                program_id,
                text,
                norm_of(text),
                owner_id,
                replaces_id,
                clock.now(),
            )
            if made is not None:
                await shops.announce(program_id)
                return made
        if await queries.personal_code(program_id, owner_id):
            return None
    return None


async def make_campaign_code(viewer: Viewer, slug: str, new: NewCode) -> asyncpg.Record:
    """A code of the store's campaign, credited to a member; by the store's owner or an admin."""
    store = await access_own_store(viewer, slug)
    program_id = await queries.program_of(store["id"])
    owner_id = await queries.member_called(new.owner)
    if owner_id is None:
        raise Invalid("owner", _("Nobody here is called so."))
    text = checked_text(new.code)
    valid_from, valid_until = _moment("valid_from", new.valid_from), _moment("valid_until", new.valid_until)
    if valid_from and valid_until and valid_until <= valid_from:
        raise Invalid("valid_until", _("It ends before it begins."))
    for field in ("limit_total", "limit_per_buyer"):
        if not 0 <= getattr(new, field) <= MOST_LIMIT:
            raise Invalid(field, _("A limit is a whole number; 0 means none."))
    async with db.transaction():
        made = await db.fetch_one(
            """INSERT INTO code (program_id, text, code_norm, kind, owner_id, limit_total, limit_per_buyer, valid_from,
                                 valid_until, leak_state, created_at)
               VALUES ($1, $2, $3, 'campaign', $4, $5, $6, $7, $8, 'ok', $9) ON CONFLICT DO NOTHING RETURNING *""",
            program_id,
            text,
            norm_of(text),
            owner_id,
            new.limit_total,
            new.limit_per_buyer,
            valid_from,
            valid_until,
            clock.now(),
        )
        if made is not None:
            await shops.announce(program_id)
    if made is None:
        raise Conflict(_("That code is taken."), fields={"code": _("That code is taken.")})
    return made


async def switch_off(viewer: Viewer, slug: str, code_id: int) -> None:
    """A code that counts no longer, from now on. What it earned stays."""
    code = await _access_code(viewer, slug, code_id)
    await db.execute("UPDATE code SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL", code["id"], clock.now())


async def vouch(viewer: Viewer, slug: str, code_id: int) -> None:
    """Somebody of the store looked: the many new buyers are real friends. Counted anew from now."""
    code = await _access_code(viewer, slug, code_id)
    if code["owner_id"] == viewer.member_id:
        raise Forbidden(_("Somebody else has to vouch for your own code."))
    if code["leak_state"] == "leaked":
        raise Conflict(_("It has leaked and was replaced by a new one."))
    await db.execute(
        """UPDATE code SET leak_state = 'ok', watched_at = NULL, vouched_at = $2
            WHERE id = $1 AND leak_state <> 'leaked'""",
        code["id"],
        clock.now(),
    )


async def enter(viewer: Viewer, slug: str, given: str) -> None:
    """A member says whose code they have. The answer to a wrong one is always the same, and comes slowly."""
    member_id = require_member(viewer)
    await limit("code-try", member_id, most=TRIES_TO_GUESS, per=3600)
    code = await queries.usable_code(slug, norm_of(given), clock.now())
    if code is None or code["owner_id"] == member_id:
        raise NotFound(_("This code does not work here."))
    async with db.transaction():
        entered = await db.fetch_val(
            """INSERT INTO code_entry (code_id, member_id, entered_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            code["id"],
            member_id,
            clock.now(),
        )
        if entered:
            await publish(CodeEntered(code_id=code["id"], member_id=member_id), actor_id=member_id)


class CarriedCode(msgspec.Struct, frozen=True):
    """An order that carried a code; cold when nothing else is known of its buyer."""

    code_id: int
    order: asyncpg.Record
    is_cold: bool


async def note_uses(carried: Sequence[CarriedCode]) -> dict[tuple[int, int], bool]:
    """Keep that orders carried codes, each once; by order and code, whether it counts. The caller holds the orders.

    A code's row is the lock of its limits: of two orders that race for the last use, one gets it. As many queries for
    a hundred orders as for one; among them the earlier order goes first, as if they came one by one.
    """
    if not carried:
        return {}
    codes = {row["id"]: row for row in await queries.lock_codes(one.code_id for one in carried)}
    pairs = [(one.order["id"], one.code_id) for one in carried]
    counts = {pair: refusal == "" for pair, refusal in (await queries.known_uses(pairs)).items()}
    fresh = sorted(
        (one for one in carried if (one.order["id"], one.code_id) not in counts),
        key=lambda one: (one.order["id"], one.code_id),
    )
    if not fresh:
        return counts
    by_buyer = await queries.uses_by_buyers([(one.code_id, _buyer_in(one.order)) for one in fresh])
    firsts = await queries.first_orders([one.order["id"] for one in fresh if one.is_cold])
    used = {code_id: row["used_total"] for code_id, row in codes.items()}
    rows, events = [], []
    for one in fresh:
        code, buyer = codes[one.code_id], _buyer_in(one.order)
        refusal = ""
        if code["limit_total"] and used[one.code_id] >= code["limit_total"]:
            refusal = "used_up"
        elif buyer and code["limit_per_buyer"] and by_buyer[one.code_id, buyer] >= code["limit_per_buyer"]:
            refusal = "buyer_used_up"
        is_cold = one.is_cold and one.order["id"] in firsts
        rows.append((one.code_id, one.order["id"], buyer, refusal, is_cold))
        counts[one.order["id"], one.code_id] = refusal == ""
        if not refusal:
            used[one.code_id] += 1
            by_buyer[one.code_id, buyer] += 1
            events.append(CodeUsed(code_id=one.code_id, order_id=one.order["id"], is_cold=is_cold))
    await queries.write_uses(rows, clock.now())
    await queries.write_totals({one: many for one, many in used.items() if many != codes[one]["used_total"]})
    await publish_all(events)
    return counts


def _buyer_in(order: asyncpg.Record) -> str:
    return order["buyer_mailbox"] or (f"customer:{order['customer_id']}" if order["customer_id"] else "")


async def judge(code_id: int, rules: LeakRules) -> str:
    """Look at a personal code's uses of the last days and move its state on; the state it has now.

    ok -> watch -> leaked, never back by itself. A leaked one is replaced in the same transaction.
    """
    async with db.transaction():
        code = await db.fetch_one("SELECT * FROM code WHERE id = $1 FOR UPDATE", code_id)
        if code is None or code["kind"] != "personal" or code["leak_state"] == "leaked" or code["disabled_at"]:
            return code["leak_state"] if code else ""
        since = clock.now() - timedelta(days=rules.days)
        cold, uses = await queries.uses_since(code_id, max(since, code["vouched_at"] or since))
        if not uses or cold * 10_000 < rules.share_bps * uses or cold < rules.watch:
            return code["leak_state"]
        if cold >= rules.leaked:
            await _replace(code)
            state = "leaked"
        else:
            await db.execute(
                "UPDATE code SET leak_state = 'watch', watched_at = $2 WHERE id = $1 AND leak_state = 'ok'",
                code_id,
                clock.now(),
            )
            state = "watch"
    return state


async def _replace(code: asyncpg.Record) -> None:
    await db.execute("UPDATE code SET leak_state = 'leaked', leaked_at = $2 WHERE id = $1", code["id"], clock.now())
    handle = await db.fetch_val("SELECT handle FROM member WHERE id = $1", code["owner_id"])
    new = await _make_personal(code["program_id"], code["owner_id"], handle, replaces_id=code["id"])
    if new is not None:
        await publish(CodeLeaked(code_id=code["id"], owner_id=code["owner_id"], new_code_id=new["id"]))


async def _access_code(viewer: Viewer, slug: str, code_id: int) -> asyncpg.Record:
    store = await access_own_store(viewer, slug)
    code = await db.fetch_one(
        "SELECT c.* FROM code c JOIN program p ON p.id = c.program_id WHERE c.id = $1 AND p.store_id = $2",
        code_id,
        store["id"],
    )
    if code is None:
        raise NotFound()
    return code


def _moment(field: str, given: str) -> datetime | None:
    """A day or a moment as typed; UTC where nothing else is said."""
    if not given:
        return None
    try:
        moment = msgspec.convert(given if len(given) > 10 else f"{given}T00:00:00Z", datetime, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(field, _("A day looks like 2026-11-22.")) from error
    if moment.tzinfo is None:
        raise Invalid(field, _("A day looks like 2026-11-22."))
    return moment
