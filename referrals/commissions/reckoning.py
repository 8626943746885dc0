"""What each line of an order pays, and why: a pure function of the rules and the facts, for orders that are settled
and for carts that are only asked about.

What earns nothing falls out first. Then one rate is found: a member's own agreed rate, or the most specific rule
(product, then category, brand, store; within these the longer category, then the one for a tier), or the plain rate.
A code and a margin may lower it. The result is frozen on the commission; refunds are reckoned from it alone.
"""

import re
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.money import share_of
from referrals.programs.terms import Rule, Scope, Terms, Wait

PLAIN, OVERRIDE = "plain", "override"
WHOLE = 10_000
_RANK: dict[Scope, int] = {"product": 3, "category": 2, "brand": 1, "store": 0}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An order line, or a thing in a cart."""

    line_id: int = 0
    product: str = ""
    slug: str = ""
    category: str = ""
    brand: str = ""
    quantity: int = 1
    gross: int
    discount: int = 0

    @property
    def base(self) -> int:
        return max(0, self.gross - self.discount)


class Agreed(msgspec.Struct, frozen=True):
    """A member's own rate."""

    rate_bps: int
    id: int = 0


class Seller(msgspec.Struct, frozen=True):
    tier: str = ""
    agreed: Agreed | None = None


class Buyer(msgspec.Struct, frozen=True):
    """Who buys, as far as the programme asks: the how-manieth order at the store, whether the first one anywhere."""

    is_known: bool = True
    nth: int = 1
    is_new: bool = True
    first_at: datetime | None = None


class How(msgspec.Struct, frozen=True, omit_defaults=True):
    """The frozen calculation of a line. `asked` is the member's part before limits; `limits` say what cut it."""

    kind: Literal["percent", "flat"] = "percent"
    rate_bps: int = 0
    amount: int = 0
    quantity: int = 1
    most_bps: int = WHOLE
    winner_id: int = 0
    asked: int = 0
    limits: list[str] = []
    budget: str = ""
    counts_for_volume: bool = False
    wait: Wait | None = None
    """The hold of its own that this part of the shop, or whoever sold it, had then."""


class Reckoned(msgspec.Struct, frozen=True):
    """What a line pays altogether, by which rule; or the word for why it pays nothing. `notes` say what lowered it."""

    item: Item
    amount: int
    rule: str = ""
    how: How = How()
    refused: str = ""
    notes: list[str] = []


def reckon(
    item: Item,
    terms: Terms,
    plain_bps: int,
    *,
    seller: Seller,
    buyer: Buyer,
    codes: list[str],
    at: datetime,
    currency: str,
    spent: frozenset[str] = frozenset(),
) -> Reckoned:
    refused = _refusal(item, terms, buyer, at)
    if refused:
        return Reckoned(item, 0, refused=refused)
    if (terms.budget or has_caps(terms)) and terms.currency != currency:
        # A limit in one currency cannot watch over another: better nothing than more than was allowed.
        return Reckoned(item, 0, refused="other_currency")
    if terms.budget in spent and terms.budget:
        return Reckoned(item, 0, refused="budget_spent")
    rule = _best(item, terms, seller, at, currency, spent)
    if seller.agreed:
        name, how = OVERRIDE, How(rate_bps=seller.agreed.rate_bps)
    elif rule is None:
        counts = terms.volume is not None and terms.currency == currency
        name, how = PLAIN, How(rate_bps=plain_bps, counts_for_volume=counts)
    else:
        name = rule.name
        how = How(rule.kind, rule.rate_bps, rule.amount, max(1, item.quantity), budget=rule.budget)
    how, notes = _lowered(item, terms, how, codes, may_replace=name != OVERRIDE)
    if (wait := wait_for(item, terms, seller.tier)) is not None:
        how = msgspec.structs.replace(how, wait=wait)
    return Reckoned(item, amount_of(how, item.base), name, how, notes=notes)


def wait_for(item: Item | None, terms: Terms, tier: str) -> Wait | None:
    """The most specific hold that is about this line; without one (an activation, a bounty) only those for a tier.
    None: the programme's own."""

    def fits(one: Wait) -> bool:
        is_about = matches(one.scope, one.value, item) if item else one.scope == "store"
        return is_about and (not one.tier or _same(one.tier) == _same(tier))

    def specificity(one: Wait) -> tuple[int, int, bool]:
        return (_RANK[one.scope], len(category_path(one.value)) if one.scope == "category" else 0, bool(one.tier))

    return max(filter(fits, terms.waits), key=specificity, default=None)


def amount_of(how: How, base: int) -> int:
    """What a whole line grants."""
    return standing_amount(how, base, base, how.quantity, 0)


