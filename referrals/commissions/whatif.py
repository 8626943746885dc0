"""What would this pay? A cart goes through the very reckoning that settles orders, and is explained line by line."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import asyncpg
import msgspec
from msgspec import Meta

from app import clock, db
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from app.money import EXPONENTS, Money, check_amount, check_currency
from referrals.commissions import facts, friend, limits
from referrals.commissions.reckoning import Buyer, Item, Reckoned, Seller, reckon
from referrals.programs import words
from referrals.programs.queries import version_at
from referrals.programs.terms import Terms, terms_of

MOST_LINES = 100


class CartLine(msgspec.Struct, frozen=True):
    """`product` is a store's own id of it or our slug; `price` of one unit, in minor units."""

    product: Annotated[str, Meta(min_length=1, max_length=200)]
    price: Annotated[int, Meta(ge=0, le=10**12)]
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    discount: Annotated[int, Meta(ge=0, le=10**12)] = 0


class Cart(msgspec.Struct, frozen=True):
    """`tier`: as if you were in it. `order_number`: the how-manieth order of the buyer it would be."""

    lines: Annotated[list[CartLine], Meta(min_length=1, max_length=MOST_LINES)]
    currency: str
    codes: Annotated[list[str], Meta(max_length=10)] = []
    tier: Annotated[str, Meta(max_length=80)] = ""
    order_number: Annotated[int, Meta(ge=1, le=1000)] = 1


class LineAnswer(msgspec.Struct, frozen=True):
    """`rule` names what paid, `reason` is the stable word for why nothing did; `words` says either to a person, and
    `hold` how long it would wait."""

    product: str
    title: str
    paid: Money
    rule: str
    rate_bps: int
    amount: Money
    reason: str
    words: list[str]
    hold: str = ""


class Answer(msgspec.Struct, frozen=True):
    """`friend` is what the buyer would get."""

    lines: list[LineAnswer]
    amount: Money
    friend: Money | None
    version: int


async def quote(store: asyncpg.Record, cart: Cart, member_id: int | None, *, draft: Terms | None = None) -> Answer:
    """What a cart would pay this member now; without a member, anybody in the tier that is asked about."""
    check_currency(cart.currency)
    now = clock.now()
    current = await version_at(store["id"], now)
    if current is None:
        raise NotFound(_("This store has no programme yet."))
    rules = await facts.rules_for(current["id"], member_id, now)
    terms = draft or terms_of(rules)
    seller = facts.seller_in(rules)
    if cart.tier:
        seller = Seller(cart.tier, seller.agreed)
    items = await _items(store["id"], cart.lines)
    found = [
        reckon(
            item,
            terms,
            rules["rate_bps"],
            seller=seller,
            buyer=Buyer(nth=cart.order_number, is_new=cart.order_number == 1),
            codes=cart.codes,
            at=now,
            currency=cart.currency,
            spent=await limits.spent_budgets(rules["program_id"], terms),
        )
        for item, _title in items
    ]
    granted = await limits.would_grant(
        rules["program_id"], terms, [(one.amount, one.how.budget) for one in found], member_id, now
    )

    def waiting(one: Reckoned) -> str:
        return words.waiting(rules["hold_days"], terms.release, one.how.wait)

    lines = [
        _answer(one, title, amount, cart.currency, "" if one.refused else waiting(one))
        for (one, (_item, title), amount) in zip(found, items, granted, strict=True)
    ]
    base = sum(one.item.base for one in found)
    given = friend.amount_for(terms.friend, base, base) if terms.friend and _pays(found) else 0
    return Answer(
        lines,
        Money(sum(granted), cart.currency),
        Money(given, cart.currency) if given else None,
        current["version"],
    )


def _pays(found: list[Reckoned]) -> bool:
    return any(one.amount for one in found)


def _answer(one: Reckoned, title: str, granted: int, currency: str, hold: str) -> LineAnswer:
    said = [words.refusal_words(one.refused)] if one.refused else [words.rule_name(one.rule)]
    if not one.refused:
        said += [words.percent(one.how.rate_bps)] if one.how.kind == "percent" else []
        if one.how.kind == "flat":
            each = words.sum_of(one.how.amount, currency)
            said += [_("%(sum)s for each of %(n)s", sum=each, n=one.how.quantity)]
        said += [words.note_words(note) for note in one.notes]
        if granted < one.amount:
            said.append(_("A limit leaves %(sum)s of %(asked)s.", sum=words.sum_of(granted, currency),
                          asked=words.sum_of(one.amount, currency)))  # fmt: skip
    return LineAnswer(
        one.item.product,
        title,
        Money(one.item.base, currency),
        one.rule,
        one.how.rate_bps if one.how.kind == "percent" else 0,
        Money(granted, currency),
        one.refused,
        said,
        hold,
    )


async def _items(store_id: int, lines: list[CartLine]) -> list[tuple[Item, str]]:
    """The lines with what the catalogue knows of them, and their titles; an unknown product is asked about as it is."""
    rows = await db.fetch(
        """SELECT external_id, slug, title, category, brand FROM product
            WHERE store_id = $1 AND (external_id = ANY($2::text[]) OR slug = ANY($2::text[]))""",
        store_id,
        [line.product for line in lines],
    )
    known = {row["slug"]: row for row in rows} | {row["external_id"]: row for row in rows}
    items = []
    for line in lines:
        row = known.get(line.product)
        gross = check_amount(line.price * line.quantity, "lines")
        items.append(
            (
                Item(
                    product=row["external_id"] if row else line.product,
                    slug=row["slug"] if row else "",
                    category=row["category"] if row else "",
                    brand=row["brand"] if row else "",
                    quantity=line.quantity,
                    gross=gross,
                    discount=min(line.discount, gross),
                ),
                row["title"] if row else line.product,
            )
        )
    return items


def read_cart(text: str, currency: str) -> list[CartLine]:
    """A pasted cart: one thing to a line, `SKU-1 2 129.00` or with commas, tabs or semicolons: product, quantity,
    price of one, and perhaps a discount on the line."""
    check_currency(currency)
    lines = []
    for number, raw in enumerate((line for line in text.splitlines() if line.strip()), 1):
        parts = [part for part in raw.replace(";", " ").replace(",", " ").replace("\t", " ").split(" ") if part]
        try:
            amounts = [Decimal(part).scaleb(EXPONENTS[currency]) for part in parts[2:]]
            fits = len(parts) in (3, 4) and all(one == int(one) and 0 <= one <= 10**12 for one in amounts)
            quantity = int(parts[1]) if fits else 0
        except (InvalidOperation, ValueError, OverflowError, IndexError):
            quantity = 0
        if not 1 <= quantity <= 10_000 or number > MOST_LINES:
            raise Invalid(
                "cart", _("Line %(n)s: write the product, how many, and the price of one: SKU-1 2 129.00", n=number)
            )
        lines.append(CartLine(parts[0][:200], int(amounts[0]), quantity, int(amounts[1]) if len(amounts) > 1 else 0))
    if not lines:
        raise Invalid("cart", _("Write at least one line."))
    return lines
