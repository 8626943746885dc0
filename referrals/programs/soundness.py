"""What would make terms mean something else than their author thinks; each complaint names its field."""

from app.errors import Invalid
from app.i18n import gettext as _
from app.money import check_currency
from community.phones.codes import way
from referrals.programs.markets import may_recruit
from referrals.programs.terms import Caps, Rule, Terms, as_json


def check_terms(terms: Terms) -> None:
    """Raise Invalid for terms that cannot be kept to."""
    if "\\u0000" in as_json(terms):
        raise Invalid("rules", _("There is a sign in it that no text has."))
    if terms.currency:
        check_currency(terms.currency)
    elif _has_amounts(terms):
        raise Invalid("currency", _("Amounts need the currency they are in."))
    names = [rule.name.casefold() for rule in terms.rules]
    if len(set(names)) < len(names):
        raise Invalid("rules", _("Two rules have the same name."))
    for number, rule in enumerate(terms.rules):
        _check_rule(rule, f"rules.{number}")
    named = [("deny", one.scope, one.value) for one in terms.deny]
    for field, scope, value in [*named, *(("margins", one.scope, one.value) for one in terms.margins)]:
        if scope != "store" and not value.strip():
            raise Invalid(field, _("Say which product, category or brand."))
    if any(one.scope == "store" for one in terms.deny):
        raise Invalid("deny", _("The whole store cannot be excluded; set the rate to zero instead."))
    if len({one.code.casefold() for one in terms.codes}) < len(terms.codes):
        raise Invalid("codes", _("A code can have one rate only."))
    if terms.pays_for in ("first_orders", "first_months") and not terms.pays_for_n:
        raise Invalid("pays_for_n", _("Say how many."))
    if terms.margins and not terms.margin_share_bps:
        raise Invalid("margin_share_bps", _("Say which share of the margin may be paid."))
    _check_volume(terms)
    _check_waits(terms)
    _check_kinds(terms)
    if terms.friend and not (terms.friend.rate_bps if terms.friend.kind == "percent" else terms.friend.amount):
        raise Invalid("friend", _("Say what the buyer gets."))
    if terms.activation and terms.activation_needs != "email" and not way():
        raise Invalid(
            "activation_needs",
            _("Nobody can prove a phone here yet, so nobody would be paid: the operator sets up messages first."),
        )
    if terms.recruiting and not may_recruit(terms.market):
        raise Invalid(
            "market",
            _("A second level is off: name a market where it is lawful, or leave out the share for recruiting."),
        )


def _check_rule(rule: Rule, field: str) -> None:
    if (rule.scope == "store") != (not rule.value.strip()):
        raise Invalid(field, _("Say which product, category or brand; for the whole store leave it empty."))
    if (rule.kind == "flat" and rule.rate_bps) or (rule.kind == "percent" and rule.amount):
        raise Invalid(field, _("A rule pays a part of the price or an amount for each unit, not both."))
    if rule.starts_at and rule.ends_at and rule.ends_at <= rule.starts_at:
        raise Invalid(field, _("It ends before it begins."))
    if any(moment is not None and moment.tzinfo is None for moment in (rule.starts_at, rule.ends_at)):
        raise Invalid(field, _("A moment needs its time zone."))


def _check_waits(terms: Terms) -> None:
    for one in terms.waits:
        if (one.scope == "store") != (not one.value.strip()):
            raise Invalid("waits", _("Say which product, category or brand; for the whole store leave it empty."))
        if one.scope == "store" and not one.tier.strip():
            raise Invalid("waits", _("What everything waits is the programme's own hold; here name a part or a tier."))
    about = {(one.scope, one.value.casefold(), one.tier.casefold()) for one in terms.waits}
    if len(about) < len(terms.waits):
        raise Invalid("waits", _("Two holds are for the same."))


def _check_kinds(terms: Terms) -> None:
    if terms.unknown_kinds == "refuse" and not (terms.kinds or terms.events):
        raise Invalid("kinds", _("Name the kinds that are not to be refused."))
    if len({kind.name for kind in terms.kinds}) < len(terms.kinds):
        raise Invalid("kinds", _("Two kinds have the same name."))
    for kind in terms.kinds:
        if len({field.name for field in kind.fields}) < len(kind.fields):
            raise Invalid("kinds", _("“%(name)s” names a field twice.", name=kind.name))
        if len(set(kind.needs)) < len(kind.needs):
            raise Invalid("kinds", _("“%(name)s” names a field twice.", name=kind.name))
        for field in kind.fields:
            if field.name in ("value", "customer_id", "gv"):
                raise Invalid("kinds", _("%(field)s is a conversion's own: write %(field)s! if it is needed.",
                                         field=field.name))  # fmt: skip
            choices = field.one_of
            is_odd = any(one != one.strip() or set(one) & set(",|\n\r") for one in choices)
            if choices and (is_odd or field.kind != "text" or not 1 < len(set(choices)) == len(choices)):
                raise Invalid("kinds", _("“%(name)s”: name at least two different words to choose from.",
                                         name=field.name))  # fmt: skip


def _check_volume(terms: Terms) -> None:
    if terms.volume is None:
        return
    heights = [step.above for step in terms.volume.steps]
    if heights != sorted(set(heights)) or heights[0] <= 0:
        raise Invalid("volume", _("Each step begins higher than the one before, the first above zero."))
    if terms.caps != Caps():
        # A cap cuts single commissions; what a month's volume adds to all of them would go past it.
        raise Invalid("volume", _("Rates by volume and caps cannot be kept to together; a budget can."))


def _has_amounts(terms: Terms) -> bool:
    caps = terms.caps
    return bool(
        any(rule.kind == "flat" or rule.budget for rule in terms.rules)
        or caps.order or caps.customer or caps.day or caps.month
        or terms.budget or terms.volume or terms.activation or terms.events
        or (terms.friend and terms.friend.kind == "flat")
    )  # fmt: skip
