"""Who wrote what a path led through: the author of the guide, review or topic, the host of the room."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app import db
from referrals.attribution.shares import shares_of
from referrals.attribution.sources import Asked
from storefront.orders.fingerprints import mailbox_fingerprint

# Where a question was answered, the first who answered led on, not who asked. (Not the most thanked: thanks change,
# and a decision must come out the same whenever it is made.)
_WRITERS = """
WITH l AS (
  SELECT id, target_kind, target_id, NULL::timestamptz AS until FROM link WHERE id = ANY($1::bigint[])
   UNION ALL
  SELECT link_id, target_kind, target_id, until FROM link_former_target WHERE link_id = ANY($1::bigint[]))
SELECT l.id AS link_id, l.until, g.author_id AS member_id, 'author' AS role, g.created_at AS since
  FROM l JOIN guide g ON g.id = l.target_id WHERE l.target_kind = 'guide'
UNION ALL
SELECT l.id, l.until, r.author_id, 'author', r.created_at
  FROM l JOIN review r ON r.id = l.target_id
 WHERE l.target_kind = 'review' AND r.author_id IS NOT NULL
UNION ALL
SELECT l.id, l.until, t.author_id, 'author', t.created_at
  FROM l JOIN topic t ON t.id = l.target_id WHERE l.target_kind = 'topic'
UNION ALL
SELECT l.id, l.until, first.author_id, 'answerer', first.created_at
  FROM l JOIN topic t ON t.id = l.target_id
  JOIN LATERAL (
       SELECT p.author_id, p.created_at FROM post p
        WHERE t.kind = 'question' AND p.topic_id = t.id AND p.number > 1 AND p.author_id <> t.author_id
        ORDER BY p.number LIMIT 1) first ON true
 WHERE l.target_kind = 'topic'
UNION ALL
SELECT l.id, l.until, coalesce(e.host_id, g.owner_id), 'host', r.created_at
  FROM l JOIN room r ON r.id = l.target_id LEFT JOIN groups g ON g.id = r.group_id
  LEFT JOIN live_event e ON e.room_id = r.id
 WHERE l.target_kind = 'room' AND coalesce(e.host_id, g.owner_id) IS NOT NULL
UNION ALL
SELECT l.id, l.until, NULL, '', NULL FROM l"""

ERASED = "@erased.invalid"


async def helpers_of(
    cases: Sequence[Asked], found: Mapping[int, list[dict[str, Any]]]
) -> dict[tuple[int, int | None, datetime], tuple[int, str]]:
    """By order, link and moment of the visit: who helped and how. Not the buyer, and nobody who was suspended then."""
    sharing = [case for case in cases if any(case.policy.assist_bps.values())]
    links = sorted({row["link_id"] for case in sharing for row in found[case.id] if row.get("link_id")})
    if not links:
        return {}
    writers: dict[int, list[Any]] = {}
    for row in await db.fetch(f"{_WRITERS} ORDER BY link_id, since DESC", links):
        writers.setdefault(row["link_id"], []).append(row)
    people = await _people({row["member_id"] for rows in writers.values() for row in rows if row["member_id"]})
    helped: dict[tuple[int, int | None, datetime], tuple[int, str]] = {}
    for case in sharing:
        for row in found[case.id]:
            stood_there = _then(writers.get(row.get("link_id") or 0, []), row["at"])
            # What was written after the order did not lead to it.
            known = [one for one in stood_there if one["since"] <= case.ordered_at]
            if known and _may_help(case, people[known[0]["member_id"]]):
                helped[case.id, row["link_id"], row["at"]] = (known[0]["member_id"], known[0]["role"])
    return helped


def _then(writers: list[Any], at: datetime) -> list[Any]:
    """Who wrote what the link led to when it was followed: a link may lead elsewhere by now."""
    until = min((one["until"] for one in writers if one["until"] and one["until"] > at), default=None)
    return [one for one in writers if one["until"] == until and one["member_id"]]


async def _people(member_ids: set[int]) -> dict[int, dict[str, Any]]:
    rows = await db.fetch(
        """SELECT m.id, m.email, coalesce(jsonb_agg(jsonb_build_array(
                  extract(epoch FROM s.created_at), extract(epoch FROM s.until), extract(epoch FROM s.lifted_at)))
                  FILTER (WHERE s.id IS NOT NULL), '[]') AS suspensions
             FROM member m LEFT JOIN suspension s ON s.member_id = m.id
            WHERE m.id = ANY($1::bigint[]) GROUP BY m.id""",
        sorted(member_ids),
    )
    return {row["id"]: dict(row) for row in rows}


def _may_help(case: Asked, person: dict[str, Any]) -> bool:
    mailbox = case.order["buyer_mailbox"] or ""
    at = min(case.ordered_at, case.order["created_at"]).timestamp()
    if person["id"] == case.order["buyer_id"] or (mailbox and mailbox_fingerprint(person["email"]) == mailbox):
        return False
    if person["email"].endswith(ERASED) and case.current is not None:
        # Their address is gone, and with it the proof that they were the buyer: they keep the part they had, if any.
        return any(share.member_id == person["id"] for share in shares_of(case.current))
    return not any(
        begun <= at and (until is None or until > at) and (lifted is None or lifted > at)
        for begun, until, lifted in person["suspensions"]
    )
