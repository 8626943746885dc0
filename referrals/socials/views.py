"""Proven accounts as the JSON doors show them, and their words for pages."""

import asyncpg

from app.i18n import gettext as _
from referrals.socials.platforms.known import ALL
from referrals.socials.schemas import AccountView


def account_view(row: asyncpg.Record) -> AccountView:
    shown = {field: row[field] for field in AccountView.__struct_fields__ if field != "id"}
    return AccountView(id=str(row["id"]), **shown)


def title_of(platform: str) -> str:
    return ALL[platform].title if platform in ALL else platform


def why_words(why: str) -> str:
    """Why nothing could be read, or why it did not do."""
    return {
        "no_code": _("The code is not there yet. Changes take a while to be seen on some platforms."),
        "too_late": _("This code is older than a week. Ask for a new one."),
        "taken": _("Another member has proven this account."),
        "gone": _("It is not there, or not public."),
        "too_fast": _("The platform asked us to come later."),
        "refused": _("The platform did not let us look."),
        "redirected": _("The platform sent us elsewhere, where we do not go."),
        "too_large": _("The platform’s answer was too large."),
        "unreadable": _("The platform’s answer made no sense."),
        "unreachable": _("The platform did not answer."),
    }.get(why, "")
