"""The form of a crediting policy: what people type, and the draft it means. Made to work without scripts."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS, LARGEST_AMOUNT
from referrals.programs.policy import ASSISTS, CHANNELS, CLASSES, LeakRules
from referrals.simulator.schemas import Draft

BIND_FIRST = "bind_first"


class PolicyForm(msgspec.Struct):
    """Places are numbers, the smallest first; empty: that kind of credit does not count."""

    model: str = "last"
    window_days: str = "30"
    new_customers: str = ""
    bind: str = "register"
    bind_days: str = ""
    bind_idle_days: str = ""
    min_confidence: str = "50"
    stand_down_hours: str = "24"
    partners: str = ""
    second_approver: str = "from"
    second_approver_from: str = ""
    leak_watch: str = "5"
    leak_leaked: str = "15"
    leak_days: str = "7"
    leak_percent: str = "80"
    house: str = ""
    days: str = "30"


def draft_from(form: PolicyForm, given: Mapping[str, Any], currency: str) -> Draft:
    """The draft that a form means; `given` holds the fields that are named after kinds and channels."""
    order = _order(given)
    return Draft(
        model=form.model,
        window_days=_whole("window_days", form.window_days, 1, 730),
        order=order,
        new_customer_order=_bind_first(order) if form.new_customers == BIND_FIRST else [],
        windows={
            channel: _whole(f"window_{channel}", str(given[f"window_{channel}"]), 1, 3650)
            for channel in CHANNELS
            if str(given.get(f"window_{channel}", "")).strip()
        },
        bind=form.bind,
        bind_days=_whole("bind_days", form.bind_days or "0", 0, 3650),
        bind_idle_days=_whole("bind_idle_days", form.bind_idle_days or "0", 0, 3650),
        min_confidence=_whole("min_confidence", form.min_confidence or "0", 0, 100),
        stand_down_hours=_whole("stand_down_hours", form.stand_down_hours or "0", 0, 720),
        partners=_partners(form.partners),
        assist_bps={
            role: _percent(f"assist_{role}", str(given.get(f"assist_{role}", "")))
            for role in ASSISTS
            if str(given.get(f"assist_{role}", "")).strip()
        },
        second_approver_from=_threshold(form, currency),
        leak=LeakRules(
            watch=_whole("leak_watch", form.leak_watch, 1, 100_000),
            leaked=_whole("leak_leaked", form.leak_leaked, 1, 100_000),
            days=_whole("leak_days", form.leak_days, 1, 90),
            share_bps=_percent("leak_percent", form.leak_percent),
        ),
        house=form.house,
    )


def values_of(draft: Draft, currency: str) -> dict[str, str]:
    """A draft as the form shows it."""
    bound_first = bool(draft.new_customer_order) and draft.new_customer_order == _bind_first(draft.order)
    places = {f"place_{kind}": str(draft.order.index(kind) + 1) if kind in draft.order else "" for kind in CLASSES}
    return {
        "model": draft.model,
        "window_days": str(draft.window_days),
        "new_customers": BIND_FIRST if bound_first else "",
        "bind": draft.bind,
        "bind_days": str(draft.bind_days or ""),
        "bind_idle_days": str(draft.bind_idle_days or ""),
        "min_confidence": str(draft.min_confidence),
        "stand_down_hours": str(draft.stand_down_hours),
        "partners": "\n".join(f"{handle} {kind}" for handle, kind in draft.partners.items()),
        "second_approver": "never" if draft.second_approver_from is None else "from",
        "second_approver_from": _major(draft.second_approver_from or 0, currency),
        "leak_watch": str(draft.leak.watch),
        "leak_leaked": str(draft.leak.leaked),
        "leak_days": str(draft.leak.days),
        "leak_percent": _plain(Decimal(draft.leak.share_bps) / 100),
        "house": draft.house,
        **places,
        **{f"window_{channel}": str(draft.windows.get(channel, "")) for channel in CHANNELS},
        **{f"assist_{role}": _plain(Decimal(draft.assist_bps.get(role, 0)) / 100) for role in ASSISTS},
    }


def _order(given: Mapping[str, Any]) -> list[str]:
    """The kinds of credit by the places that were typed; what a person decided is always first."""
    places = {
        kind: _whole(f"place_{kind}", str(given[f"place_{kind}"]), 1, 99)
        for kind in CLASSES[1:]
        if str(given.get(f"place_{kind}", "")).strip()
    }
    return [CLASSES[0], *sorted(places, key=lambda kind: (places[kind], CLASSES.index(kind)))]


def _bind_first(order: list[str]) -> list[str]:
    """Who brought a new customer goes before clicks, after what was said by hand or by a personal code."""
    first = [kind for kind in ("override", "personal_code", "bind") if kind in order]
    return [*first, *(kind for kind in order if kind not in first)]


def _partners(text: str) -> dict[str, str]:
    partners = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) not in (0, 2):
            raise Invalid("partners", _("One member a line: a handle and a kind, as “dealfinder coupon”."))
        if words:
            partners[words[0].lower().removeprefix("@")] = words[1].lower()
    return partners


def _threshold(form: PolicyForm, currency: str) -> int | None:
    if form.second_approver == "never":
        return None
    minor = _decimal("second_approver_from", form.second_approver_from or "0").scaleb(EXPONENTS[currency])
    if minor != minor.to_integral_value() or not 0 <= minor <= LARGEST_AMOUNT:
        raise Invalid("second_approver_from", _("An amount with at most the digits of its currency."))
    return int(minor)


def _whole(field: str, typed: str, least: int, most: int) -> int:
    typed = typed.strip()
    if not typed.isascii() or not typed.isdigit() or len(typed) > 9 or not least <= int(typed) <= most:
        raise Invalid(field, _("A whole number from %(least)s to %(most)s.", least=least, most=most))
    return int(typed)


def _percent(field: str, typed: str) -> int:
    bps = _decimal(field, typed) * 100
    if bps != bps.to_integral_value() or not 0 <= bps <= 10_000:
        raise Invalid(field, _("A percentage from 0 to 100 with at most two decimals."))
    return int(bps)


def _decimal(field: str, typed: str) -> Decimal:
    try:
        value = Decimal(typed.strip())
    except InvalidOperation as error:
        raise Invalid(field, _("A number, please.")) from error
    if not value.is_finite():
        raise Invalid(field, _("A number, please."))
    return value


def _major(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-EXPONENTS[currency]):f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else ""
