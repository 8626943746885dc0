"""A member tells a friend by phone. The message goes out by the member's own hand; we keep a keyed hash of the number.

Nothing proves a number here: neither who has it, nor, at a shop, who typed it. So it says nothing about who somebody is
(no purchase becomes a member's by it), and credit by it is the least sure of all: 40 %, where programmes ask for 50 %
unless their owner says otherwise. And it takes the friend: whoever got the message opens it and says who told them.
"""

import secrets
from urllib.parse import quote

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member, sign
from app.disclosure import sentence
from app.errors import Conflict, Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from community.phones.owners import was_ever_theirs
from referrals.attribution.invites import MOST_A_DAY
from referrals.attribution.schemas import ReadyMessage
from referrals.clicks.service import is_same_person
from storefront.orders.fingerprints import phone_fingerprint


async def invite(viewer: Viewer, phone: str) -> ReadyMessage:
    """Make the message for a friend. The answer never tells whether the number was known."""
    member_id = require_member(viewer)
    await limit("invite", member_id, most=MOST_A_DAY, per=86_400)
    digits = "".join(sign_ for sign_ in phone if sign_.isdecimal() and sign_.isascii())
    number = phone_fingerprint(phone)
    if not number:
        raise Invalid("phone", _("The whole number, please, with its country: +49 171 1234567."))
    if await was_ever_theirs(member_id, number):
        raise Invalid("phone", _("This is your own number."))
    token = secrets.token_urlsafe(16)
    made = await db.fetch_val(
        """INSERT INTO phone_invite AS i (member_id, phone_hmac, token_hmac, was_known, invited_at)
           VALUES ($1, $2, $3, EXISTS (SELECT 1 FROM orders WHERE phone_hmac = $2), $4)
           ON CONFLICT (member_id, phone_hmac) DO UPDATE SET token_hmac = excluded.token_hmac
            WHERE i.accepted_at IS NULL RETURNING id""",
        member_id,
        number,
        _kept(token),
        clock.now(),
    )
    if made is None:
        raise Conflict(_("They have said already that you told them."))
    url = f"{settings().base_url}/told/{token}"
    text = _("I thought you might like this: %(url)s", url=url) + " " + sentence()
    international = digits.removeprefix("00")
    return ReadyMessage(
        url,
        text,
        f"https://wa.me/{international}?text={quote(text, safe='')}",
        f"sms:+{international}?&body={quote(text, safe='')}",
    )


async def invitation_by(token: str) -> asyncpg.Record:
    """Whose message it was, for whoever opens it."""
    row = await db.fetch_one(
        """SELECT i.*, m.handle, m.name,
                  (SELECT code FROM link l WHERE l.owner_id = m.id AND l.target_kind = 'member'
                      AND l.disabled_at IS NULL ORDER BY l.id LIMIT 1) AS code
             FROM phone_invite i JOIN member m ON m.id = i.member_id WHERE i.token_hmac = $1""",
        _kept(token),
    )
    if row is None or row["code"] is None:
        raise NotFound()
    return row


async def accept(viewer: Viewer, token: str, visitor: str) -> str:
    """The friend says who told them; the member's link, for them to go on by. `visitor`: this browser, today."""
    found = await invitation_by(token)
    member_id = found["member_id"]
    if viewer.member_id is not None and await is_same_person(viewer.member_id, member_id):
        raise Invalid("token", _("This is your own message. Your friend has to open it."))
    async with db.transaction():
        # One of a member's messages at a time, so that one browser speaks for one friend.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"phone-invite:{member_id}")
        await db.execute(
            """UPDATE phone_invite i SET accepted_at = $2, accepted_from = $3
                WHERE i.id = $1 AND i.accepted_at IS NULL
                  AND NOT EXISTS (SELECT 1 FROM member_visitor v
                                   WHERE v.member_id = i.member_id AND v.visitor_day_hash = $3)
                  AND NOT EXISTS (SELECT 1 FROM phone_invite other
                                   WHERE other.member_id = i.member_id AND other.accepted_from = $3)""",
            found["id"],
            clock.now(),
            visitor,
        )
    # Whether it counted is not said: who tries to say it for others learns nothing.
    return f"/r/{found['code']}"


def _kept(token: str) -> str:
    return sign("phone-invite", token)
