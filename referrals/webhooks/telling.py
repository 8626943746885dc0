"""What happens in a store's programme, told to addresses of its owner's, each thing once by a key of its own."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import db
from app.auth import Viewer
from community.webhooks.source import Place
from storefront.stores.policy import access_own_store

OWNER = "store"
# What a step of a commission is called outside; the first one is that it was earned at all.
STEPS = {
    "held": "commission.held",
    "approved": "commission.approved",
    "paid": "commission.paid",
    "rejected": "commission.reversed",
    "reversed": "commission.reversed",
}
TYPES = (
    "commission.opened",
    "commission.changed",
    "commission.held",
    "commission.approved",
    "commission.paid",
    "commission.reversed",
    "payout.settled",
    "payout.failed",
    "partner.applied",
    "partner.joined",
    "partner.declined",
    "partner.left",
    "check.opened",
    "check.decided",
)


async def access(viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Place:
    store = await access_own_store(viewer, slug)
    return Place(store["id"], f"/admin/programs/{store['slug']}/webhooks", {"store": store})


async def owner(store_id: int) -> tuple[int, str] | None:
    row = await db.fetch_one("SELECT slug, owner_id FROM store WHERE id = $1", store_id)
    return (row["owner_id"], f"/admin/programs/{row['slug']}/webhooks") if row and row["owner_id"] else None


async def start_at(store_id: int) -> int:
    return 0


async def gather(endpoint: asyncpg.Record) -> bool:
    """Everything is announced as it happens."""
    return False


async def is_anybody_told() -> bool:
    """Most houses tell nobody, and settle thousands of commissions at once."""
    return await db.fetch_val("SELECT EXISTS (SELECT 1 FROM webhook_endpoint WHERE owner_kind = 'store')")


async def steps_of(commission_id: int) -> list[asyncpg.Record]:
    """The steps of a commission with its store, the oldest first."""
    return await db.fetch(
        """SELECT e.seq, e.from_state, e.to_state, e.reason, e.at, p.store_id, c.granted
             FROM commission_event e JOIN commission c ON c.id = e.commission_id
             JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
            WHERE c.id = $1 ORDER BY e.seq""",
        commission_id,
    )


async def last_posting(commission_id: int) -> asyncpg.Record | None:
    """The newest entry in the books about a commission, and what stands of it after that."""
    return await db.fetch_one(
        """SELECT max(t.id) AS id, max(t.occurred_at) AS at, sum(e.amount)::bigint AS stands
             FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
            WHERE t.ref_type = 'commission' AND t.ref_id = $1 HAVING count(*) > 0""",
        commission_id,
    )


async def read(endpoint: asyncpg.Record, deliveries: list[asyncpg.Record]) -> list[Any]:
    """What each is about, as it is known now, beside what was so then (`then`)."""
    store = await db.fetch_one("SELECT slug, name FROM store WHERE id = $1", endpoint["owner_id"])
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for kind, question in READERS.items():
        ids = [row["data"]["id"] for row in deliveries if row["type"].startswith(f"{kind}.")]
        if ids:
            found |= {(kind, row["id"]): _shown(row) for row in await question(ids)}
    said: list[Any] = []
    for delivery in deliveries:
        kind = delivery["type"].partition(".")[0]
        about = found.get((kind, delivery["data"]["id"]))
        then = {name: value for name, value in delivery["data"].items() if name != "id"}
        said.append(
            {"store": {"slug": store["slug"], "name": store["name"]}, kind: about, "then": then}
            if about and store
            else None
        )
    return said


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    """A row as JSON outside: ids are words, amounts have their currency, a member is three words."""
    shown = dict(row)
    currency = shown.pop("currency", None)
    member = {key: shown.pop(f"member_{key}") for key in ("id", "handle", "name")}
    for name in ("amount", "granted", "sends"):
        if name in shown:
            shown[name] = {"amount": shown[name], "currency": currency}
    if paid_in := shown.pop("pays_currency", ""):
        shown["arrives"] = {"amount": shown["pays"], "currency": paid_in}
    shown.pop("pays", None)
    return {**shown, "id": str(shown["id"]), "member": {**member, "id": str(member["id"])}}


_MEMBER = "m.id AS member_id, m.handle AS member_handle, m.name AS member_name"


async def _commissions(ids: list[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT c.id, o.external_id AS order, l.external_id AS line, c.role, c.state, c.currency, c.granted,
                   coalesce(stands.amount, 0)::bigint AS amount, c.hold_until, {_MEMBER}
              FROM commission c JOIN member m ON m.id = c.member_id
              LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN order_line l ON l.id = c.order_line_id
              LEFT JOIN LATERAL (
                   SELECT sum(e.amount) AS amount
                     FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                     JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
                    WHERE t.ref_type = 'commission' AND t.ref_id = c.id) stands ON true
             WHERE c.id = ANY($1::bigint[])""",
        ids,
    )


async def _payouts(ids: list[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT p.id, p.state, p.rail, p.currency, p.amount, p.sends, p.pays, p.pays_currency, {_MEMBER}
              FROM payout p JOIN member m ON m.id = p.member_id WHERE p.id = ANY($1::bigint[])""",
        ids,
    )


async def _partners(ids: list[int]) -> list[asyncpg.Record]:
    """By the member: a partner has no number that a store knows."""
    return await db.fetch(f"SELECT m.id, {_MEMBER} FROM member m WHERE m.id = ANY($1::bigint[])", ids)


async def _checks(ids: list[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT f.id, f.rule, f.state, f.due_at, {_MEMBER}
              FROM fraud_case f JOIN member m ON m.id = f.member_id WHERE f.id = ANY($1::bigint[])""",
        ids,
    )


READERS: dict[str, Callable[[list[int]], Awaitable[list[asyncpg.Record]]]] = {
    "commission": _commissions,
    "payout": _payouts,
    "partner": _partners,
    "check": _checks,
}
