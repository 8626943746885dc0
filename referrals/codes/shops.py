"""Our codes in the shop's own till: written there as they are made, and looked at every night."""

from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict, Invalid, Problem
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from referrals.codes.events import CodesAwaitShop
from referrals.codes.schemas import InShop, ShopSetting
from referrals.codes.spelling import norm_of
from storefront.connectors.ask import Refused
from storefront.connectors.codes import PUSHES, pull_codes, push_codes
from storefront.connectors.schemas import Offer
from storefront.stores.policy import access_own_store

AT_ONCE = 500
MOST_REFUSED = 20
_LIVE = """c.owner_id IS NOT NULL AND c.leak_state <> 'leaked' AND c.disabled_at IS NULL
           AND (c.valid_from IS NULL OR c.valid_from <= $2) AND (c.valid_until IS NULL OR c.valid_until > $2)
           AND (c.limit_total = 0 OR c.used_total < c.limit_total)"""


async def turn_on(viewer: Viewer, slug: str, wanted: ShopSetting) -> None:
    """From now on the shop is given every code; what a code takes off there is the store's to say."""
    store = await access_own_store(viewer, slug)
    await limit("codes-in-shop", store["id"], most=30, per=3600)
    _check(store, wanted)
    async with db.transaction():
        if not await db.fetch_val("SELECT 1 FROM store_access WHERE store_id = $1", store["id"]):
            raise Conflict(_("Nobody has said yet how to ask this shop: it needs an address and a key."))
        await db.execute(
            """INSERT INTO shop_codes (store_id, percent_bps, discount_id, is_alone, set_by_id, set_at, error)
               VALUES ($1, $2, $3, $4, $5, $6, '')
               ON CONFLICT (store_id) DO UPDATE SET percent_bps = excluded.percent_bps, is_alone = excluded.is_alone,
                     discount_id = excluded.discount_id, set_by_id = excluded.set_by_id, set_at = excluded.set_at""",
            store["id"],
            wanted.percent_bps,
            wanted.discount_id.strip(),
            wanted.is_alone,
            viewer.member_id,
            clock.now(),
        )
        # What was refused may be taken under the new offer.
        await _forget_refusals(store["id"])
        await publish(CodesAwaitShop(store_id=store["id"]), actor_id=viewer.member_id)


async def turn_off(viewer: Viewer, slug: str) -> None:
    """Nothing more is written there. What stands in the shop stays, and is the store's to remove."""
    store = await access_own_store(viewer, slug)
    await db.execute("DELETE FROM shop_codes WHERE store_id = $1", store["id"])


async def announce(program_id: int) -> None:
    """Codes were made in this programme. In the caller's transaction; costs one query where no shop wants them."""
    store_id = await db.fetch_val(
        "SELECT s.store_id FROM shop_codes s JOIN program p ON p.store_id = s.store_id WHERE p.id = $1", program_id
    )
    if store_id is not None:
        await publish(CodesAwaitShop(store_id=store_id))


async def push(store_id: int) -> int:
    """Write what the shop has not got; how many were taken. Doing it again, or twice at once, changes nothing."""
    taken = 0
    while waiting := await _waiting(store_id):
        store, setting = await _asked_of(store_id)
        if setting is None:
            return taken
        try:
            for offer, some in _by_offer(setting, waiting):
                answers = await push_codes(store, [row["text"] for row in some], offer)
                taken += await _note(some, answers)
        except (Refused, Problem) as failed:
            await _note_failure(store_id, failed)
            return taken
        await db.execute("UPDATE shop_codes SET error = '' WHERE store_id = $1", store_id)
    return taken


async def look(store_id: int) -> None:
    """Read which codes the shop takes, and write those that are missing there."""
    store, setting = await _asked_of(store_id)
    if setting is None:
        return
    try:
        found = {norm for code in await pull_codes(store, _offer(setting)) if (norm := norm_of(code))}
    except (Refused, Problem) as failed:
        await _note_failure(store_id, failed)
        return
    now = clock.now()
    async with db.transaction():
        await _forget_refusals(store_id)
        await db.execute(
            """DELETE FROM code_in_shop x USING code c, program p
                WHERE c.id = x.code_id AND p.id = c.program_id AND p.store_id = $1
                  AND NOT (c.code_norm = ANY($2::text[])) AND x.asked_at < $3""",
            store_id,
            list(found),
            now,
        )
        ours = await db.fetch(
            """INSERT INTO code_in_shop (code_id, asked_at, taken_at, refusal)
               SELECT c.id, $3::timestamptz, $3, '' FROM code c JOIN program p ON p.id = c.program_id
                WHERE p.store_id = $1 AND c.code_norm = ANY($2::text[])
               ON CONFLICT (code_id) DO UPDATE SET asked_at = excluded.asked_at RETURNING code_id""",
            store_id,
            list(found),
            now,
        )
        await db.execute(
            "UPDATE shop_codes SET looked_at = $2, found = $3, strange = $4, error = '' WHERE store_id = $1",
            store_id,
            now,
            len(found),
            len(found) - len(ours),
        )
    await push(store_id)


async def stores_that_want_codes() -> list[int]:
    return [row["store_id"] for row in await db.fetch("SELECT store_id FROM shop_codes ORDER BY store_id")]


