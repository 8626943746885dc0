"""The other side: what the buyer of a referred order gets, as credit at the store. Granted in the transaction of the
commission, under the same rules, and taken back by the same refunds."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.money import share_of
from referrals.commissions.facts import buyers_of
from referrals.commissions.reckoning import Buyer, half_even, refusal_of_buyer
from referrals.credit import lots
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all
from referrals.programs.terms import Friend, terms_of

Asking = tuple[asyncpg.Record, Any, asyncpg.Record, Sequence[asyncpg.Record]]
"""An order with its decision, the rules it came under, and its lines."""


async def lock_buyers(orders: Sequence[tuple[asyncpg.Record, asyncpg.Record]]) -> None:
    """Of orders with their rules, before anything is posted: a buyer's credit is spent under their row, then the
    books' lock."""
    asking = [order for order, rules in orders if terms_of(rules).friend is not None]
    if asking:
        rewards = await _rewards_on([order["id"] for order in asking])
        theirs = [order["customer_id"] for order in asking] + [one["customer_id"] for one in rewards.values()]
        await lots.lock_customers(one for one in theirs if one)


async def bring_all(orders: Sequence[Asking]) -> None:
    """Post the difference between what each buyer's credit is and what it should be."""
    # An order keeps its version, so without a buyer's side there it never had one.
    asking = [one for one in orders if one[0]["customer_id"] is not None and terms_of(one[2]).friend is not None]
    if not asking:
        return
    rewards = await _rewards_on([order["id"] for order, *_ in asking])
    missing = [one for one in asking if one[0]["id"] not in rewards and one[1]["winner_id"] is not None]
    buyers = await buyers_of([one[0] for one in missing if terms_of(one[2]).pays_for != "every_order"])
    rewards |= await _open_all([one for one in missing if _is_due(one, buyers.get(one[0]["id"], Buyer()))])
    postings, grants = [], []
    for order, decision, _rules, lines in asking:
        if reward := rewards.get(order["id"]):
            base, net = _sums(lines)
            nothing_counts = order["cancelled_at"] or order["doubt"] or decision["winner_id"] is None
            target = 0 if nothing_counts else amount_for(msgspec.convert(reward["how"], Friend), base, net)
            if delta := target - reward["standing"]:
                postings.append(_posting(order, reward, delta))
                grants.append(_grant(order, reward, target))
    await post_all(postings)
    await lots.grant_all(grants)


def _is_due(asking: Asking, buyer: Buyer) -> bool:
    """Whether the buyer of an order that somebody is credited with, and that has no reward yet, gets one."""
    order, _decision, rules, lines = asking
    terms, (base, _net) = terms_of(rules), _sums(lines)
    friend = terms.friend
    if friend is None or not _is_in(friend, terms.currency, order["currency"]):
        return False
    if refusal_of_buyer(terms, buyer, order["placed_at"] or order["paid_at"]):
        return False
    return amount_for(friend, base, base) > 0


def _sums(lines: Sequence[asyncpg.Record]) -> tuple[int, int]:
    """What was bought, and what is left of it."""
    return sum(line["base"] for line in lines), sum(max(0, line["base"] - line["refunded"]) for line in lines)


def amount_for(friend: Friend, base: int, net: int) -> int:
    if friend.kind == "percent":
        return share_of(net, friend.rate_bps)
    return min(net, half_even(friend.amount * net, base)) if base else 0


def _is_in(friend: Friend, ours: str, theirs: str) -> bool:
    return friend.kind == "percent" or ours == theirs


async def _rewards_on(order_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    rows = await db.fetch(
        """SELECT f.*, posted.standing, posted.postings
             FROM friend_reward f
             LEFT JOIN LATERAL (
                  SELECT coalesce(sum(e.amount), 0)::bigint AS standing, coalesce(max(t.ref_seq), 0) AS postings
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'reward_expense'
                   WHERE t.ref_type = 'friend_reward' AND t.ref_id = f.id) posted ON true
            WHERE f.order_id = ANY($1::bigint[])""",
        order_ids,
    )
    return {row["order_id"]: row for row in rows}


async def _open_all(asking: Sequence[Asking]) -> dict[int, Mapping[str, Any]]:
    if not asking:
        return {}
    wanted = []
    for order, decision, rules, lines in asking:
        friend, (base, _net) = terms_of(rules).friend, _sums(lines)
        assert friend is not None
        how, granted = msgspec.json.encode(friend).decode(), amount_for(friend, base, base)
        version_id, at = decision["program_version_id"], decision["id"]
        wanted.append((order["id"], order["customer_id"], version_id, at, base, granted, order["currency"], how))
    rows = await db.fetch(
        """INSERT INTO friend_reward (order_id, customer_id, program_version_id, attribution_id, base, granted,
                                      currency, how, created_at)
           SELECT w.order_id, w.customer_id, w.version_id, w.attribution_id, w.base, w.granted, w.currency,
                  w.how::jsonb, $9
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::text[], $8::text[])
                  AS w (order_id, customer_id, version_id, attribution_id, base, granted, currency, how)
           RETURNING *""",
        *map(list, zip(*wanted, strict=True)),
        clock.now(),
    )
    return {row["order_id"]: {**row, "standing": 0, "postings": 0} for row in rows}


def _posting(order: asyncpg.Record, reward: Mapping[str, Any], delta: int) -> Posting:
    expense = AccountName("store", order["store_id"], "reward_expense", reward["currency"])
    credit = AccountName("customer", reward["customer_id"], "store_credit", reward["currency"])
    kind, reason = ("accrue", "friend_reward") if delta > 0 else ("reduce", "order_changed")
    legs = (Leg(expense, delta), Leg(credit, -delta))
    return Posting(kind, "friend_reward", reward["id"], reward["postings"] + 1, legs, reason)


def _grant(order: asyncpg.Record, reward: Mapping[str, Any], target: int) -> lots.Grant:
    gift = msgspec.convert(reward["how"], Friend)
    active_at = reward["created_at"] + timedelta(days=gift.wait_days)
    return lots.Grant(
        source=f"friend_reward:{reward['id']}",
        store_id=order["store_id"],
        customer_id=reward["customer_id"],
        currency=reward["currency"],
        amount=target,
        active_at=active_at,
        expires_at=active_at + timedelta(days=gift.days) if gift.days else None,
    )
