"""A programme's rules as sentences: for who sets them, for who earns by them, and, compared, for what changed."""

from datetime import datetime

from app.i18n import gettext as _
from app.i18n import ngettext
from app.money import EXPONENTS, Money, format_money, percent
from referrals.programs.lines import kinds_shown
from referrals.programs.schemas import Rules
from referrals.programs.terms import Caps, Friend, Release, Rule, Terms, Volume, Wait, kinds_in


def sentences(rules: Rules, terms: Terms) -> list[str]:
    """Everything these rules say that a person who earns by them wants to know."""
    said = [
        _("%(rate)s of the price after discounts, without tax and shipping.", rate=percent(rules.rate_bps)),
        *(_rule(rule, terms.currency) for rule in terms.rules),
        *(_("Nothing for %(part)s.", part=part_words(one.scope, one.value)) for one in terms.deny),
        *_codes(terms),
        *_margins(terms),
        *_which_orders(terms),
        *_caps(terms.caps, terms.currency),
    ]
    if terms.sale_bps:
        said.append(_("Nothing for things reduced by more than %(rate)s.", rate=percent(terms.sale_bps)))
    if terms.budget:
        said.append(
            _(
                "Everything comes out of the budget “%(name)s”; when it is spent, nothing more is paid.",
                name=terms.budget,
            )
        )
    if terms.volume:
        said += _volume(terms.volume, terms.currency)
    if terms.friend:
        said.append(_friend(terms.friend, terms.currency))
    if terms.recruiting:
        share = percent(terms.recruiting.share_bps)
        said.append(
            _("Whoever brought a partner gets %(share)s of what the partner earns, for %(n)s months. No further level.",
              share=share, n=terms.recruiting.months)
        )  # fmt: skip
    if terms.activation:
        said.append(_activation(terms))
    for one in terms.events:
        pay = percent(one.rate_bps) if one.kind == "percent" else sum_of(one.amount, terms.currency)
        said.append(_("%(pay)s for each “%(name)s”.", pay=pay, name=one.name))
    said.append(_hold(rules.hold_days, terms.release))
    said += [_("It waits %(n)s days instead for %(who)s.", n=one.days, who=_who(one)) for one in terms.waits]
    said += [_("Your server tells of: %(kind)s.", kind=kinds_shown([one])) for one in terms.kinds]
    if terms.unknown_kinds == "refuse":
        known = ", ".join(kinds_in(terms))
        said.append(_("Beside orders, sign-ups and leads it may tell of nothing but: %(kinds)s.", kinds=known))
    return said


def sum_of(amount: int, currency: str) -> str:
    return format_money(Money(amount, currency)) if currency in EXPONENTS else str(amount)


def part_words(scope: str, value: str) -> str:
    return {
        "product": _("the product %(value)s", value=value),
        "category": _("the category %(value)s", value=value),
        "brand": _("the brand %(value)s", value=value),
    }.get(scope, _("the whole store"))


def rule_name(rule: str) -> str:
    """What a rule that is not the store's own is called."""
    return {
        "": _("Plain rate"),
        "plain": _("Plain rate"),
        "override": _("Agreed rate"),
        "recruiter": _("A share of what a partner earned whom you brought"),
        "budget_spent": _("The budget was spent"),
        "activation": _("A new member became active"),
        "bounty": _("Work for a bounty"),
        "milestone": _("Fee of a campaign"),
        "volume": _("A higher rate by the month's volume"),
    }.get(rule, rule)


def refusal_words(refused: str) -> str:
    """Why a line pays nothing."""
    return {
        "nothing_paid": _("Nothing was paid for it."),
        "excluded": _("The programme excludes it."),
        "on_sale": _("It was reduced by more than the programme pays for."),
        "other_currency": _("The programme's limits are in another currency."),
        "budget_spent": _("The budget is spent."),
        "buyer_unknown": _("The store did not say who bought, so it may not have been a first order."),
        "not_new_customer": _("The buyer has bought before."),
        "not_first_order": _("It was not the buyer's first order."),
        "orders_over": _("The buyer's orders that count are over."),
        "months_over": _("The months in which the buyer's orders count are over."),
    }.get(refused, refused)


def note_words(note: str) -> str:
    """What lowered a rate."""
    kind, _colon, value = note.partition(":")
    if kind == "code":
        return _("The code %(code)s has a rate of its own.", code=value)
    return _("No more than its part of the margin.") if kind == "margin" else note


