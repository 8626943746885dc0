"""Fees that a partner has accepted lie in escrow. From then on the promise stands in the books, not only in words,
until the work is approved (the same transaction makes it a commission) or nobody will be paid for it (it is undone).

Neither account is an expense: what a campaign costs is counted once, when a fee is earned.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from app import clock, db
from app.events import publish
from community.notifications.service import notify
from referrals.campaigns.events import CampaignAnswered, MilestoneExpired
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all

# So long after its day, or after it was not approved, work may still come.
GRACE = timedelta(days=7)
AT_ONCE = 200


async def set_aside(contract: asyncpg.Record, now: datetime) -> None:
    """The partner takes the offer: its fees are in escrow. The caller holds the contract."""
    rows = await db.fetch(
        "SELECT id, fee FROM campaign_milestone WHERE contract_id = $1 AND state = 'open' ORDER BY id", contract["id"]
    )
    await db.execute("UPDATE campaign_contract SET escrowed_at = $2 WHERE id = $1", contract["id"], now)
    await post_all(
        [Posting("escrow", "milestone", one["id"], 1, _legs(contract, one["fee"]), "campaign_accepted") for one in rows]
    )


async def release(contract: asyncpg.Record, milestones: Sequence[asyncpg.Record], reason: str) -> None:
    """The exact opposite, when a fee is earned or never will be. `contract` has store_id, currency, escrowed_at."""
    if contract["escrowed_at"] is None:
        return
    await post_all(
        [Posting("release", "milestone", one["id"], 2, _legs(contract, -one["fee"]), reason) for one in milestones]
    )


async def drop(contract: asyncpg.Record, states: Sequence[str]) -> None:
    """What nobody will be paid is free again. The campaign's row is the lock."""
    dropped = await db.fetch(
        """UPDATE campaign_milestone SET state = 'dropped' WHERE contract_id = $1 AND state = ANY($2::text[])
           RETURNING id, fee""",
        contract["id"],
        list(states),
    )
    await free(contract, dropped)
    await release(contract, sorted(dropped, key=lambda one: one["id"]), "campaign_ended")


async def free(contract: asyncpg.Record, milestones: Sequence[asyncpg.Record]) -> None:
    fees = sum(one["fee"] for one in milestones)
    await db.execute("UPDATE campaign SET promised = promised - $2 WHERE id = $1", contract["campaign_id"], fees)


def latest(milestone: asyncpg.Record) -> datetime:
    """Until when work for it may be handed in."""
    decided_at = milestone["decided_at"] if milestone["state"] == "declined" else None
    return max(milestone["due_at"], decided_at or milestone["due_at"]) + GRACE


async def expire_what_is_late() -> int:
    """Fees whose work never came, and offers nobody answered, are free again. What waits to be looked at never is."""
    late = await db.fetch(
        """SELECT x.id FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
            WHERE x.state IN ('open', 'declined') AND c.state = 'accepted'
              AND greatest(x.due_at, CASE WHEN x.state = 'declined' THEN x.decided_at END) < $1
            ORDER BY x.id LIMIT $2""",
        clock.now() - GRACE,
        AT_ONCE,
    )
    unanswered = await db.fetch(
        """SELECT c.id FROM campaign_contract c JOIN campaign k ON k.id = c.campaign_id
            WHERE c.state = 'offered' AND k.ends_at < $1 ORDER BY c.id LIMIT $2""",
        clock.now(),
        AT_ONCE,
    )
    for row in late:
        await _expire(row["id"])
    for row in unanswered:
        await _withdraw(row["id"])
    return len(late) + len(unanswered)


async def _expire(milestone_id: int) -> None:
    async with db.transaction():
        row = await db.fetch_one(
            """SELECT x.*, c.member_id, c.campaign_id, c.by_id, c.escrowed_at, k.currency, s.id AS store_id, s.slug
                 FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
                 JOIN campaign k ON k.id = c.campaign_id JOIN program p ON p.id = k.program_id
                 JOIN store s ON s.id = p.store_id WHERE x.id = $1 FOR UPDATE OF k, c, x""",
            milestone_id,
        )
        # Handed in, approved or called off while we came here.
        if row is None or row["state"] not in ("open", "declined") or latest(row) >= clock.now():
            return
        await db.execute("UPDATE campaign_milestone SET state = 'expired' WHERE id = $1", milestone_id)
        await free(row, [row])
        await publish(MilestoneExpired(milestone_id=milestone_id, member_id=row["member_id"]))
        for member_id, url in (
            (row["member_id"], f"/earn/campaigns/{row['contract_id']}"),
            (row["by_id"], f"/admin/programs/{row['slug']}/campaigns/{row['campaign_id']}"),
        ):
            await notify(
                member_id,
                "milestone_expired",
                source=f"milestone:{milestone_id}:expired",
                url=url,
                data={"title": row["title"], "amount": row["fee"], "currency": row["currency"]},
            )
        await release(row, [row], "milestone_late")


