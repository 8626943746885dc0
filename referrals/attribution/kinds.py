"""The kinds of conversions a programme declares, and whether one that a store tells of is as declared."""

from datetime import date, datetime

import asyncpg

from app import db
from app.errors import Invalid
from app.i18n import gettext as _
from app.text import clean
from referrals.attribution.schemas import NewConversion
from referrals.programs.queries import version_at
from referrals.programs.terms import EventField, Terms, kinds_in, terms_of

# What only says where an order or a customer came from is no event of a programme's own.
ALWAYS = ("order", "signup", "lead")


async def rules_at(store_id: int, moment: datetime) -> Terms:
    """The terms of the rules that are in force at a moment; of a store without a programme, none."""
    rules = await version_at(store_id, moment)
    return terms_of(rules) if rules else Terms()


def fields_of(new: NewConversion) -> dict[str, bool | int | str]:
    return {
        name: clean(value, f"fields.{name}", most=200) if isinstance(value, str) else value
        for name, value in new.fields.items()
    }


def is_named(kind: str, terms: Terms) -> bool:
    """Whether the rules know the kind: by declaring it, by paying for it, or because they say nothing of kinds."""
    return kind in ALWAYS or not (terms.kinds or terms.events) or kind in kinds_in(terms)


def unknown_words(kind: str) -> str:
    return _("The programme's rules do not name “%(kind)s”: it was kept, and pays nothing.", kind=kind)


def check_kind(new: NewConversion, terms: Terms) -> None:
    """Raise Invalid for a conversion that is not what the rules declare of its kind."""
    if terms.unknown_kinds == "refuse" and not is_named(new.kind, terms):
        known = ", ".join(kinds_in(terms))
        raise Invalid("kind", _("The programme's rules do not name “%(kind)s”; they name: %(known)s.",
                                kind=new.kind, known=known))  # fmt: skip
    declared = next((one for one in terms.kinds if one.name == new.kind), None)
    if declared is None:
        return
    told = {"value": new.value, "customer_id": new.customer_id, "gv": new.gv}
    for need in declared.needs:
        if not told[need]:
            raise Invalid(need, _("“%(kind)s” needs it.", kind=new.kind))
    fields = {field.name: field for field in declared.fields}
    for name in new.fields:
        if name not in fields:
            raise Invalid(f"fields.{name}", _("“%(kind)s” has no such field.", kind=new.kind))
    for name, field in fields.items():
        if name in new.fields:
            _check_field(field, new.fields[name])
        elif field.required:
            raise Invalid(f"fields.{name}", _("“%(kind)s” needs it.", kind=new.kind))


def _check_field(field: EventField, value: bool | int | str) -> None:
    at = f"fields.{field.name}"
    if field.one_of:
        if value not in field.one_of:
            raise Invalid(at, _("One of: %(words)s.", words=", ".join(field.one_of)))
    elif field.kind == "whole":
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid(at, _("A whole number."))
    elif field.kind == "yes_no":
        if not isinstance(value, bool):
            raise Invalid(at, _("True or false."))
    elif not isinstance(value, str) or (field.required and not value.strip()):
        raise Invalid(at, _("A text."))
    elif field.kind == "day" and value and not _is_day(value):
        raise Invalid(at, _("A day, as 2026-11-30."))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def told_lately(store_id: int, since: datetime) -> list[asyncpg.Record]:
    """What a store's server told since, by kind, the commonest first."""
    return await db.fetch(
        """SELECT kind, count(*) AS many, max(created_at) AS last_at FROM conversion
            WHERE store_id = $1 AND created_at > $2 GROUP BY kind ORDER BY many DESC, kind LIMIT 100""",
        store_id,
        since,
    )
