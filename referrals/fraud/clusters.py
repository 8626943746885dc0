"""Members who are perhaps one person, or one household: a graph of the signs they share, and what they earn inside it.

One sign that many people share (an address, a browser's hash behind one line, a number anybody may type) joins nobody;
two different ones do, and so does a card or a payout account. A fixed number of queries, however large the store.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from itertools import combinations
from typing import Any

import asyncpg

from app import db
from referrals.fraud.circles import A_QUARTER

# How much a shared sign says; two members are joined from JOINED on.
WEIGHTS = {"account": 2, "card": 2, "address": 1, "phone": 1, "browser": 1}
JOINED = 2
MOST_HOPS, MOST_MEMBERS = 3, 40
# What more members share is a place (an office, a campus, a parcel shop), not a household.
WIDEST = 8


async def cluster_of(subject: asyncpg.Record) -> dict[str, Any]:
    """When the buyer is in the member's cluster: its size, its signs, and how many orders and sign-ups it has been
    paid for within itself in a quarter, this one included."""
    me, buyer = subject["member_id"], subject["buyer_id"]
    if buyer is None or buyer == me:
        return {}
    inside, signs = await _around(me, subject)
    if buyer not in inside:
        return {}
    return {
        "cluster": f"cluster:{','.join(map(str, sorted(inside)))}",
        "cluster_members": len(inside),
        "cluster_signs": dict(sorted(signs.items())),
        "cluster_orders": await _earned_inside(inside, subject),
    }


async def _around(member_id: int, subject: asyncpg.Record) -> tuple[set[int], Counter[str]]:
    """Everybody joined to a member, over at most three hops, and how many signs of each kind join them."""
    inside, pairs, signs = {member_id}, defaultdict[tuple[int, int], dict[tuple[str, str], int]](dict), Counter[str]()
    for _hop in range(MOST_HOPS):
        for row in await _shared_by(inside, subject):
            for pair in combinations(sorted(row["members"]), 2):
                pairs[pair][row["kind"], row["sign"]] = WEIGHTS[row["kind"]]
        joined = {pair for pair, shared in pairs.items() if sum(shared.values()) >= JOINED}
        further = {one for pair in joined if inside & set(pair) for one in pair} - inside
        if not further or len(inside) >= MOST_MEMBERS:
            break
        inside |= set(sorted(further)[: MOST_MEMBERS - len(inside)])
    seen = {sign for pair, shared in pairs.items() if pair in joined and set(pair) <= inside for sign in shared}
    signs.update(kind for kind, _sign in seen)
    return inside, signs


async def _shared_by(members: Collection[int], subject: asyncpg.Record) -> list[asyncpg.Record]:
    """Each sign of these members that others have as well, with everybody who has it."""
    return await db.fetch(
        f"""WITH bought AS (
               SELECT o.address_hmac, o.instrument_hmac, o.phone_hmac
                 FROM customer cu JOIN orders o ON o.customer_id = cu.id WHERE cu.member_id = ANY($1::bigint[])),
           own (kind, sign) AS (
               SELECT 'browser', visitor_day_hash FROM member_visitor
                WHERE member_id = ANY($1) AND day > ($2::timestamptz - $3::interval)::date
               UNION SELECT 'account', fingerprint FROM payout_method WHERE member_id = ANY($1)
               UNION SELECT 'address', address_hmac FROM bought
               UNION SELECT 'card', instrument_hmac FROM bought
               UNION SELECT 'phone', phone_hmac FROM bought
               UNION SELECT 'phone', fingerprint FROM member_phone WHERE member_id = ANY($1)
               UNION SELECT 'phone', fingerprint FROM phone_code WHERE member_id = ANY($1) AND state = 'used'),
           held AS (
               SELECT own.kind, own.sign, v.member_id
                 FROM own JOIN member_visitor v ON v.visitor_day_hash = own.sign WHERE own.kind = 'browser'
               UNION SELECT own.kind, own.sign, m.member_id
                 FROM own JOIN payout_method m ON m.fingerprint = own.sign WHERE own.kind = 'account'
               UNION SELECT own.kind, own.sign, cu.member_id
                 FROM own JOIN orders o ON o.address_hmac = own.sign AND o.address_hmac <> ''
                 JOIN customer cu ON cu.id = o.customer_id WHERE own.kind = 'address'
               UNION SELECT own.kind, own.sign, cu.member_id
                 FROM own JOIN orders o ON o.instrument_hmac = own.sign AND o.instrument_hmac <> ''
                 JOIN customer cu ON cu.id = o.customer_id WHERE own.kind = 'card'
               UNION SELECT own.kind, own.sign, cu.member_id
                 FROM own JOIN orders o ON o.phone_hmac = own.sign AND o.phone_hmac <> ''
                 JOIN customer cu ON cu.id = o.customer_id WHERE own.kind = 'phone'
               UNION SELECT own.kind, own.sign, m.member_id
                 FROM own JOIN member_phone m ON m.fingerprint = own.sign WHERE own.kind = 'phone'
               UNION SELECT own.kind, own.sign, m.member_id
                 FROM own JOIN phone_code m ON m.fingerprint = own.sign AND m.state = 'used' WHERE own.kind = 'phone')
           SELECT kind, sign, array_agg(member_id ORDER BY member_id) AS members
             FROM held WHERE sign <> '' AND member_id IS NOT NULL
            GROUP BY kind, sign HAVING count(*) BETWEEN 2 AND {WIDEST}""",
        list(members),
        subject["created_at"],
        A_QUARTER,
    )


async def _earned_inside(inside: Collection[int], subject: asyncpg.Record) -> int:
    """Orders of members of the cluster, and sign-ups of them, that members of it were credited for up to this one."""
    return await db.fetch_val(
        """SELECT count(DISTINCT coalesce('order:' || c.order_id, c.source)) FROM commission c
             JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
             LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN customer cu ON cu.id = o.customer_id
            WHERE c.member_id = ANY($1::bigint[]) AND p.store_id = $2 AND c.id <= $3
              AND c.created_at > $4::timestamptz - $5::interval
              AND CASE WHEN c.source LIKE 'activation:%' THEN split_part(c.source, ':', 2)::bigint
                       ELSE cu.member_id END = ANY($1)
              AND (cu.member_id IS NULL OR cu.member_id <> c.member_id)""",
        list(inside),
        subject["store_id"],
        subject["id"],
        subject["created_at"],
        A_QUARTER,
    )
