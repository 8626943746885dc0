"""The limits of checks, as a change that a store may want two people for."""

import asyncpg
import msgspec

from app import db
from app.auth import Viewer, require_member
from app.errors import Conflict
from app.i18n import gettext as _
from referrals.agreement.kinds import Change, Kind, takes_two
from referrals.fraud.thresholds import Thresholds, set_thresholds, thresholds_of


class LimitsChange(Change, frozen=True):
    limits: Thresholds
    instead_of: int = 0
    """The settings that were looked at; 0: none had been set."""


async def settings_id(store_id: int) -> int:
    return await db.fetch_val("SELECT coalesce(max(id), 0) FROM fraud_settings WHERE store_id = $1", store_id)


async def _set(viewer: Viewer, store: asyncpg.Record, change: LimitsChange) -> None:
    if await settings_id(store["id"]) != change.instead_of:
        raise Conflict(_("Somebody set other limits meanwhile. Look at them, and begin from there."))
    await set_thresholds(store["id"], change.limits, require_member(viewer))


async def _say(store: asyncpg.Record, change: LimitsChange) -> list[str]:
    """Each figure that differs from those in force."""
    now = msgspec.to_builtins(await thresholds_of(store["id"]))
    plain, wanted = msgspec.to_builtins(Thresholds()), msgspec.to_builtins(change.limits)
    said = []
    for field in Thresholds.__struct_fields__:
        default = getattr(Thresholds(), field)
        before, after = now.get(field, plain.get(field, default)), wanted.get(field, plain.get(field, default))
        if list(before) != list(after) if isinstance(before, list | tuple) else before != after:
            said.append(f"{field}: {_words(before)} → {_words(after)}")
    return said or [_("Limits as they are.")]


def _words(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, list | tuple) else str(value)


takes_two("limits", Kind(LimitsChange, _set, _say))
