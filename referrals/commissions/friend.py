"""The other side: what the buyer of a referred order gets, as credit at the store. Granted in the transaction of the
commission, under the same rules, and taken back by the same refunds."""

from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db
from app.money import share_of
from referrals.commissions.facts import buyer_of
from referrals.commissions.reckoning import half_even, refusal_of_buyer
from referrals.credit import lots
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from referrals.programs.terms import Friend, terms_of


async def lock_buyer(order: asyncpg.Record, rules: asyncpg.Record) -> None:
    """Before anything of the order is posted: a buyer's credit is spent under their row, then the books' lock."""
    if terms_of(rules).friend is not None:
        reward = await _reward_on(order["id"])
        await lots.lock_customers([one for one in (order["customer_id"], reward and reward["customer_id"]) if one])


async def bring(
    order: asyncpg.Record, decision: asyncpg.Record, rules: asyncpg.Record, lines: list[asyncpg.Record]
) -> None:
    """Post the difference between what the buyer's credit is and what it should be."""
    terms = terms_of(rules)
    # An order keeps its version, so without a buyer's side there it never had one.
    if order["customer_id"] is None or terms.friend is None:
        return
    reward = await _reward_on(order["id"])
    base = sum(line["base"] for line in lines)
    if reward is None:
        if decision["winner_id"] is None or not _is_in(terms.friend, terms.currency, order["currency"]):
            return
        if refusal_of_buyer(terms, await buyer_of(order), order["placed_at"] or order["paid_at"]):
            return
        granted = amount_for(terms.friend, base, base)
        if granted == 0:
            return
        reward = await _open(order, decision, terms.friend, base, granted)
    net = sum(max(0, line["base"] - line["refunded"]) for line in lines)
    nothing_counts = order["cancelled_at"] or order["doubt"] or decision["winner_id"] is None
    target = 0 if nothing_counts else amount_for(msgspec.convert(reward["how"], Friend), base, net)
    await _bring_to(order, reward, target)


def amount_for(friend: Friend, base: int, net: int) -> int:
    if friend.kind == "percent":
        return share_of(net, friend.rate_bps)
    return min(net, half_even(friend.amount * net, base)) if base else 0


def _is_in(friend: Friend, ours: str, theirs: str) -> bool:
    return friend.kind == "percent" or ours == theirs


async def _reward_on(order_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT f.*, posted.standing, posted.postings
             FROM friend_reward f
             LEFT JOIN LATERAL (
                  SELECT coalesce(sum(e.amount), 0)::bigint AS standing, coalesce(max(t.ref_seq), 0) AS postings
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'reward_expense'
                   WHERE t.ref_type = 'friend_reward' AND t.ref_id = f.id) posted ON true
            WHERE f.order_id = $1""",
        order_id,
    )


async def _open(
    order: asyncpg.Record, decision: asyncpg.Record, friend: Friend, base: int, granted: int
) -> asyncpg.Record:
    await db.execute(
        """INSERT INTO friend_reward (order_id, customer_id, program_version_id, attribution_id, base, granted,
                                      currency, how, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)""",
        order["id"],
        order["customer_id"],
        decision["program_version_id"],
        decision["id"],
        base,
        granted,
        order["currency"],
        msgspec.json.encode(friend).decode(),
        clock.now(),
    )
    reward = await _reward_on(order["id"])
    assert reward is not None
    return reward


async def _bring_to(order: asyncpg.Record, reward: asyncpg.Record, target: int) -> None:
    delta = target - reward["standing"]
    if delta:
        expense = AccountName("store", order["store_id"], "reward_expense", reward["currency"])
        credit = AccountName("customer", reward["customer_id"], "store_credit", reward["currency"])
        kind, reason = ("accrue", "friend_reward") if delta > 0 else ("reduce", "order_changed")
        legs = [Leg(expense, delta), Leg(credit, -delta)]
        await post(kind, "friend_reward", reward["id"], reward["postings"] + 1, legs, reason=reason)
        gift = msgspec.convert(reward["how"], Friend)
        active_at = reward["created_at"] + timedelta(days=gift.wait_days)
        await lots.grant(
            f"friend_reward:{reward['id']}",
            store_id=order["store_id"],
            customer_id=reward["customer_id"],
            currency=reward["currency"],
            amount=target,
            active_at=active_at,
            expires_at=active_at + timedelta(days=gift.days) if gift.days else None,
        )
