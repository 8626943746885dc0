"""Holds and kinds of conversions as lines of text that a person can read and write, and back:
`category: Sofas, tier: Gold = 60`, `trial_started: plan! basic|pro, seats whole, value!`."""

import re
from typing import Any, get_args

import msgspec

from app.errors import Invalid
from app.i18n import gettext as _
from referrals.programs.terms import EventField, EventKind, Scope, Wait

_SCOPES: tuple[str, ...] = get_args(Scope)
_NEEDS = ("value", "customer_id", "gv")
_TIER = re.compile(r"(?:^|,)\s*tier\s*:\s*(?P<tier>.+)$", re.IGNORECASE)


def waits_shown(waits: list[Wait]) -> str:
    return "\n".join(f"{_who(one)} = {one.days}" for one in waits)


def waits_typed(text: str) -> list[Wait]:
    return [_wait(line) for line in _lines(text)]


def kinds_shown(kinds: list[EventKind]) -> str:
    shown = []
    for kind in kinds:
        fields = [_field_shown(one) for one in kind.fields] + [f"{need}!" for need in kind.needs]
        shown.append(f"{kind.name}: {', '.join(fields)}" if fields else kind.name)
    return "\n".join(shown)


def kinds_typed(text: str) -> list[EventKind]:
    return [_kind(line) for line in _lines(text)]


def _who(wait: Wait) -> str:
    parts = [f"{wait.scope}: {wait.value}"] if wait.scope != "store" else []
    return ", ".join(parts + ([f"tier: {wait.tier}"] if wait.tier else []))


def _wait(line: str) -> Wait:
    who, equals, days = (part.strip() for part in line.rpartition("="))
    if not equals or not who or not (days.isascii() and days.isdigit() and int(days[:4]) <= 365):
        raise Invalid("waits", _("“%(line)s”: write who or what it is for, = and 0 to 365 days.", line=line[:60]))
    tier = ""
    if found := _TIER.search(who):
        tier, who = found["tier"].strip(), who[: found.start()].strip()
    scope, colon, value = (part.strip() for part in who.partition(":"))
    if who and (not colon or scope.lower() not in _SCOPES or scope.lower() == "store"):
        raise Invalid(
            "waits", _("“%(line)s”: write category: Sofas, brand: North, product: SKU-1 or tier: Gold.", line=line[:60])
        )
    wait: Wait = _made(Wait, "waits", line, days=int(days), scope=scope.lower() or "store", value=value, tier=tier)
    return wait


def _kind(line: str) -> EventKind:
    name, _colon, rest = (part.strip() for part in line.partition(":"))
    needs, fields = [], []
    for part in filter(None, (one.strip() for one in rest.split(","))):
        called, _space, what = (one.strip() for one in part.partition(" "))
        required, called = called.endswith("!"), called.removesuffix("!")
        if called in _NEEDS and required and not what:
            needs.append(called)
            continue
        choices = [one.strip() for one in what.split("|")] if "|" in what else []
        typed: dict[str, Any] = {"one_of": choices} if choices else {"kind": what or "text"}
        fields.append(_made(EventField, "kinds", line, name=called, required=required, **typed))
    kind: EventKind = _made(EventKind, "kinds", line, name=name, needs=needs, fields=fields)
    return kind


def _made(made: Any, field: str, line: str, **values: Any) -> Any:
    """Checked by the Struct's own limits."""
    try:
        return msgspec.convert(msgspec.to_builtins(values), made)
    except msgspec.ValidationError as error:
        said = _("“%(line)s” cannot be read: write it as in the example.", line=line[:60])
        raise Invalid(field, said) from error


def _field_shown(field: EventField) -> str:
    what = "|".join(field.one_of) or ("" if field.kind == "text" else field.kind)
    return f"{field.name}{'!' if field.required else ''} {what}".strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