def standing_amount(how: How, base: int, net: int, units_left: int, loose: int) -> int:
    """What a line pays of a calculation when `net` of its `base` is left: percent of that; or the amount for each unit
    that stays, less the part of the price that was given back without naming units (`loose`)."""
    if net <= 0 or base <= 0:
        return 0
    if how.kind == "percent":
        return share_of(net, how.rate_bps)
    flat = half_even(how.amount * max(units_left, 0) * max(0, base - loose), base)
    return min(flat, share_of(net, how.most_bps))


def half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    return quotient + (remainder * 2 > denominator or (remainder * 2 == denominator and quotient % 2 == 1))


def matches(scope: Scope, value: str, item: Item) -> bool:
    if scope == "store":
        return True
    if scope == "product":
        return value in (item.product, item.slug) and bool(value)
    if scope == "brand":
        return bool(value) and _same(value) == _same(item.brand)
    path = category_path(value)
    return bool(path) and category_path(item.category)[: len(path)] == path


def category_path(category: str) -> tuple[str, ...]:
    """`Bags > Packs` and `bags / packs` are the same way down."""
    return tuple(part for part in (_same(part) for part in re.split("[/>›]", category)) if part)


def has_caps(terms: Terms) -> bool:
    return bool(terms.caps.order or terms.caps.customer or terms.caps.day or terms.caps.month)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or that month's last one."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


def _refusal(item: Item, terms: Terms, buyer: Buyer, at: datetime) -> str:
    """Why a line pays nothing, whoever it was, or an empty word."""
    if item.base == 0:
        return "nothing_paid"
    if reason := refusal_of_buyer(terms, buyer, at):
        return reason
    if any(matches(one.scope, one.value, item) for one in terms.deny):
        return "excluded"
    if terms.sale_bps and item.discount * WHOLE > item.gross * terms.sale_bps:
        return "on_sale"
    return ""


def refusal_of_buyer(terms: Terms, buyer: Buyer, at: datetime) -> str:
    if terms.pays_for == "every_order":
        return ""
    if not buyer.is_known:
        # Without a name nobody can be told from somebody who bought before.
        return "buyer_unknown"
    if terms.pays_for == "new_customer":
        return "" if buyer.is_new else "not_new_customer"
    if terms.pays_for == "first_months":
        is_late = buyer.first_at is not None and at > months_after(buyer.first_at, terms.pays_for_n)
        return "months_over" if is_late else ""
    most = 1 if terms.pays_for == "first_order" else terms.pays_for_n
    if buyer.nth > most:
        return "not_first_order" if most == 1 else "orders_over"
    return ""


def _best(item: Item, terms: Terms, seller: Seller, at: datetime, currency: str, spent: frozenset[str]) -> Rule | None:
    """The most specific rule that is about this line; of equals the first in the list."""

    def fits(rule: Rule) -> bool:
        return (
            matches(rule.scope, rule.value, item)
            and (not rule.tier or _same(rule.tier) == _same(seller.tier))
            and (rule.starts_at is None or rule.starts_at <= at)
            and (rule.ends_at is None or at < rule.ends_at)
            and (currency == terms.currency or (rule.kind == "percent" and not rule.budget))
            and not (rule.budget and rule.budget in spent)
        )

    def specificity(rule: Rule) -> tuple[int, int, bool, bool]:
        depth = len(category_path(rule.value)) if rule.scope == "category" else 0
        return (_RANK[rule.scope], depth, bool(rule.tier), bool(rule.starts_at or rule.ends_at))

    return max(filter(fits, terms.rules), key=specificity, default=None)


def _lowered(item: Item, terms: Terms, how: How, codes: list[str], *, may_replace: bool) -> tuple[How, list[str]]:
    notes: list[str] = []
    used = {_same(code) for code in codes}
    for one in terms.codes:
        if _same(one.code) in used:
            if one.mode == "instead" and may_replace:
                how, notes = How(rate_bps=one.rate_bps, budget=how.budget), [*notes, f"code:{one.code}"]
            elif at_most(how, one.rate_bps) != how:
                how, notes = at_most(how, one.rate_bps), [*notes, f"code:{one.code}"]
    if terms.margin_share_bps and (margin := _margin(item, terms)) is not None:
        most = margin * terms.margin_share_bps // WHOLE
        if at_most(how, most) != how:
            how, notes = at_most(how, most), [*notes, "margin"]
    return how, notes


def at_most(how: How, bps: int) -> How:
    if how.kind == "percent":
        return msgspec.structs.replace(how, rate_bps=min(how.rate_bps, bps))
    return msgspec.structs.replace(how, most_bps=min(how.most_bps, bps))


def _margin(item: Item, terms: Terms) -> int | None:
    """The margin that is told most closely for this line."""

    def closeness(one: Any) -> tuple[int, int]:
        return (_RANK[one.scope], len(category_path(one.value)) if one.scope == "category" else 0)

    told = max((m for m in terms.margins if matches(m.scope, m.value, item)), key=closeness, default=None)
    return told.margin_bps if told else None


def _same(words: str) -> str:
    return " ".join(words.split()).casefold()
