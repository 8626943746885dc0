"""The rules as a form that needs no script, and back. Lists are rows of fields, or lines of text in a shape that a
person can read: `category: Gift cards`, `SUMMER20 = 5 %`."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import msgspec

from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS, Money, check_currency, in_major_units, percent
from referrals.programs.lines import kinds_shown, kinds_typed, waits_shown, waits_typed
from referrals.programs.schemas import Rules
from referrals.programs.terms import (
    Caps,
    CodeRate,
    EventPay,
    Exclusion,
    Friend,
    Margin,
    Recruiting,
    Release,
    Rule,
    Scope,
    Step,
    Terms,
    Volume,
)  # fmt: skip

SPARE_ROWS = 3
_SCOPES: tuple[str, ...] = get_args(Scope)


class RulesForm(msgspec.Struct):
    """The form as it is sent; every amount in major units, every rate in percent, as people write them."""

    rate: str = ""
    hold_days: int = 14
    window_days: int = 30
    model: str = "last"
    currency: str = ""
    deny: str = ""
    sale: str = ""
    codes: str = ""
    margins: str = ""
    margin_share: str = ""
    pays_for: str = "every_order"
    pays_for_n: int = 0
    cap_order: str = ""
    cap_customer: str = ""
    cap_day: str = ""
    cap_month: str = ""
    budget: str = ""
    volume_mode: str = ""
    volume: str = ""
    friend: str = ""
    friend_wait: int = 0
    friend_days: int = 0
    recruiting: str = ""
    recruiting_months: int = 12
    market: str = ""
    activation: str = ""
    activation_needs: str = "email"
    events: str = ""
    release: str = ""
    release_days: int = 14
    fallback_days: int = 60
    waits: str = ""
    kinds: str = ""
    unknown_kinds: str = "keep"
    base_version: int = 0
    rule_name: list[str] = []
    rule_scope: list[str] = []
    rule_value: list[str] = []
    rule_pay: list[str] = []
    rule_tier: list[str] = []
    rule_from: list[str] = []
    rule_until: list[str] = []
    rule_budget: list[str] = []


def as_form(rules: Rules, terms: Terms, version: int) -> RulesForm:
    """What the fields show for these rules."""

    def pay(kind: str, bps: int, amount: int) -> str:
        return percent(bps) if kind == "percent" else _major(amount, terms.currency)

    return RulesForm(
        rate=percent(rules.rate_bps),
        hold_days=rules.hold_days,
        window_days=rules.window_days,
        model=rules.model,
        currency=terms.currency,
        deny="\n".join(f"{one.scope}: {one.value}" for one in terms.deny),
        sale=percent(terms.sale_bps) if terms.sale_bps else "",
        codes="\n".join(
            f"{c.code} = {percent(c.rate_bps)}{' instead' if c.mode == 'instead' else ''}" for c in terms.codes
        ),
        margins="\n".join(f"{m.scope}: {m.value} = {percent(m.margin_bps)}" for m in terms.margins),
        margin_share=percent(terms.margin_share_bps) if terms.margin_share_bps else "",
        pays_for=terms.pays_for,
        pays_for_n=terms.pays_for_n,
        cap_order=_major(terms.caps.order, terms.currency),
        cap_customer=_major(terms.caps.customer, terms.currency),
        cap_day=_major(terms.caps.day, terms.currency),
        cap_month=_major(terms.caps.month, terms.currency),
        budget=terms.budget,
        volume_mode=terms.volume.mode if terms.volume else "",
        volume="\n".join(
            f"{_major(s.above, terms.currency)} = {percent(s.rate_bps)}"
            for s in (terms.volume.steps if terms.volume else [])
        ),
        friend=pay(terms.friend.kind, terms.friend.rate_bps, terms.friend.amount) if terms.friend else "",
        friend_wait=terms.friend.wait_days if terms.friend else 0,
        friend_days=terms.friend.days if terms.friend else 0,
        recruiting=percent(terms.recruiting.share_bps) if terms.recruiting else "",
        recruiting_months=terms.recruiting.months if terms.recruiting else 12,
        market=terms.market,
        activation=_major(terms.activation, terms.currency),
        activation_needs=terms.activation_needs,
        events="\n".join(f"{e.name} = {pay(e.kind, e.rate_bps, e.amount)}" for e in terms.events),
        release=terms.release.after if terms.release else "",
        release_days=terms.release.days if terms.release else rules.hold_days,
        fallback_days=terms.release.fallback_days if terms.release else 60,
        waits=waits_shown(terms.waits),
        kinds=kinds_shown(terms.kinds),
        unknown_kinds=terms.unknown_kinds,
        base_version=version,
        rule_name=[rule.name for rule in terms.rules],
        rule_scope=[rule.scope for rule in terms.rules],
        rule_value=[rule.value for rule in terms.rules],
        rule_pay=[pay(rule.kind, rule.rate_bps, rule.amount) for rule in terms.rules],
        rule_tier=[rule.tier for rule in terms.rules],
        rule_from=[_day(rule.starts_at) for rule in terms.rules],
        rule_until=[_day(rule.ends_at) for rule in terms.rules],
        rule_budget=[rule.budget for rule in terms.rules],
    )


def rows_of(form: RulesForm, *, spare: int = SPARE_ROWS) -> list[dict[str, str]]:
    """The rows of rules as they were typed, and some empty ones."""
    names = ("name", "scope", "value", "pay", "tier", "from", "until", "budget")
    columns = [getattr(form, f"rule_{name}") for name in names]
    typed = [
        {name: column[n] if n < len(column) else "" for name, column in zip(names, columns, strict=True)}
        for n in range(len(form.rule_name))
    ]
    return [row for row in typed if row["name"] or row["value"] or row["pay"]] + [dict.fromkeys(names, "")] * spare


def as_rules(form: RulesForm) -> tuple[Rules, Terms]:
    """The rules that the form means; raises Invalid naming the field that cannot be read."""
    currency = form.currency.strip().upper()
    if currency:
        check_currency(currency)
    rules = Rules(as_bps(form.rate, "rate"), form.hold_days, form.window_days, form.model)  # type: ignore[arg-type]
    values: dict[str, Any] = {
        "currency": currency,
        "rules": [_rule(row, n, currency) for n, row in enumerate(rows_of(form, spare=0))],
        "deny": [Exclusion(*_part(line, "deny")) for line in _lines(form.deny)],
        "sale_bps": as_bps(form.sale, "sale", empty=True),
        "codes": [_code(line) for line in _lines(form.codes)],
        "margins": [_margin(line) for line in _lines(form.margins)],
        "margin_share_bps": as_bps(form.margin_share, "margin_share", empty=True),
        "pays_for": form.pays_for,
        "pays_for_n": form.pays_for_n if form.pays_for in ("first_orders", "first_months") else 0,
        "caps": Caps(
            **{
                name: as_amount(getattr(form, f"cap_{name}"), currency, f"cap_{name}", empty=True)
                for name in ("order", "customer", "day", "month")
            }
        ),
        "budget": " ".join(form.budget.split()),
        "volume": _volume(form, currency),
        "friend": _friend(form, currency),
        "recruiting": _recruiting(form),
        "market": form.market.strip().upper(),
        "activation": as_amount(form.activation, currency, "activation", empty=True),
        "activation_needs": form.activation_needs,
        "events": [_event(line, currency) for line in _lines(form.events)],
        "release": Release(form.release, form.release_days, form.fallback_days) if form.release else None,  # type: ignore[arg-type]
        "waits": waits_typed(form.waits),
        "kinds": kinds_typed(form.kinds),
        "unknown_kinds": form.unknown_kinds,
    }
    return rules, as_terms(values)


def as_terms(values: Any) -> Terms:
    """Checked by the Struct's own limits as well."""
    try:
        return msgspec.convert(msgspec.to_builtins(values), Terms)
    except msgspec.ValidationError as error:
        sentence, _at, path = str(error).partition(" - at `$.")
        raise Invalid(path.rstrip("`").partition("[")[0] or "terms", sentence) from error


