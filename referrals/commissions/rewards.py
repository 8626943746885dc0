"""What is earned without an order: an active new member, a conversion a store tells of, an approved bounty, a month's
volume. Each has a `source` that is once for ever; holds, screening, limits and payouts are those of any commission."""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.events import publish
from app.money import LARGEST_AMOUNT, share_of
from community.phones.owners import ever_theirs
from referrals.clicks.service import is_same_person
from referrals.commissions import limits
from referrals.commissions.events import CommissionEarned
from referrals.commissions.postings import Step, bring_all, note_steps, take
from referrals.commissions.reckoning import How, wait_for
from referrals.commissions.standing import lock_commissions
from referrals.partners.queries import tier_of
from referrals.programs.terms import EventPay, Terms, terms_of
from storefront.orders.fingerprints import mailbox_fingerprint


async def grant(
    source: str,
    rules: asyncpg.Record,
    *,
    member_id: int,
    role: str,
    rule: str,
    amount: int,
    currency: str,
    reason: str,
    hold_from: datetime | None = None,
) -> int | None:
    """Grant an amount, or what the limits leave of it; the commission, or None when this source was granted before.

    `rules` is a row of `program_version`. The caller is in a transaction and has checked that it is deserved.
    """
    terms, now = terms_of(rules), clock.now()
    wait = wait_for(None, terms, await tier_of(rules["program_id"], member_id)) if terms.waits else None
    how = How(kind="flat", amount=amount, asked=amount, wait=wait)
    commission_id = await db.fetch_val(
        """INSERT INTO commission (source, member_id, role, program_version_id, base, rate_bps, granted, rule, how,
                                   currency, state, hold_until, created_at)
           VALUES ($1, $2, $3, $4, $5, 0, $5, $6, $7::jsonb, $8, 'pending', $9, $10)
           ON CONFLICT (source) DO NOTHING RETURNING id""",
        source,
        member_id,
        role,
        rules["id"],
        amount,
        rule,
        msgspec.json.encode(how).decode(),
        currency,
        (hold_from or now) + timedelta(days=wait.days if wait else rules["hold_days"]),
        now,
    )
    if commission_id is None:
        return None
    await note_steps([Step(commission_id, "", "pending", reason)])
    granted = amount
    if terms.budget or terms.caps.day or terms.caps.month:
        # Limits in one currency cannot watch over another.
        allowed = amount if terms.currency == currency else 0
        fresh = [limits.Fresh(commission_id, member_id, "")]
        heights = await limits.watch(fresh, rules["program_id"], terms, None)
        granted = (await limits.reserve([limits.Claim(commission_id, allowed, 0)], heights))[commission_id]
        await db.execute("UPDATE commission SET granted = $2 WHERE id = $1", commission_id, granted)
    if granted:
        await publish(CommissionEarned(commission_id=commission_id, member_id=member_id, order_id=None))
        await bring_all([(one, granted, reason) for one in await lock_commissions([commission_id])])
    else:
        await take([Step(commission_id, "pending", "rejected", "limit_reached")])
    return int(commission_id)


async def take_back(source: str, reason: str) -> None:
    """It turned out not to be deserved: everything of it goes back, from wherever it lies."""
    async with db.transaction():
        commission_id = await db.fetch_val("SELECT id FROM commission WHERE source = $1", source)
        if commission_id is None:
            return
        rows = await lock_commissions([commission_id])
        await limits.reserve([limits.Claim(one["id"], 0, one["reserved"]) for one in rows if one["reserved"]])
        await bring_all([(one, 0, reason) for one in rows])


# --- a new member who became active ----------------------------------------------------------------------------


async def consider_activation(member_id: int) -> None:
    """Pay whoever brought a member here, once: when they have proven what the rules ask for and done something useful,
    whichever comes last."""
    async with db.transaction():
        found = await db.fetch_one(
            f"""SELECT r.referrer_id, r.click_id, m.email_proven_at IS NOT NULL AS email,
                      coalesce(p.fingerprint, '') AS phone,
                      {ever_theirs("r.referrer_id", "p.fingerprint")} AS is_referrers_phone
                 FROM signup_referral r JOIN member m ON m.id = r.member_id
                 LEFT JOIN member_phone p ON p.member_id = r.member_id
                WHERE r.member_id = $1
                  AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id IN (r.member_id, r.referrer_id)
                                     AND s.lifted_at IS NULL AND (s.until IS NULL OR s.until > $2))
                  AND EXISTS (
                      SELECT 1 FROM (SELECT 'review' AS kind, id FROM review WHERE author_id = r.member_id
                                     UNION ALL SELECT 'post', id FROM post WHERE author_id = r.member_id
                                     UNION ALL SELECT 'answer', id FROM answer WHERE author_id = r.member_id) did
                       WHERE NOT EXISTS (SELECT 1 FROM hiding h
                                          WHERE h.subject_kind = did.kind AND h.subject_id = did.id))""",
            member_id,
            clock.now(),
        )
        rules = await _rules_for_click(found["click_id"]) if found else None
        if found is None or rules is None or await is_same_person(member_id, found["referrer_id"]):
            return
        terms = terms_of(rules)
        if found["is_referrers_phone"] or not _has_proven(terms, found):
            return
        if not await _counts_first(member_id, found["phone"]):
            return
        await grant(
            f"activation:{member_id}",
            rules,
            member_id=found["referrer_id"],
            role="inviter",
            rule="activation",
            amount=terms.activation,
            currency=terms.currency,
            reason="activated",
        )
        # Where the limits left nothing, nobody was paid with it.
        await db.execute(
            """DELETE FROM rewarded_phone WHERE fingerprint = $1 AND member_id = $2
                  AND NOT EXISTS (SELECT 1 FROM commission WHERE source = $3 AND granted > 0)""",
            found["phone"],
            member_id,
            f"activation:{member_id}",
        )


