"""Whose phone it is: theirs who type the code that was sent to it. One number proves one account."""

import hmac

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Gone, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.i18n import ngettext
from app.limits import limit
from community.phones.codes import code_of
from community.phones.events import PhoneProven, PhoneRemoved
from community.phones.owners import is_theirs

MOST_GUESSES = 5


class NumberTaken(Conflict):
    """This number proves another account already."""

    type = "number-taken"
    title = "Proven elsewhere"


async def prove(viewer: Viewer, typed: str) -> None:
    """The number that the code was sent to is the member's own from now on. Announces PhoneProven, once."""
    member_id = require_member(viewer)
    await limit("phone-guess", member_id, most=60, per=3600)
    typed = "".join(sign for sign in typed if sign.isdecimal() and sign.isascii())
    async with db.transaction():
        # What a wrong guess writes has to stay, so nothing is raised in here.
        said, left = await _try(member_id, typed)
    if said == "wrong":
        raise Invalid(
            "code",
            ngettext("This is not the code. %(n)s try is left.", "This is not the code. %(n)s tries are left.", left),
        )
    if said == "early":
        raise Invalid("code", _("The message has not gone out yet. Give it a moment."))
    if said == "over":
        raise Gone(_("This code is used up or too old. Ask for a new one."))
    if said == "taken":
        raise NumberTaken(_("This number proves another account already. Whoever has that one can remove it there."))


async def remove(viewer: Viewer) -> None:
    """It is no longer known whose it is. What was earned with its help stays."""
    member_id = require_member(viewer)
    async with db.transaction():
        gone = await db.fetch_one("DELETE FROM member_phone WHERE member_id = $1 RETURNING id, hint", member_id)
        if gone is None:
            raise NotFound()
        removed = PhoneRemoved(member_id=member_id, phone_id=gone["id"], hint=gone["hint"])
        await publish(removed, actor_id=member_id)


async def _try(member_id: int, typed: str) -> tuple[str, int]:
    """How a guess went, and how many are left. Guesses of one member come one after the other."""
    await db.execute("SELECT 1 FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id)
    row = await db.fetch_one("SELECT * FROM phone_code WHERE member_id = $1 ORDER BY id DESC LIMIT 1", member_id)
    if row is None or row["expires_at"] < clock.now():
        return "over", 0
    fits = hmac.compare_digest(typed.encode(), code_of(row).encode())
    if row["state"] == "used" and fits and await is_theirs(member_id, row["fingerprint"]):
        return "proven", 0  # the button was pressed twice
    if row["state"] == "asked":
        return "early", 0  # a number that no message went to proves nothing
    if row["state"] != "sent" or row["guesses"] >= MOST_GUESSES:
        return "over", 0
    if not fits:
        await db.execute("UPDATE phone_code SET guesses = guesses + 1 WHERE id = $1", row["id"])
        left = MOST_GUESSES - row["guesses"] - 1
        return ("wrong", left) if left else ("over", 0)
    await db.execute("UPDATE phone_code SET state = 'used' WHERE id = $1", row["id"])
    try:
        async with db.savepoint():
            await _keep(row)
    except asyncpg.UniqueViolationError:
        return "taken", 0
    proven = PhoneProven(member_id=member_id, code_id=row["id"], hint=row["hint"])
    await publish(proven, actor_id=member_id)
    return "proven", 0


async def _keep(row: asyncpg.Record) -> None:
    await db.execute(
        """INSERT INTO member_phone (member_id, sealed, hint, fingerprint, proven_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (member_id) DO UPDATE SET sealed = excluded.sealed, hint = excluded.hint,
               fingerprint = excluded.fingerprint, proven_at = excluded.proven_at""",
        row["member_id"],
        row["sealed"],
        row["hint"],
        row["fingerprint"],
        clock.now(),
    )
