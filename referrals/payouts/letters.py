"""Mail about where a member's money goes, in their language."""

from app import db, i18n, mail
from app.i18n import gettext as _
from app.settings import settings
from referrals.payouts.events import PayoutMethodChanged
from referrals.payouts.words import rail_words


async def letter_about_method(event: PayoutMethodChanged) -> None:
    member = await db.fetch_one("SELECT email, lang, email_proven_at FROM member WHERE id = $1", event.member_id)
    if member is None or member["email_proven_at"] is None:
        return
    i18n.use(member["lang"])
    lines = [
        _("An account for your payouts was removed: %(rail)s.", rail=rail_words(event.rail))
        if event.is_removed
        else _("A new account for your payouts was added: %(rail)s.", rail=rail_words(event.rail)),
        _("It stands in place of %(before)s.", before=event.replaced_hint) if event.replaced_hint else "",
        "" if event.is_removed else _("Nothing is paid to it for 72 hours."),
        _("If this was not you, remove it and change your password now:"),
        f"{settings().base_url}/earn/payouts/methods",
    ]
    await mail.send(member["email"], _("Where your payouts go was changed"), "\n\n".join(filter(None, lines)) + "\n")