def _rule(rule: Rule, currency: str) -> str:
    pay = percent(rule.rate_bps) if rule.kind == "percent" else _("%(sum)s each", sum=sum_of(rule.amount, currency))
    said = _("%(name)s: %(pay)s for %(part)s", name=rule.name, pay=pay, part=part_words(rule.scope, rule.value))
    if rule.tier:
        said += _(", for partners of the tier %(tier)s", tier=rule.tier)
    if rule.starts_at:
        said += _(", from %(day)s", day=_day(rule.starts_at))
    if rule.ends_at:
        said += _(", until %(day)s", day=_day(rule.ends_at))
    if rule.budget:
        said += _(", while the budget “%(name)s” lasts", name=rule.budget)
    return said + _(".")


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%d %H:%M} UTC"


def _codes(terms: Terms) -> list[str]:
    said = []
    for one in terms.codes:
        if one.mode == "at_most":
            said.append(
                _("At most %(rate)s when the code %(code)s was used.", rate=percent(one.rate_bps), code=one.code)
            )
        else:
            said.append(_("%(rate)s when the code %(code)s was used.", rate=percent(one.rate_bps), code=one.code))
    return said


def _margins(terms: Terms) -> list[str]:
    return [
        _("For %(part)s at most %(rate)s: its part of the margin.", part=part_words(one.scope, one.value),
          rate=percent(one.margin_bps * terms.margin_share_bps // 10_000))
        for one in terms.margins
    ]  # fmt: skip


def _which_orders(terms: Terms) -> list[str]:
    said = {
        "first_order": _("Only a buyer's first order at this store counts."),
        "new_customer": _("Only buyers who never bought in any store here count."),
        "first_orders": _("A buyer's first %(n)s orders count.", n=terms.pays_for_n),
        "first_months": _("A buyer's orders of the first %(n)s months count.", n=terms.pays_for_n),
    }.get(terms.pays_for)
    return [said] if said else []


def _caps(caps: Caps, currency: str) -> list[str]:
    told = {
        _("At most %(sum)s for an order."): caps.order,
        _("At most %(sum)s for all orders of one buyer."): caps.customer,
        _("At most %(sum)s to a member in a day."): caps.day,
        _("At most %(sum)s to a member in a month."): caps.month,
    }
    return [words.replace("%(sum)s", sum_of(most, currency)) for words, most in told.items() if most]


def _volume(volume: Volume, currency: str) -> list[str]:
    words = (
        _("Above %(sum)s of sales in a month, %(rate)s for what is above.")
        if volume.mode == "marginal"
        else _("From %(sum)s of sales in a month on, %(rate)s for the whole month.")
    )
    return [
        words.replace("%(sum)s", sum_of(step.above, currency)).replace("%(rate)s", percent(step.rate_bps))
        for step in volume.steps
    ]


def _friend(friend: Friend, currency: str) -> str:
    pay = percent(friend.rate_bps) if friend.kind == "percent" else sum_of(friend.amount, currency)
    said = _("The buyer gets %(pay)s as credit at the store.", pay=pay)
    if friend.wait_days:
        said += " " + ngettext("It counts after %(n)s day.", "It counts after %(n)s days.", friend.wait_days)
    if friend.days:
        said += " " + ngettext(
            "What is not spent within %(n)s day then is gone.",
            "What is not spent within %(n)s days then is gone.",
            friend.days,
        )
    return said


def waiting(hold_days: int, release: Release | None, wait: Wait | None) -> str:
    """How long a commission waits, and by which hold if it is one of its own."""
    if wait is None:
        return _hold(hold_days, release)
    if release is not None and release.after == "delivered":
        until = max(release.fallback_days, wait.days)
        return _hold(0, Release("delivered", wait.days, until)) + " " + _("So it is for %(who)s.", who=_who(wait))
    return _hold(wait.days, None) + " " + _("So it is for %(who)s.", who=_who(wait))


def _activation(terms: Terms) -> str:
    pay = sum_of(terms.activation, terms.currency)
    return {
        "phone": _("%(sum)s for a new member who proves their phone and does something useful.", sum=pay),
        "both": _(
            "%(sum)s for a new member who proves their e-mail and their phone and does something useful.", sum=pay
        ),
    }.get(
        terms.activation_needs,
        _("%(sum)s for a new member who proves their e-mail and does something useful.", sum=pay),
    )


def _hold(hold_days: int, release: Release | None) -> str:
    if release is None or release.after == "paid":
        return _("It waits %(n)s days for returns.", n=release.days if release else hold_days)
    return _("It waits %(n)s days after delivery, or %(most)s days after payment while no delivery is told of.",
             n=release.days, most=release.fallback_days)  # fmt: skip


def _who(wait: Wait) -> str:
    if wait.scope == "store":
        return _("partners of the tier %(tier)s", tier=wait.tier)
    part = part_words(wait.scope, wait.value)
    return _("%(part)s, sold by partners of the tier %(tier)s", part=part, tier=wait.tier) if wait.tier else part