async def in_shop(store: asyncpg.Record) -> InShop:
    """What is known of a store's codes in its shop."""
    row = await db.fetch_one(
        f"""SELECT EXISTS (SELECT 1 FROM store_access WHERE store_id = $1) AS can_ask, s.*,
                   n.live, n.taken, n.refused, n.left_over
              FROM (SELECT 1) one LEFT JOIN shop_codes s ON s.store_id = $1
              LEFT JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE is_live) AS live,
                          count(*) FILTER (WHERE is_live AND x.taken_at IS NOT NULL) AS taken,
                          count(*) FILTER (WHERE is_live AND x.refusal <> '') AS refused,
                          count(*) FILTER (WHERE NOT is_live AND x.taken_at IS NOT NULL) AS left_over
                     FROM (SELECT c.id, ({_LIVE}) AS is_live FROM code c JOIN program p ON p.id = c.program_id
                            WHERE p.store_id = $1) c
                     LEFT JOIN code_in_shop x ON x.code_id = c.id) n ON true""",
        store["id"],
        clock.now(),
    )
    assert row is not None
    return InShop(
        can_write=store["provider"] in PUSHES,
        has_key=row["can_ask"],
        is_on=row["store_id"] is not None,
        percent_bps=row["percent_bps"] or 0,
        discount_id=row["discount_id"] or "",
        is_alone=bool(row["is_alone"]),
        live=row["live"],
        taken=row["taken"],
        refused=row["refused"],
        left_over=row["left_over"],
        strange=row["strange"] or 0,
        looked_at=row["looked_at"],
        error=row["error"] or "",
    )


async def refused(store_id: int) -> list[asyncpg.Record]:
    """Codes that the shop does not take, with its reason."""
    return await db.fetch(
        """SELECT c.text, x.refusal FROM code_in_shop x JOIN code c ON c.id = x.code_id
             JOIN program p ON p.id = c.program_id
            WHERE p.store_id = $1 AND x.refusal <> '' ORDER BY c.id DESC LIMIT $2""",
        store_id,
        MOST_REFUSED,
    )


def _check(store: asyncpg.Record, wanted: ShopSetting) -> None:
    if store["provider"] not in PUSHES:
        raise Invalid("provider", _("Codes cannot be written into shops of this kind; enter them there by hand."))
    if store["provider"] == "shopify" and not wanted.discount_id.strip().startswith("gid://shopify/DiscountCodeNode/"):
        raise Invalid("discount_id", _("A discount of yours, like gid://shopify/DiscountCodeNode/123."))
    if store["provider"] == "stripe" and not wanted.discount_id.strip():
        raise Invalid("discount_id", _("The id of a coupon of yours in Stripe."))
    if store["provider"] == "saleor" and not wanted.discount_id.strip():
        raise Invalid("discount_id", _("The id of a voucher of yours in Saleor."))
    if store["provider"] in ("woocommerce", "medusa") and not wanted.percent_bps:
        raise Invalid("percent_bps", _("Say how much a code takes off."))


async def _asked_of(store_id: int) -> tuple[asyncpg.Record, asyncpg.Record | None]:
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", store_id)
    assert store is not None
    return store, await db.fetch_one("SELECT * FROM shop_codes WHERE store_id = $1", store_id)


async def _waiting(store_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT c.id, c.text, c.limit_total, c.limit_per_buyer FROM code c JOIN program p ON p.id = c.program_id
             WHERE p.store_id = $1 AND {_LIVE} AND NOT EXISTS (SELECT 1 FROM code_in_shop x WHERE x.code_id = c.id)
             ORDER BY c.id LIMIT {AT_ONCE}""",
        store_id,
        clock.now(),
    )


def _by_offer(setting: asyncpg.Record, rows: list[asyncpg.Record]) -> list[tuple[Offer, list[asyncpg.Record]]]:
    """A campaign code carries its limits into the shop; those of members have none."""
    groups: dict[Offer, list[asyncpg.Record]] = {}
    for row in rows:
        limits: dict[str, Any] = {
            "most_uses": row["limit_total"] or None,
            "most_uses_per_buyer": row["limit_per_buyer"] or None,
        }
        groups.setdefault(msgspec.structs.replace(_offer(setting), **limits), []).append(row)
    return list(groups.items())


def _offer(setting: asyncpg.Record) -> Offer:
    return Offer(setting["discount_id"], setting["percent_bps"], is_alone=setting["is_alone"])


async def _note(rows: list[asyncpg.Record], answers: dict[str, str]) -> int:
    """Keep what the shop said of each. One it says nothing of counts as refused until the next look."""
    now = clock.now()
    said = [answers.get(row["text"], _("The shop said nothing of it."))[:200] for row in rows]
    await db.execute(
        """INSERT INTO code_in_shop (code_id, asked_at, taken_at, refusal)
           SELECT t.id, $3, CASE WHEN t.said = '' THEN $3::timestamptz END, t.said
             FROM unnest($1::bigint[], $2::text[]) t (id, said)
           ON CONFLICT (code_id) DO NOTHING""",
        [row["id"] for row in rows],
        said,
        now,
    )
    return said.count("")


async def _note_failure(store_id: int, failed: Exception) -> None:
    why = failed.detail or failed.title if isinstance(failed, Problem) else str(failed)
    await db.execute("UPDATE shop_codes SET error = $2 WHERE store_id = $1", store_id, why[:300])


async def _forget_refusals(store_id: int) -> None:
    await db.execute(
        """DELETE FROM code_in_shop x USING code c, program p
            WHERE c.id = x.code_id AND p.id = c.program_id AND p.store_id = $1 AND x.refusal <> ''""",
        store_id,
    )
