"""What the pages' forms send: texts, which become what the JSON door takes."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS, check_currency
from app.web import convert
from referrals.links.routing import Routes
from referrals.links.schemas import LinkChange, NewBranch, NewRule, Place

SIDES = 4
CONDITIONS = ("device", "os", "browser", "in_app", "language", "country")


class ChangeForm(msgspec.Struct):
    code: str = ""
    placement: str = ""
    target: str = ""
    starts_at: str = ""
    ends_at: str = ""
    most_visits: str = ""
    password: str = ""
    no_password: bool = False
    place_kind: str = ""
    location: str = ""
    cost: str = ""
    currency: str = ""


class RuleForm(msgspec.Struct):
    to: str = ""
    device: str = ""
    os: str = ""
    browser: str = ""
    in_app: str = ""
    language: str = ""
    country: str = ""
    since: str = ""
    until: str = ""


class SplitForm(msgspec.Struct):
    name: list[str] = []
    weight: list[str] = []
    to: list[str] = []


class KeyForm(msgspec.Struct):
    password: str = ""


class HostForm(msgspec.Struct):
    host: str = ""


class DomainForm(msgspec.Struct):
    domain: str = ""


def change_of(given: ChangeForm, link: asyncpg.Record) -> LinkChange:
    """The change a form asks for; an empty field takes the limit away, an empty password leaves it."""
    target: str | UnsetType = given.target.strip() or UNSET
    if target == link["destination"]:
        target = UNSET
    password: str | UnsetType = "" if given.no_password else given.password or UNSET
    return LinkChange(
        target=target,
        code=given.code.strip() or UNSET,
        placement=given.placement,
        starts_at=moment_of("starts_at", given.starts_at),
        ends_at=moment_of("ends_at", given.ends_at),
        most_visits=_number("most_visits", given.most_visits, least=1),
        password=password,
        place=_place(given),
    )


def rule_of(given: RuleForm) -> NewRule:
    when: dict[str, object] = {
        part: [word for word in getattr(given, part).replace(",", " ").split() if word] for part in CONDITIONS
    }
    for edge in ("since", "until"):
        when[edge] = moment_of(edge, getattr(given, edge))
    if not given.to.strip():
        raise Invalid("to", _("Please fill this in."))
    return convert({"when": when, "to": given.to.strip()}, NewRule, strict=False)


def split_of(given: SplitForm) -> list[NewBranch]:
    """The sides that were filled in; none at all takes the split away."""
    rows = list(zip(given.name, given.weight, given.to, strict=False))[:SIDES]
    sides: list[NewBranch] = []
    for name, weight, to in rows:
        if not to.strip():
            continue
        number = _number("split", weight or "1", least=1)
        side = {"name": name.strip() or "abcd"[len(sides)], "weight": number, "to": to.strip()}
        sides.append(convert(side, NewBranch, strict=False))
    return sides


def values_of(link: asyncpg.Record, place: asyncpg.Record | None) -> dict[str, object]:
    """The form as the link stands."""
    return {
        "code": link["code"],
        "placement": link["placement"],
        "target": link["destination"],
        "starts_at": _local(link["starts_at"]),
        "ends_at": _local(link["ends_at"]),
        "most_visits": link["most_visits"] or "",
        "place_kind": place["kind"] if place else "",
        "location": place["location"] if place else "",
        "cost": _major(place["cost"], place["currency"]) if place and place["cost"] else "",
        "currency": place["currency"] if place else "USD",
    }


def routes_of(link: asyncpg.Record) -> Routes:
    return msgspec.convert(link["routes"], Routes)


def again(routes: Routes) -> list[NewRule]:
    """The rules as they would be given anew."""
    return [NewRule(rule.when, rule.to) for rule in routes.rules]


def moment_of(field: str, given: str) -> datetime | None:
    """What a date field sends, taken as UTC, which the page says beside it."""
    if not given.strip():
        return None
    try:
        moment = datetime.fromisoformat(given.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(field, _("That is not a date we can keep.")) from error


def _place(given: ChangeForm) -> Place | None:
    if not given.place_kind:
        return None
    currency = check_currency(given.currency or "USD")
    return convert(
        {
            "kind": given.place_kind,
            "location": given.location,
            "cost": _minor(given.cost, currency),
            "currency": currency,
        },
        Place,
        strict=False,
    )


def _minor(given: str, currency: str) -> int:
    if not given.strip():
        return 0
    try:
        amount = Decimal(given.strip().replace(",", ".")).scaleb(EXPONENTS[currency])
        whole = int(amount) if amount.is_finite() and abs(amount) < 10**13 else -1
    except (InvalidOperation, ValueError) as error:
        raise Invalid("cost", _("A cost is a number, such as 19.50.")) from error
    if whole != amount or whole < 0:
        raise Invalid("cost", _("A cost is a number, such as 19.50."))
    return whole


def _major(amount: int, currency: str) -> str:
    return str(Decimal(amount).scaleb(-EXPONENTS[currency]))


def _number(field: str, given: str, *, least: int) -> int | None:
    given = given.strip()
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 9 or int(given) < least:
        raise Invalid(field, _("A whole number from %(least)s up.", least=least))
    return int(given)


def _local(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}" if moment else ""
