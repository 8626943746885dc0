"""Codes as doors show them."""

import asyncpg

from app.i18n import gettext as _
from referrals.codes.schemas import CodeView, MyCode


def view_of(row: asyncpg.Record) -> CodeView:
    return CodeView(
        id=str(row["id"]),
        code=row["text"],
        kind=row["kind"],
        owner=row["owner"] or "",
        state=row["state"],
        leak_state=row["leak_state"],
        used=row["used_total"],
        limit_total=row["limit_total"],
        limit_per_buyer=row["limit_per_buyer"],
        valid_from=row["valid_from"].isoformat() if row["valid_from"] else None,
        valid_until=row["valid_until"].isoformat() if row["valid_until"] else None,
        replaces=str(row["replaces_id"] or ""),
        created_at=row["created_at"].isoformat(),
    )


def my_view_of(row: asyncpg.Record) -> MyCode:
    return MyCode(row["text"], row["store"], row["store_name"], row["state"], row["used_total"], label())


def label() -> str:
    """What stands beside a code that earns, wherever it is shown."""
    return _("I may earn from this code.")


def state_words(state: str) -> str:
    return {
        "live": _("works"),
        "later": _("not yet"),
        "over": _("over"),
        "used_up": _("used up"),
        "leaked": _("leaked"),
        "off": _("off"),
    }.get(state, state)