def _has_proven(terms: Terms, found: asyncpg.Record) -> bool:
    if terms.activation_needs == "email":
        return bool(found["email"])
    return bool(found["phone"]) and (terms.activation_needs == "phone" or found["email"])


async def _counts_first(member_id: int, phone: str) -> bool:
    """A number counts for the first member who was paid for with it, also after it has moved to another account."""
    if not phone:
        return True
    holder = await db.fetch_val(
        """WITH mine AS (INSERT INTO rewarded_phone (fingerprint, member_id, at) VALUES ($1, $2, $3)
                         ON CONFLICT (fingerprint) DO NOTHING RETURNING member_id)
           SELECT member_id FROM mine UNION ALL SELECT member_id FROM rewarded_phone WHERE fingerprint = $1 LIMIT 1""",
        phone,
        member_id,
        clock.now(),
    )
    return bool(holder == member_id)


async def _rules_for_click(click_id: object) -> asyncpg.Record | None:
    """The rules in force that pay for an active member: of the store whose link was followed, or the only ones."""
    rows = await db.fetch(
        """SELECT v.*, p.store_id FROM program p
             JOIN LATERAL (SELECT * FROM program_version WHERE program_id = p.id
                            ORDER BY version DESC LIMIT 1) v ON true
            WHERE (v.terms ->> 'activation')::bigint > 0 ORDER BY p.id LIMIT 100"""
    )
    if not rows:
        return None
    store_id = await db.fetch_val(
        "SELECT l.store_id FROM click k JOIN link l ON l.id = k.link_id WHERE k.id = $1", click_id
    )
    if store_id is not None:
        return next((row for row in rows if row["store_id"] == store_id), None)
    return rows[0] if len(rows) == 1 else None


# --- conversions -----------------------------------------------------------------------------------------------


async def pay_conversion(conversion_id: int) -> None:
    """What a store's server told of a click pays the link's owner, when the rules name it."""
    async with db.transaction():
        found = await db.fetch_one(
            """SELECT k.*, l.owner_id, l.store_id AS link_store_id, ck.kind AS click_kind, ck.occurred_at AS clicked_at,
                      m.email AS owner_email, coalesce(c.mailbox_hmac, '') AS customer_mailbox,
                      l.owner_id IN (c.member_id, cc.member_id) AS is_own,
                      ck.blocked <> '' OR coalesce(l.disabled_at <= k.occurred_at, false) AS is_closed,
                      EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = l.owner_id AND s.lifted_at IS NULL
                                 AND (s.until IS NULL OR s.until > $2)) AS is_suspended
                 FROM conversion k JOIN click ck ON ck.id = k.click_id JOIN link l ON l.id = ck.link_id
                 JOIN member m ON m.id = l.owner_id
                 LEFT JOIN click_claim cc ON cc.click_id = ck.id
                 LEFT JOIN customer c ON c.store_id = k.store_id AND c.external_id = k.customer_external_id
                WHERE k.id = $1 AND k.order_external_id = ''""",
            conversion_id,
            clock.now(),
        )
        if found is None or found["click_kind"] != "human" or found["link_store_id"] not in (None, found["store_id"]):
            return
        rules = await db.fetch_one(
            """SELECT v.* FROM program p JOIN program_version v ON v.program_id = p.id
                WHERE p.store_id = $1 AND v.published_at <= $2 ORDER BY v.version DESC LIMIT 1""",
            found["store_id"],
            found["created_at"],
        )
        if rules is None or found["is_closed"] or found["is_suspended"] or _is_ones_own(found):
            return
        terms = terms_of(rules)
        pay = next((one for one in terms.events if one.name == found["kind"]), None)
        is_old = found["occurred_at"] - found["clicked_at"] > timedelta(days=rules["window_days"])
        if pay is None or is_old or found["occurred_at"] < found["clicked_at"] - timedelta(minutes=5):
            return
        amount, currency = conversion_pays(pay, found["quantity"], found["value"], found["currency"], terms.currency)
        # Sums of sums have to fit the books: what nobody could mean is not paid.
        if 0 < amount <= LARGEST_AMOUNT:
            await grant(
                f"conversion:{conversion_id}",
                rules,
                member_id=found["owner_id"],
                role="sharer",
                rule=pay.name,
                amount=amount,
                currency=currency,
                reason="lead",
            )


def _is_ones_own(found: asyncpg.Record) -> bool:
    """The customer is the link's owner, shares their mailbox, or sat where the owner was signed in."""
    mailbox = found["customer_mailbox"]
    return bool(found["is_own"]) or (bool(mailbox) and mailbox == mailbox_fingerprint(found["owner_email"]))


def conversion_pays(pay: EventPay, quantity: int, value: int | None, theirs: str, ours: str) -> tuple[int, str]:
    if pay.kind == "percent":
        return share_of(value or 0, pay.rate_bps), theirs
    return pay.amount * quantity, ours
