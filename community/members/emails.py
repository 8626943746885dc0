"""Whose e-mail it is: theirs who follow, signed in, a link that was sent to it. Anybody could have typed it."""

import hmac
from datetime import timedelta

from app import clock, db, mail
from app.auth import Viewer, require_member, sign
from app.errors import Gone, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from community.members.events import EmailProofWanted, EmailProven

GOOD_FOR = timedelta(hours=48)


async def ask_for_proof(viewer: Viewer) -> None:
    """Have the mail with the link sent, if the address is not proven yet."""
    member_id = require_member(viewer)
    await limit("email-proof", member_id, most=5, per=3600)
    if not mail.is_set_up():
        raise Invalid("email", _("This community cannot send mail yet."))
    async with db.transaction():
        await publish(EmailProofWanted(member_id=member_id), actor_id=member_id)


async def send_proof(member_id: int) -> None:
    row = await db.fetch_one("SELECT email, email_proven_at FROM member WHERE id = $1", member_id)
    if row is None or row["email_proven_at"] or not mail.is_set_up():
        return
    link = settings().base_url + address_of_proof(member_id, row["email"])
    await mail.send(
        row["email"],
        _("Is this your address?"),
        _("Open this link where you are signed in to show that this address is yours:")
        + f"\n\n{link}\n\n"
        + _("If you did not join, leave it unopened: nobody can use your address without it."),
    )


async def prove(viewer: Viewer, token: str) -> None:
    """The address is the member's own from now on. Announces EmailProven, once."""
    member_id = require_member(viewer)
    async with db.transaction():
        email = await db.fetch_val("SELECT email FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id)
        expires, _dot, _signature = token.partition(".")
        # The member is part of what is signed: whoever is signed in elsewhere cannot be made to vouch for another.
        if not hmac.compare_digest(token.encode(), _token(member_id, email, expires).encode()):
            raise Invalid("token", _("This link is for another account or another address."))
        if int(expires) < clock.now().timestamp():
            raise Gone(_("This link is too old. Ask for a new one."))
        proven = await db.execute(
            "UPDATE member SET email_proven_at = $2 WHERE id = $1 AND email_proven_at IS NULL", member_id, clock.now()
        )
        if proven:
            await publish(EmailProven(member_id=member_id), actor_id=member_id)


def address_of_proof(member_id: int, email: str) -> str:
    expires = str(int((clock.now() + GOOD_FOR).timestamp()))
    return f"/settings/email/{_token(member_id, email, expires)}"


def _token(member_id: int, email: str, expires: str) -> str:
    return f"{expires}.{sign('own-email', f'{member_id} {expires} {email.lower()}')}"
