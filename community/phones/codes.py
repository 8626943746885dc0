"""Asking for a code: who may, to which number, how often. Messages cost money, and some numbers earn by every one.

How many went out is counted in the database, under one lock: a cache that is emptied must not open the tap.
"""

import secrets
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from app import clock, db, phone_numbers, sealed, sms
from app.auth import Viewer, require_member, sign
from app.errors import Conflict, Invalid, TooMany
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from community.phones.events import CodeWanted
from community.phones.owners import is_theirs
from community.sessions.tokens import rough_network_of

AREA = "phone"
GOOD_FOR = timedelta(seconds=sms.GOOD_FOR_SECONDS)
AGAIN_AFTER = timedelta(seconds=60)
A_DAY = timedelta(days=1)
# Of codes that went out, within 24 hours.
MOST_FOR_MEMBER, MOST_FOR_NUMBER, MOST_FROM_NETWORK = 5, 5, 20
MOST_TO_ONE, MOST_FOR_NEWCOMER = 2, 2
"""Of one member to one number, so that nobody alone keeps its owner waiting; and of one who came within the day."""
MOST_ASKED = 20
"""Also of those that could not be sent."""


def way() -> Literal["", "shown", "sent"]:
    """How a code gets to a member: by a message, in a demo on the page itself, or not at all."""
    if sms.is_set_up():
        return "sent"
    return "shown" if not settings().sms_url and not settings().is_production else ""


async def ask(viewer: Viewer, number: str, *, address: str) -> int:
    """Have a code sent to a number; the code's id. The answer is the same whether somebody has proven it or nobody:
    only who reads its messages is told."""
    member_id = require_member(viewer)
    await limit("phone-code", member_id, most=MOST_ASKED, per=86_400)
    digits = phone_numbers.digits_of(number)
    if not way():
        raise Invalid("number", _("This community cannot send messages to phones yet."))
    if not digits:
        raise Invalid("number", _("The whole number, please, with its country: +49 171 1234567."))
    if way() == "sent" and not sms.may_reach(digits):
        raise Invalid("number", _("No messages go to this country from here."))
    fingerprint, now = phone_numbers.fingerprint(digits), clock.now()
    # Where nobody knows from where they ask, they are not all of one network.
    known = rough_network_of(address)
    network = sign("network", known) if known else ""
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('phone codes', 0))")
        if await is_theirs(member_id, fingerprint):
            raise Conflict(_("This number is proven already: it is yours."))
        await _expect_room(member_id, fingerprint, network, now)
        await db.execute(
            "UPDATE phone_code SET state = 'replaced' WHERE member_id = $1 AND state IN ('asked', 'sent')", member_id
        )
        code_id: int = await db.fetch_val(
            """INSERT INTO phone_code (member_id, sealed, hint, fingerprint, network_hmac, nonce, state, sends, guesses,
                                       asked_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9) RETURNING id""",
            member_id,
            sealed.seal(AREA, str(member_id), {"digits": digits}),
            phone_numbers.masked(digits),
            fingerprint,
            network,
            secrets.token_hex(16),
            "asked" if way() == "sent" else "sent",
            now,
            now + GOOD_FOR,
        )
        if way() == "sent":
            await publish(CodeWanted(member_id=member_id, code_id=code_id), actor_id=member_id)
    return code_id


def code_of(row: asyncpg.Record) -> str:
    """The six digits: only this server can tell them, and it keeps them nowhere."""
    drawn = int(sign("phone-code", f"{row['id']} {row['nonce']}")[:15], 16)
    return f"{drawn % 1_000_000:06d}"


def digits_in(row: asyncpg.Record) -> str:
    return sealed.unseal(AREA, str(row["member_id"]), row["sealed"]).get("digits", "")


async def _expect_room(member_id: int, fingerprint: str, network: str, now: datetime) -> None:
    """Raise TooMany where one more message would be one too many, for whichever reason."""
    counts = await db.fetch_one(
        """SELECT max(asked_at) FILTER (WHERE member_id = $1) AS latest, count(*) AS all,
                  count(*) FILTER (WHERE member_id = $1) AS member, count(*) FILTER (WHERE fingerprint = $2) AS number,
                  count(*) FILTER (WHERE member_id = $1 AND fingerprint = $2) AS one_to_one,
                  count(*) FILTER (WHERE network_hmac = $3 AND $3 <> '') AS network,
                  (SELECT created_at > $4 FROM member WHERE id = $1) AS is_newcomer
             FROM phone_code WHERE asked_at > $4 AND state <> 'failed'""",
        member_id,
        fingerprint,
        network,
        now - A_DAY,
    )
    assert counts is not None
    if counts["latest"] and counts["latest"] > now - AGAIN_AFTER:
        left = counts["latest"] + AGAIN_AFTER - now
        raise TooMany(
            _("A code is on its way to you. Give it a minute, then ask again."),
            retry_after=int(left.total_seconds()) + 1,
        )
    most = {
        "member": MOST_FOR_NEWCOMER if counts["is_newcomer"] else MOST_FOR_MEMBER,
        "one_to_one": MOST_TO_ONE,
        "number": MOST_FOR_NUMBER,
        "network": MOST_FROM_NETWORK,
        "all": settings().sms_a_day,
    }
    if any(counts[what] >= most[what] for what in most):
        raise TooMany(_("No more codes today. Please try again tomorrow."), retry_after=86_400)
