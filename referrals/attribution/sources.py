"""Where touches come from, for many orders at once: rows with `order_id`, `via`, `member_id`, `at` and more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg

from app import db
from referrals.clicks.queries import is_click
from referrals.codes.spelling import norm_of
from referrals.links.closures import WAS_OFF
from referrals.programs.policy import Policy

MOST_CLICKS = 100
MOST_CODES = 10
INVITE_CONFIDENCE = 60
# Below what a programme asks for unless it says otherwise (Policy.min_confidence): nobody proves a number.
PHONE_CONFIDENCE = 40
# Judged at the moment of the order, not now: a later decision must not undo an earlier one. A store's clock may run
# ahead; what happens between now and then must not undo it either.
_THEN = "least(t.ordered_at, t.heard_at)"
_SUSPENDED = f"""EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = m.id AND s.created_at <= {_THEN}
                  AND (s.until IS NULL OR s.until > {_THEN})
                  AND (s.lifted_at IS NULL OR s.lifted_at > {_THEN})) AS suspended"""
_CHANNEL = """CASE WHEN d.id IS NOT NULL THEN 'deferred' WHEN ck.trigger IN ('qr', 'embed') THEN ck.trigger
                  ELSE 'click' END AS channel"""
_CLICK = f"""ck.id AS click_id, ck.kind, ck.occurred_at AS at, ck.link_id, l.owner_id AS member_id,
             l.store_id AS link_store_id, m.email, cc.member_id AS claimed_by,
             coalesce(d.confidence, 100) AS confidence,
             {_CHANNEL},
             ({WAS_OFF.format(link="l.id", at=_THEN)} OR ck.blocked <> '') AS link_closed, {_SUSPENDED}"""
_LINKED = """JOIN link l ON l.id = ck.link_id JOIN member m ON m.id = l.owner_id
             LEFT JOIN deferred_match d ON d.click_id = ck.id AND d.matched_at <= t.heard_at"""


class Asked(Protocol):
    """An order that facts are asked about."""

    order: asyncpg.Record
    policy: Policy
    model: str
    window: timedelta
    program_id: int
    current: asyncpg.Record | None

    @property
    def id(self) -> int: ...
    @property
    def ordered_at(self) -> datetime: ...


async def hints_of(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The decision in force on each order, a person's override, and whether further questions are worth asking."""
    return await db.fetch(
        """SELECT o.id AS order_id, a.id, a.version, a.program_version_id, a.winner_id, a.link_id, a.click_id, a.rule,
                  a.candidates, a.shares, a.decided_at,
                  v.decided_at AS override_at, v.winner_id AS override_winner_id, m.email AS override_email,
                  c.email_hmac <> '' AND EXISTS (SELECT 1 FROM invite i WHERE i.email_hmac = c.email_hmac)
                  AS was_invited,
                  o.phone_hmac <> '' AND EXISTS (SELECT 1 FROM phone_invite i WHERE i.phone_hmac = o.phone_hmac
                                                    AND i.accepted_at IS NOT NULL) AS was_called,
                  EXISTS (SELECT 1 FROM conversion k WHERE k.store_id = o.store_id AND k.order_external_id <> ''
                             AND k.order_external_id = o.external_id)
                  OR EXISTS (SELECT 1 FROM conversion k WHERE k.store_id = o.store_id AND k.customer_external_id <> ''
                             AND k.customer_external_id = c.external_id) AS was_told_of
             FROM orders o
             LEFT JOIN customer c ON c.id = o.customer_id
             LEFT JOIN LATERAL (SELECT * FROM attribution WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
             LEFT JOIN attribution_override v ON v.order_id = o.id AND v.state = 'in_force'
             LEFT JOIN member m ON m.id = v.winner_id
            WHERE o.id = ANY($1::bigint[])""",
        [case.id for case in cases],
    )