async def _withdraw(contract_id: int) -> None:
    async with db.transaction():
        contract = await db.fetch_one(
            """SELECT c.*, k.currency, p.store_id FROM campaign_contract c JOIN campaign k ON k.id = c.campaign_id
                 JOIN program p ON p.id = k.program_id WHERE c.id = $1 AND c.state = 'offered' FOR UPDATE OF k, c""",
            contract_id,
        )
        if contract is None:
            return
        await db.execute("UPDATE campaign_contract SET state = 'ended' WHERE id = $1", contract_id)
        await publish(CampaignAnswered(contract_id=contract_id, member_id=contract["member_id"], state="ended"))
        await drop(contract, ["open"])


async def in_escrow() -> list[asyncpg.Record]:
    """What lies in escrow, by store and currency: sums of entries."""
    return await db.fetch(
        """SELECT s.slug, s.name, a.currency, -sum(e.amount)::bigint AS amount,
                  count(DISTINCT t.ref_id) FILTER (WHERE t.kind = 'escrow') AS promises
             FROM ledger_account a JOIN store s ON s.id = a.owner_id
             JOIN ledger_entry e ON e.account_id = a.id JOIN ledger_transaction t ON t.id = e.transaction_id
            WHERE a.owner_kind = 'store' AND a.kind = 'escrow'
            GROUP BY 1, 2, 3 HAVING sum(e.amount) <> 0 ORDER BY 2, 1, 3"""
    )


async def escrow_of(campaign_id: int) -> dict[int, int]:
    """By contract of a campaign, what lies in escrow."""
    rows = await db.fetch(
        """SELECT c.id, -sum(e.amount)::bigint AS amount
             FROM campaign_contract c JOIN campaign_milestone x ON x.contract_id = c.id
             JOIN ledger_transaction t ON t.ref_type = 'milestone' AND t.ref_id = x.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'store' AND a.kind = 'escrow'
            WHERE c.campaign_id = $1 GROUP BY 1 HAVING sum(e.amount) <> 0""",
        campaign_id,
    )
    return {row["id"]: row["amount"] for row in rows}


async def check_escrow() -> list[str]:
    """What lies in escrow for each fee is what its state says; a campaign's budget knows the same fees."""
    fees = await db.fetch(
        """WITH posted AS (
               SELECT t.ref_id, coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'escrow'), 0)::bigint AS escrow,
                      coalesce(sum(e.amount) FILTER (WHERE a.kind = 'fees_promised'), 0)::bigint AS promised,
                      min(a.owner_id) AS store_id, max(a.owner_id) AS last_id
                 FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                 JOIN ledger_account a ON a.id = e.account_id
                WHERE t.ref_type = 'milestone' GROUP BY 1),
           wanted AS (
               SELECT x.id, p.store_id,
                      CASE WHEN c.escrowed_at IS NOT NULL AND x.state IN ('open', 'handed_in', 'declined')
                           THEN x.fee ELSE 0 END AS fee
                 FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
                 JOIN campaign k ON k.id = c.campaign_id JOIN program p ON p.id = k.program_id)
           SELECT coalesce(w.id, p.ref_id) AS id, coalesce(p.escrow, 0) AS escrow, w.fee
             FROM wanted w FULL JOIN posted p ON p.ref_id = w.id
            WHERE coalesce(p.escrow, 0) <> coalesce(w.fee, -1) OR coalesce(p.promised, 0) <> coalesce(w.fee, -1)
               OR (p.ref_id IS NOT NULL AND (p.store_id, p.last_id) IS DISTINCT FROM (w.store_id, w.store_id))
            ORDER BY 1 LIMIT 100"""
    )
    strays = await db.fetch(
        """SELECT DISTINCT t.id FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
             JOIN ledger_transaction t ON t.id = e.transaction_id
            WHERE a.kind IN ('escrow', 'fees_promised') AND t.ref_type <> 'milestone' ORDER BY 1 LIMIT 100"""
    )
    budgets = await db.fetch(
        """SELECT k.id, k.promised, coalesce(sum(x.fee), 0)::bigint AS fees
             FROM campaign k LEFT JOIN campaign_contract c ON c.campaign_id = k.id
             LEFT JOIN campaign_milestone x ON x.contract_id = c.id AND x.state NOT IN ('dropped', 'expired')
            GROUP BY k.id HAVING k.promised <> coalesce(sum(x.fee), 0) ORDER BY 1 LIMIT 100"""
    )
    return [
        *(f"milestone {row['id']} has {row['escrow']} in escrow; it should be {row['fee']}" for row in fees),
        *(f"transaction {row['id']} moves an escrow, and is no milestone's" for row in strays),
        *(f"campaign {row['id']} has {row['promised']} promised; its fees are {row['fees']}" for row in budgets),
    ]


def _legs(contract: asyncpg.Record, fee: int) -> tuple[Leg, ...]:
    promised = AccountName("store", contract["store_id"], "fees_promised", contract["currency"])
    escrow = AccountName("store", contract["store_id"], "escrow", contract["currency"])
    return Leg(promised, fee), Leg(escrow, -fee)
