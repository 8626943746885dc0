"""A member tells a friend by e-mail. The friend's address is in the one mail that goes out, and nowhere else."""

import msgspec

from app import clock, db, i18n, mail
from app.auth import Viewer, require_member
from app.disclosure import sentence
from app.errors import Invalid
from app.i18n import gettext as _
from app.jobs import enqueue_one, job
from app.limits import limit
from app.settings import settings
from community.members.service import checked_email
from storefront.orders.fingerprints import email_fingerprint, mailbox_fingerprint

MOST_A_DAY = 20


class Invitation(msgspec.Struct):
    member_id: int
    email: str
    lang: str


async def invite(viewer: Viewer, email: str) -> None:
    """Send a friend the member's word, and know the friend when they buy. An address is written to once, by whomever.

    The answer never tells whether the address was known.
    """
    member_id = require_member(viewer)
    await limit("invite", member_id, most=MOST_A_DAY, per=86_400)
    # In the demo people and mails are made up: the invitation counts, and nothing goes out.
    if settings().is_production and not mail.is_set_up():
        raise Invalid("email", _("This community cannot send mail yet."))
    email = checked_email(email).lower()
    own = await db.fetch_val("SELECT email FROM member WHERE id = $1", member_id)
    if mailbox_fingerprint(own) == mailbox_fingerprint(email):
        raise Invalid("email", _("This is your own address."))
    async with db.transaction():
        # Two members who invite one friend at once stand in line, so that one mail goes out.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", email_fingerprint(email))
        was_written_to = await db.fetch_val(
            """SELECT EXISTS (SELECT 1 FROM invite WHERE email_hmac = $1)
                   OR EXISTS (SELECT 1 FROM member WHERE lower(email) = $2)""",
            email_fingerprint(email),
            email,
        )
        # Only whoever's mail goes out told them: naming an address that was written to, or a member's, earns nothing.
        if not was_written_to:
            await db.execute(
                "INSERT INTO invite (member_id, email_hmac, invited_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                member_id,
                email_fingerprint(email),
                clock.now(),
            )
            lang = await db.fetch_val("SELECT lang FROM member WHERE id = $1", member_id)
            await enqueue_one(send_invitation, msgspec.json.encode(Invitation(member_id, email, lang)))


@job
async def send_invitation(payload: bytes) -> None:
    """The mail itself: fixed words of ours, the member's own link, and the label that a link which earns carries."""
    invitation = msgspec.json.decode(payload, type=Invitation)
    row = await db.fetch_one(
        """SELECT m.handle, l.code FROM member m
             JOIN link l ON l.owner_id = m.id AND l.target_kind = 'member' AND l.disabled_at IS NULL
            WHERE m.id = $1 ORDER BY l.id LIMIT 1""",
        invitation.member_id,
    )
    if row is None or not mail.is_set_up():
        return
    # The handle, not the name: a name may be any words, and this goes to people who never heard of us.
    with i18n.speaking(invitation.lang):
        await mail.send(
            invitation.email,
            _("@%(handle)s invites you", handle=row["handle"]),
            _("@%(handle)s is a member here and thought you might like it too:", handle=row["handle"])
            + f"\n\n{settings().base_url}/r/{row['code']}\n{sentence()}\n\n"
            + _("This is the only mail you get from us. Your address was not kept."),
        )