async def history_of(cases: Sequence[Asked]) -> dict[int, asyncpg.Record]:
    """When the buyer of each order last bought at this store before; `last_at` is null for their first order."""
    if not cases:
        return {}
    rows = await db.fetch(
        """SELECT t.order_id, max(coalesce(p.placed_at, p.paid_at, p.created_at)) AS last_at
             FROM unnest($1::bigint[], $2::timestamptz[]) AS t (order_id, ordered_at)
             JOIN orders o ON o.id = t.order_id
             LEFT JOIN customer c ON c.id = o.customer_id
             LEFT JOIN customer same ON same.store_id = o.store_id
                   AND (same.id = c.id OR (same.email_hmac = c.email_hmac AND c.email_hmac <> ''))
             LEFT JOIN orders p ON p.customer_id = same.id AND p.paid_at IS NOT NULL AND p.id <> o.id
                   AND (coalesce(p.placed_at, p.paid_at, p.created_at), p.id) < (t.ordered_at, o.id)
            GROUP BY t.order_id""",
        [case.id for case in cases],
        [case.ordered_at for case in cases],
    )
    return {row["order_id"]: row for row in rows}


async def carried_clicks(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The click that travelled with each order."""
    cases = [case for case in cases if case.order["gv"] is not None]
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'carried' AS via, ck.occurred_at > t.heard_at AS is_too_late, {_CLICK}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::uuid[])
                   AS t (order_id, ordered_at, heard_at, gv)
              JOIN click ck ON {is_click("ck", "t.gv")} {_LINKED} LEFT JOIN click_claim cc ON cc.click_id = ck.id""",
        *_times(cases),
        [case.order["gv"] for case in cases],
    )


async def claimed_clicks(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The clicks each buyer claimed, those within the window first, and some that came too early or too late.

    The scan of a printed code that hangs somewhere, and did not travel with the order, is a weaker kind.
    """
    cases = [case for case in cases if case.order["buyer_id"] is not None]
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, few.* FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[],
                   $5::interval[], $6::bool[]) AS t (order_id, ordered_at, heard_at, buyer_id, span, earliest_first)
             CROSS JOIN LATERAL (
                  SELECT CASE WHEN ck.trigger = 'qr' AND lp.id IS NOT NULL THEN 'placement' ELSE 'claimed' END AS via,
                         {_CLICK}
                    FROM click_claim cc JOIN click ck ON {is_click("ck", "cc.click_id")} {_LINKED}
                    LEFT JOIN link_placement lp ON lp.link_id = l.id AND lp.created_at <= t.heard_at
                   WHERE cc.member_id = t.buyer_id AND ck.occurred_at > t.ordered_at - 2 * t.span
                   ORDER BY ck.occurred_at BETWEEN t.ordered_at - t.span AND t.ordered_at DESC,
                            CASE WHEN t.earliest_first THEN ck.occurred_at END, ck.occurred_at DESC, ck.id
                   LIMIT {MOST_CLICKS}) few""",
        *_times(cases),
        [case.order["buyer_id"] for case in cases],
        [longest_window(case) for case in cases],
        [case.model == "first" for case in cases],
    )


def longest_window(case: Asked) -> timedelta:
    return max([case.window, *(timedelta(days=days) for days in case.policy.windows.values())])


async def told_clicks(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """Clicks that the shop's server told of: for the very order, or for its customer."""
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, few.* FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[])
                   AS t (order_id, ordered_at, heard_at)
              JOIN orders o ON o.id = t.order_id LEFT JOIN customer c ON c.id = o.customer_id
             CROSS JOIN LATERAL (
                  SELECT CASE WHEN k.order_external_id = o.external_id THEN 's2s_order' ELSE 's2s_customer' END AS via,
                         ck.occurred_at > t.heard_at AS is_too_late, {_CLICK.replace(_CHANNEL, "'s2s' AS channel")}
                    FROM conversion k JOIN click ck ON {is_click("ck", "k.click_id")} {_LINKED}
                    LEFT JOIN click_claim cc ON cc.click_id = ck.id
                   WHERE k.store_id = o.store_id
                     AND (k.order_external_id = o.external_id
                          OR (k.order_external_id = '' AND k.customer_external_id <> ''
                              AND k.customer_external_id = c.external_id))
                   ORDER BY ck.occurred_at DESC, k.id LIMIT {MOST_CLICKS}) few""",
        *_times(cases),
    )


async def signups(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """Who brought each buyer to the community."""
    cases = [case for case in cases if case.order["buyer_id"] is not None]
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'signup' AS via, r.referrer_id AS member_id, r.created_at AS at, m.email, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[])
                   AS t (order_id, ordered_at, heard_at, buyer_id)
              JOIN signup_referral r ON r.member_id = t.buyer_id JOIN member m ON m.id = r.referrer_id""",
        *_times(cases),
        [case.order["buyer_id"] for case in cases],
    )