def _rule(row: dict[str, str], n: int, currency: str) -> Rule:
    field = f"rule-{n}"
    kind, bps, amount = _pay(row["pay"], currency, field)
    if row["scope"] not in _SCOPES:
        raise Invalid(field, _("Say which product, category or brand."))
    return Rule(
        name=" ".join(row["name"].split()) or _("Rule %(n)s", n=n + 1),
        scope=row["scope"],  # type: ignore[arg-type]
        value="" if row["scope"] == "store" else row["value"].strip(),
        kind=kind,  # type: ignore[arg-type]
        rate_bps=bps,
        amount=amount,
        tier=row["tier"].strip(),
        starts_at=_moment(row["from"], field),
        ends_at=_moment(row["until"], field),
        budget=" ".join(row["budget"].split()),
    )


def _part(line: str, field: str) -> tuple[Any, str]:
    scope, colon, value = line.partition(":")
    if not colon or scope.strip().lower() not in _SCOPES:
        raise Invalid(
            field, _("“%(line)s”: write category: Gift cards, brand: North or product: SKU-1.", line=line[:60])
        )
    return scope.strip().lower(), value.strip()


def _margin(line: str) -> Margin:
    part, value = _sides(line, "margins")
    scope, name = _part(part, "margins")
    return Margin(as_bps(value, "margins"), scope, name)


