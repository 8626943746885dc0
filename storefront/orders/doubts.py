"""What cannot be true of an order as told. While it stands, nothing is earned; a person may say that it is right."""

from collections.abc import Sequence

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.errors import Forbidden, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.money import Money, format_money
from community.notifications.service import notify
from storefront.orders.events import OrderFactsChanged
from storefront.orders.placing import GIVES_BACK, Line, Refund, spread, unplaced_sum


async def look_again(order_id: int) -> bool:
    """Spread what went back unplaced and see whether the amounts add up; whether anything is different now.

    The caller holds the order's lock.
    """
    order = await db.fetch_one("SELECT * FROM orders WHERE id = $1", order_id)
    assert order is not None
    if order["source_updated_at"] is None:
        return False
    rows = await db.fetch("SELECT * FROM order_line WHERE order_id = $1 ORDER BY id", order_id)
    lines = [Line(row["external_id"], row["gross"] - row["discount"], row["tax"]) for row in rows]
    refunds = await _refunds_of(order)
    # Also when nothing is unplaced any more: the shop named the lines after all, and the estimate goes.
    is_spread = any(refund.unplaced or refund.is_estimated for refund in refunds)
    moved = await _write_estimates(order, lines, refunds) if is_spread else False
    doubt = doubt_of(order, lines, refunds)
    if doubt and await db.fetch_val(
        "SELECT 1 FROM doubt_clearance WHERE order_id = $1 AND doubt = $2", order_id, doubt
    ):
        doubt = ""
    if doubt != order["doubt"]:
        await db.execute("UPDATE orders SET doubt = $2 WHERE id = $1", order_id, doubt)
    if doubt and not order["doubt"]:
        await _tell_owner(order)
    return moved or doubt != order["doubt"]


async def clear_doubt(viewer: Viewer, store: asyncpg.Record, order_id: int, note: str = "") -> bool:
    """Say that the amounts are right as they are; False when nothing was in doubt.

    Other amounts later raise a doubt of their own.
    """
    async with db.transaction():
        order = await db.fetch_one(
            "SELECT id, doubt FROM orders WHERE id = $1 AND store_id = $2 FOR UPDATE", order_id, store["id"]
        )
        if order is None:
            raise NotFound()
        if not order["doubt"]:
            return False
        if await _earns_by(viewer.member_id, order_id):
            raise Forbidden(_("You may earn by this order, so somebody else has to say that it is right."))
        await db.execute(
            """INSERT INTO doubt_clearance (order_id, doubt, member_id, note, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            order_id,
            order["doubt"],
            viewer.member_id,
            note.replace("\x00", "").strip()[:500],
            clock.now(),
        )
        await db.execute("UPDATE orders SET doubt = '' WHERE id = $1", order_id)
        await publish(OrderFactsChanged(order_id=order_id), actor_id=viewer.member_id)
    return True


async def _earns_by(member_id: int | None, order_id: int) -> bool:
    """Whether a member may be credited for an order. The decisions lie above this house; only their rows are read."""
    return bool(
        await db.fetch_val(
            """SELECT 1 FROM (SELECT candidates, shares FROM attribution
                               WHERE order_id = $1 ORDER BY version DESC LIMIT 1) a
                WHERE a.candidates || a.shares @> jsonb_build_array(jsonb_build_object('member_id', $2::bigint))""",
            order_id,
            member_id,
        )
    )


def doubt_of(order: asyncpg.Record, lines: Sequence[Line], refunds: Sequence[Refund]) -> str:
    """Why the amounts cannot be right, in a sentence; empty when they can."""

    def shown(amount: int) -> str:
        return format_money(Money(amount, order["currency"]), accounting=True)

    reasons = []
    paid = sum(line.base + line.tax for line in lines) + order["shipping"] + order["fees"]
    if order["total"] is not None and abs(order["total"] - paid) > order["slack"]:
        reasons.append(f"the total is {shown(order['total'])}, but its parts add up to {shown(paid)}")
    mine = [refund for refund in refunds if refund.kind != GIVES_BACK]
    won = [refund for refund in refunds if refund.kind == GIVES_BACK]
    for line in lines:
        back = sum(r.lines.get(line.external_id, 0) for r in mine) - sum(r.lines.get(line.external_id, 0) for r in won)
        # A line that is told no more is worth nothing; giving back what it once cost is how shops take it off.
        if line.base and back > line.base + line.tax:
            reasons.append(
                f"{shown(back)} went back of line {line.external_id[:40]}, which cost {shown(line.base + line.tax)}"
            )
    unplaced = unplaced_sum(refunds) - sum(refund.unplaced for refund in won)
    if unplaced > paid + order["slack"]:
        reasons.append(f"{shown(unplaced)} went back of an order of {shown(paid)}")
    return "; ".join(reasons)[:1000]


async def _tell_owner(order: asyncpg.Record) -> None:
    """Ring once a day, however many orders of a shop do not add up."""
    store = await db.fetch_one("SELECT slug, name, owner_id FROM store WHERE id = $1", order["store_id"])
    if store and store["owner_id"]:
        await notify(
            store["owner_id"],
            "store_doubts",
            source=f"store:{order['store_id']}:doubts:{clock.now():%Y-%m-%d}",
            url=f"/admin/programs/{store['slug']}/orders",
            data={"store": store["name"], "order": order["number"] or order["external_id"]},
        )


async def _refunds_of(order: asyncpg.Record) -> list[Refund]:
    rows = await db.fetch(
        """SELECT f.id, f.kind, f.unplaced, f.is_sum, f.is_void,
                  coalesce(jsonb_object_agg(l.external_line_id, l.amount)
                           FILTER (WHERE l.id IS NOT NULL AND NOT l.is_estimate), '{}') AS lines,
                  coalesce(bool_or(l.is_estimate), false) AS is_estimated
             FROM refund f LEFT JOIN refund_line l ON l.refund_id = f.id
            WHERE f.store_id = $1 AND f.order_external_id = $2 AND f.currency = $3
            GROUP BY f.id ORDER BY f.external_id""",
        order["store_id"],
        order["external_id"],
        order["currency"],
    )
    return [
        Refund(
            row["id"], row["kind"], row["unplaced"], row["is_sum"], row["lines"], row["is_estimated"], row["is_void"]
        )
        for row in rows
    ]


async def _write_estimates(order: asyncpg.Record, lines: list[Line], refunds: list[Refund]) -> bool:
    parts = spread(lines, order["shipping"] + order["fees"], refunds)
    wanted = {
        (refund_id, line_id, part) for refund_id, by_line in parts.items() for line_id, part in by_line.items() if part
    }
    rows = await db.fetch(
        """SELECT refund_id, external_line_id, amount FROM refund_line
            WHERE is_estimate AND refund_id = ANY($1::bigint[])""",
        [refund.id for refund in refunds],
    )
    known = {(row["refund_id"], row["external_line_id"], row["amount"]) for row in rows}
    if wanted == known:
        return False
    await db.execute(
        "DELETE FROM refund_line WHERE is_estimate AND refund_id = ANY($1::bigint[])", [refund.id for refund in refunds]
    )
    await db.execute_many(
        """INSERT INTO refund_line (refund_id, external_line_id, quantity, amount, is_estimate)
           VALUES ($1, $2, 0, $3, true)""",
        sorted(wanted),
    )
    return True