async def codes_on(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The codes of the programme that each order carried, as they stood then.

    Known by its use as well: whoever erases a member renames their codes.
    """
    asked = [(case, norm) for case in cases for norm in _norms(case.order["codes"])]
    if not asked:
        return []
    return await db.fetch(
        f"""SELECT DISTINCT ON (t.order_id, c.id) t.order_id, c.id::text AS code, t.ordered_at AS at,
                   c.owner_id AS member_id, m.email,
                   'code' AS channel, c.created_at > t.heard_at AS is_too_late,
                   CASE WHEN c.leaked_at <= t.heard_at THEN 'leaked_code' ELSE c.kind || '_code' END AS via,
                   CASE WHEN c.valid_from > t.ordered_at OR c.valid_until <= t.ordered_at
                             OR c.disabled_at <= {_THEN} THEN 'code_not_valid'
                        WHEN u.refusal <> '' THEN 'code_used_up' ELSE '' END AS refusal, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::text[])
                   AS t (order_id, ordered_at, heard_at, program_id, norm)
              JOIN LATERAL (
                   SELECT * FROM code WHERE program_id = t.program_id AND code_norm = t.norm
                   UNION ALL
                   SELECT used.* FROM code_use x JOIN code used ON used.id = x.code_id WHERE x.order_id = t.order_id
                   ) c ON true
              JOIN member m ON m.id = c.owner_id
              LEFT JOIN code_use u ON u.code_id = c.id AND u.order_id = t.order_id
             ORDER BY t.order_id, c.id""",
        *_times([case for case, _norm in asked]),
        [case.program_id for case, _norm in asked],
        [norm for _case, norm in asked],
    )


async def codes_entered(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """Friends' codes that each buyer typed in the community."""
    cases = [case for case in cases if case.order["buyer_id"] is not None]
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'entered_code' AS via, c.owner_id AS member_id, e.entered_at AS at, c.id::text AS code,
                   'code' AS channel, m.email, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                   AS t (order_id, ordered_at, heard_at, buyer_id, program_id)
              JOIN code_entry e ON e.member_id = t.buyer_id AND e.entered_at <= t.ordered_at
              JOIN code c ON c.id = e.code_id AND c.program_id = t.program_id
              JOIN member m ON m.id = c.owner_id""",
        *_times(cases),
        [case.order["buyer_id"] for case in cases],
        [case.program_id for case in cases],
    )


async def invites(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """Members who told a friend by e-mail, where the buyer's address is the friend's. Less sure than a click.

    Whoever was a customer before was nobody's to invite.
    """
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'invite' AS via, i.member_id, i.invited_at AS at, m.email, 'invite' AS channel,
                   {INVITE_CONFIDENCE} AS confidence, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS t (order_id, ordered_at, heard_at)
              JOIN orders o ON o.id = t.order_id JOIN customer c ON c.id = o.customer_id
              JOIN invite i ON i.email_hmac = c.email_hmac AND i.invited_at <= t.ordered_at
                   AND i.invited_at <= c.created_at
              JOIN member m ON m.id = i.member_id
             ORDER BY i.id LIMIT {MOST_CLICKS * 100}""",
        *_times(cases),
    )