def _code(line: str) -> CodeRate:
    code, value = _sides(line, "codes")
    instead = value.lower().endswith("instead")
    return CodeRate(code, as_bps(value.lower().removesuffix("instead"), "codes"), "instead" if instead else "at_most")


def _event(line: str, currency: str) -> EventPay:
    name, value = _sides(line, "events")
    kind, bps, amount = _pay(value, currency, "events")
    return EventPay(name, kind, bps, amount)  # type: ignore[arg-type]


def _volume(form: RulesForm, currency: str) -> Volume | None:
    if not form.volume_mode or not form.volume.strip():
        return None
    steps = []
    for line in _lines(form.volume):
        above, rate = _sides(line, "volume")
        steps.append(Step(as_amount(above, currency, "volume"), as_bps(rate, "volume")))
    return Volume(form.volume_mode, steps)  # type: ignore[arg-type]


def _friend(form: RulesForm, currency: str) -> Friend | None:
    if not form.friend.strip():
        return None
    if not 0 <= form.friend_wait <= 365:
        raise Invalid("friend_wait", _("0 to %(most)s days; 0 means at once.", most=365))
    if not 0 <= form.friend_days <= 3_650:
        raise Invalid("friend_days", _("0 to %(most)s days; 0 means for ever.", most=3_650))
    kind, bps, amount = _pay(form.friend, currency, "friend")
    return Friend(kind, bps, amount, form.friend_wait, form.friend_days)  # type: ignore[arg-type]


def _recruiting(form: RulesForm) -> Recruiting | None:
    bps = as_bps(form.recruiting, "recruiting", empty=True)
    return Recruiting(bps, form.recruiting_months) if bps else None


def _sides(line: str, field: str) -> tuple[str, str]:
    left, equals, right = line.rpartition("=")
    if not equals or not left.strip():
        raise Invalid(field, _("“%(line)s”: write what it is for, = and what it pays.", line=line[:60]))
    return left.strip(), right.strip()


def _pay(value: str, currency: str, field: str) -> tuple[str, int, int]:
    """`12 %` is a part of the price, `3.50` an amount."""
    if "%" in value or "％" in value:
        return "percent", as_bps(value, field), 0
    return "flat", 0, as_amount(value, currency, field)


def as_bps(value: str, field: str, *, empty: bool = False) -> int:
    """A rate as people write it, in basis points."""
    text = value.replace("%", "").replace("％", "").strip()
    if empty and not text:
        return 0
    bps = _number(text, field) * 100
    if bps != int(bps) or not 0 <= bps <= 10_000:
        raise Invalid(field, _("A rate is 0 to 100 %, with at most two decimals."))
    return int(bps)


def as_amount(value: str, currency: str, field: str, *, empty: bool = False) -> int:
    """An amount as people write it, in minor units."""
    if empty and not value.strip():
        return 0
    if not currency:
        raise Invalid("currency", _("Amounts need the currency they are in."))
    minor = _number(value.strip(), field).scaleb(EXPONENTS[check_currency(currency)])
    if minor != int(minor) or not 0 <= minor <= 10**12:
        raise Invalid(field, _("“%(value)s” is not an amount of %(currency)s.", value=value[:30], currency=currency))
    return int(minor)


def _number(text: str, field: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > 30:
        raise Invalid(field, _("“%(value)s” is not a number; write 12.5 %% or 3.50.", value=text[:30]))
    return number


def _moment(text: str, field: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(field, _("“%(value)s” is not a day; write 2026-11-30.", value=text[:30])) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _major(amount: int, currency: str) -> str:
    return str(in_major_units(Money(amount, currency))) if amount and currency else ""


def _day(moment: datetime | None) -> str:
    if moment is None:
        return ""
    is_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return f"{moment:%Y-%m-%d}" if is_day else moment.isoformat(timespec="minutes")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