async def phone_invites(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """Members whose friend said, before the order, that they were told, where the order names the friend's number.

    A number that an order had named before is nobody's to invite, and one that two members' friends claim is nobody's.
    """
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'phone_invite' AS via, i.member_id, i.accepted_at AS at, m.email, 'invite' AS channel,
                   {PHONE_CONFIDENCE} AS confidence, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS t (order_id, ordered_at, heard_at)
              JOIN orders o ON o.id = t.order_id LEFT JOIN customer c ON c.id = o.customer_id
              JOIN phone_invite i ON i.phone_hmac = o.phone_hmac AND i.accepted_at <= {_THEN} AND NOT i.was_known
                   AND (c.id IS NULL OR i.invited_at <= c.created_at)
              JOIN member m ON m.id = i.member_id
             WHERE NOT EXISTS (SELECT 1 FROM phone_invite other WHERE other.phone_hmac = i.phone_hmac
                                  AND other.member_id <> i.member_id AND other.accepted_at <= {_THEN})
             ORDER BY i.id""",
        *_times(cases),
    )


async def binds(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The first and the last who led each buyer to this store: by a claimed click of any age, or by an order before."""
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'bind' AS via, few.at, few.kind, few.link_store_id, few.claimed_by, few.link_closed,
                   m.id AS member_id, m.email, {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bool[])
                   AS t (order_id, ordered_at, heard_at, earliest_first)
              JOIN orders o ON o.id = t.order_id LEFT JOIN customer c ON c.id = o.customer_id
             CROSS JOIN LATERAL (
                  SELECT ck.occurred_at AS at, ck.kind, l.owner_id, l.store_id AS link_store_id,
                         cc.member_id AS claimed_by,
                         ({WAS_OFF.format(link="l.id", at="ck.occurred_at")} OR ck.blocked <> '') AS link_closed
                    FROM (SELECT click_id FROM click_claim WHERE member_id = c.member_id
                          UNION SELECT p.gv FROM orders p
                           WHERE p.customer_id = c.id AND p.gv IS NOT NULL AND p.paid_at IS NOT NULL AND p.id <> o.id
                             AND coalesce(p.placed_at, p.paid_at, p.created_at) < t.ordered_at) known
                    JOIN click ck ON {is_click("ck", "known.click_id")} JOIN link l ON l.id = ck.link_id
                    LEFT JOIN click_claim cc ON cc.click_id = ck.id
                   WHERE ck.occurred_at <= t.ordered_at AND ck.kind = 'human'
                     AND (l.store_id IS NULL OR l.store_id = o.store_id)
                   ORDER BY CASE WHEN t.earliest_first THEN ck.occurred_at END, ck.occurred_at DESC, ck.id
                   LIMIT {MOST_CLICKS}) few
              JOIN member m ON m.id = few.owner_id""",
        *_times(cases),
        [case.policy.bind == "first" for case in cases],
    )


async def houses(cases: Sequence[Asked]) -> list[asyncpg.Record]:
    """The member who is credited when nobody else is."""
    if not cases:
        return []
    return await db.fetch(
        f"""SELECT t.order_id, 'house' AS via, m.id AS member_id, t.ordered_at AS at, m.email, 'house' AS channel,
                   {_SUSPENDED}
              FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[])
                   AS t (order_id, ordered_at, heard_at, house_id)
              JOIN member m ON m.id = t.house_id""",
        *_times(cases),
        [case.policy.house_id for case in cases],
    )


def _times(cases: Sequence[Asked]) -> tuple[list[int], list[datetime], list[datetime]]:
    """Of each order: its id, when it was placed as the store says, and when we first heard of it."""
    return (
        [case.id for case in cases],
        [case.ordered_at for case in cases],
        [case.order["created_at"] for case in cases],
    )


def _norms(codes: Any) -> list[str]:
    given = [code for code in codes if isinstance(code, str)] if isinstance(codes, list) else []
    return sorted({norm for code in given if (norm := norm_of(code))})[:MOST_CODES]
