"""Two months of links, clicks, signups and orders, and the older orders behind the reviews."""

from math import exp
from random import Random
from typing import Any

from msgspec import Struct

from demo.content.model import Claim, Click, Link, Member, Order, OrderLine, Product, Refund, Review, Signup
from demo.content.source import read
from demo.content.staged import SCENES, Scene
from demo.content.talk import DAY, HOUR, MINUTE

SHIPPING = {"USD": 590, "GBP": 395, "CNY": 800}
TAX_PERCENT = {"USD": 8, "GBP": 0, "CNY": 0}
DAYS = 60
FIRST_NUMBER = {"demo": 1480, "kettle": 310, "qingsui": 760}
PREFIX = {"demo": "NF", "kettle": "KC", "qingsui": "QS"}


# A review that says this was written by somebody who sent the thing back.
WENT_BACK = ("went back", "ack it went", "The return was easy", "Money came back", "退了", "退款", "refund")


class Trade(Struct, frozen=True):
    links: tuple[Link, ...]
    clicks: tuple[Click, ...]
    claims: tuple[Claim, ...]
    signups: tuple[Signup, ...]
    orders: tuple[Order, ...]
    refunds: tuple[Refund, ...]


class Sale(Struct):
    """An order before it has its number: numbers follow time."""

    store: str
    buyer: str
    products: list[tuple[Product, int]]
    ago: int
    click: str | None = None
    delivered_ago: int | None = None
    returned: tuple[tuple[str, int], ...] = ()
    """Product slugs that were sent back, and when."""
    scene: Scene | None = None


def trade(
    rng: Random, members: tuple[Member, ...], products: tuple[Product, ...], reviews: tuple[Review, ...]
) -> Trade:
    sources = read("links")["link"]
    clicks = {source["code"]: _clicks(rng, source) for source in sources}
    signups, claims = _signups(sources, clicks, members)
    sales = _behind_reviews(rng, products, reviews)
    sales += [sale for source in sources for sale in _through(rng, source, clicks[source["code"]], products, signups)]
    sales += _by_chance(rng, products, members)
    sales += [_staged(n, scene, clicks, products) for n, scene in enumerate(SCENES)]
    orders, returns = _numbered(rng, sales)
    return Trade(
        links=tuple(_link(source) for source in sources),
        clicks=tuple(click for made in clicks.values() for click in made),
        claims=tuple(claims),
        signups=tuple(signups),
        orders=orders,
        refunds=(*returns, *_refunds(rng, orders)),
    )


def _link(source: dict[str, Any]) -> Link:
    return Link(
        code=source["code"], by=source["by"], target=source["target"], placement=source["placement"], ago=75 * DAY
    )


def _clicks(rng: Random, source: dict[str, Any]) -> list[Click]:
    """Sixty days of visits, more of them lately, more in the evening."""
    made: list[Click] = []
    for day in range(DAYS - 1, -1, -1):
        for _ in range(_poisson(rng, source["daily"] * (0.5 + max(30 - day, -10) / 40))):
            kind = rng.choices(("human", "bot", "preview", "prefetch"), (86, 8, 4, 2))[0]
            ago = day * DAY + int(rng.triangular(5 * MINUTE, DAY - 1, DAY * 0.3))
            made.append(Click(key=f"{source['code']}/{len(made)}", link=source["code"], kind=kind, ago=ago))
    return sorted(made, key=lambda click: -click.ago)


def _poisson(rng: Random, mean: float) -> int:
    limit, product, hits = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        hits += 1
    return hits


def _signups(
    sources: list[dict[str, Any]], clicks: dict[str, list[Click]], members: tuple[Member, ...]
) -> tuple[list[Signup], list[Claim]]:
    """Each newcomer came by the last person's click on the link before the day they joined."""
    joined = {member.handle: member.ago for member in members}
    signups, claims, taken = [], [], set()
    for source in sources:
        people = [click for click in clicks[source["code"]] if click.kind == "human"]
        for newcomer in source["brings"]:
            before = [click for click in people if click.ago > joined[newcomer] and click.key not in taken]
            if not before:
                continue
            click = before[-1]
            taken.add(click.key)
            signups.append(Signup(member=newcomer, click=click.key, ago=joined[newcomer]))
            claims.append(Claim(member=newcomer, click=click.key, ago=joined[newcomer]))
    return signups, claims


def _behind_reviews(rng: Random, products: tuple[Product, ...], reviews: tuple[Review, ...]) -> list[Sale]:
    """What the reviewers bought, some days before they wrote, several things at a time."""
    by_slug = {product.slug: product for product in products}
    shopping: dict[tuple[str, str], list[Review]] = {}
    for review in reviews:
        if review.bought:
            shopping.setdefault((review.by, by_slug[review.product].store), []).append(review)
    sales = []
    for (buyer, store), wanted in shopping.items():
        wanted.sort(key=lambda review: -review.ago)
        while wanted:
            size = rng.choice((2, 3, 4, 5))
            first, wanted = wanted[:size], wanted[size:]
            ago = first[0].ago + int(DAY * rng.uniform(9, 34))
            sales.append(
                Sale(
                    store=store,
                    buyer=buyer,
                    products=[(by_slug[review.product], 1) for review in first],
                    ago=ago,
                    delivered_ago=ago - int(DAY * rng.uniform(2, 5)),
                    returned=tuple((review.product, review.ago + 7 * HOUR) for review in first if _went_back(review)),
                )
            )
    return sales


def _went_back(review: Review) -> bool:
    return review.stars <= 2 and any(words in review.body for words in WENT_BACK)


def _through(
    rng: Random, source: dict[str, Any], clicks: list[Click], products: tuple[Product, ...], signups: list[Signup]
) -> list[Sale]:
    """Orders that carry a click of this link: what it shows, and now and then something else beside it."""
    shown = _shown(source["target"], products)
    people = [click for click in clicks if click.kind == "human"]
    newcomers = [signup.member for signup in signups if signup.click.split("/")[0] == source["code"]]
    sales = []
    for click in rng.sample(people, min(source["buys"], len(people))):
        bought = rng.choice(shown)
        basket = [(bought, rng.choice((1, 1, 1, 1, 2)) if bought.price < 5000 else 1)]
        beside = [product for product in products if product.store == bought.store and product is not bought]
        if rng.random() < 0.4:
            basket.append((rng.choice(beside), 1))
        joined = [signup for signup in signups if signup.member in newcomers]
        buyer = f"guest-{rng.randrange(10**6):06d}"
        if joined and rng.random() < 0.4 and joined[0].ago > click.ago:
            buyer = joined[0].member
        ago = max(click.ago - int(rng.choice((4 * MINUTE, 11 * MINUTE, 26 * MINUTE, 3 * HOUR, 30 * HOUR))), 2 * MINUTE)
        sales.append(
            Sale(
                store=bought.store,
                buyer=buyer,
                products=basket,
                ago=ago,
                click=click.key,
                delivered_ago=ago - int(DAY * rng.uniform(2, 4)) if ago > 5 * DAY else None,
            )
        )
    return sales


def _shown(target: str, products: tuple[Product, ...]) -> list[Product]:
    kind, _, name = target.partition(":")
    if kind == "product" or kind == "review":
        return [product for product in products if product.slug == name.split("/")[0]]
    if kind == "guide":
        written = [*read("guides/outdoors")["guide"], *read("guides/indoors")["guide"]]
        blocks = next(guide["blocks"] for guide in written if guide["slug"] == name)
        picked = [block[1] for block in blocks if block[0] == "pick"]
        return [product for product in products if product.slug in picked]
    return [product for product in products if product.kind == "games"]


def _by_chance(rng: Random, products: tuple[Product, ...], members: tuple[Member, ...]) -> list[Sale]:
    """Orders of the month that nobody's word led to."""
    sales = []
    for _ in range(64):
        store = rng.choices(("demo", "kettle", "qingsui"), (3, 1, 2))[0]
        choice = [product for product in products if product.store == store]
        ago = int(rng.uniform(0.05, DAYS - 1) * DAY)
        buyer = rng.choice(members).handle if rng.random() < 0.25 else f"guest-{rng.randrange(10**6):06d}"
        basket = [(product, 1) for product in rng.sample(choice, rng.choice((1, 1, 2, 3)))]
        delivered = ago - int(DAY * rng.uniform(2, 4)) if ago > 5 * DAY else None
        sales.append(Sale(store=store, buyer=buyer, products=basket, ago=ago, delivered_ago=delivered))
    return sales


def _staged(n: int, scene: Scene, clicks: dict[str, list[Click]], products: tuple[Product, ...]) -> Sale:
    by_slug = {product.slug: product for product in products}
    came_by = [click for click in clicks.get(scene.link, ()) if click.kind == "human" and click.ago > scene.ago + 120]
    return Sale(
        store="demo",
        buyer=scene.buyer or f"guest-{900_000 + n}",
        products=[(by_slug[slug], quantity) for slug, quantity in scene.products],
        ago=scene.ago,
        click=came_by[-1].key if came_by else None,
        delivered_ago=scene.ago - scene.delivered if scene.delivered else None,
        scene=scene,
    )


def _numbered(rng: Random, sales: list[Sale]) -> tuple[tuple[Order, ...], tuple[Refund, ...]]:
    numbers = dict(FIRST_NUMBER)
    orders, refunds = [], []
    for sale in sorted(sales, key=lambda sale: -sale.ago):
        numbers[sale.store] += 1
        number = f"{PREFIX[sale.store]}-{numbers[sale.store]}"
        currency = sale.products[0][0].currency
        lines = tuple(_line(rng, f"{number}-{n}", *bought) for n, bought in enumerate(sale.products, 1))
        orders.append(
            Order(
                id=number,
                number=number,
                store=sale.store,
                currency=currency,
                buyer=sale.buyer,
                lines=lines,
                shipping=0 if sum(line.gross for line in lines) > 9000 else SHIPPING[currency],
                ago=sale.ago,
                click=sale.click,
                delivered_ago=sale.delivered_ago,
                tag=sale.scene.tag if sale.scene else "",
                codes=sale.scene.codes if sale.scene else (),
                address=sale.scene.address if sale.scene else "",
                card=sale.scene.card if sale.scene else "",
                told_wrong=sale.scene.told_wrong if sale.scene else 0,
            )
        )
        line_of = {product.slug: line for (product, _), line in zip(sale.products, lines, strict=True)}
        for slug, amount, ago in sale.scene.back if sale.scene else ():
            line = line_of[slug]
            amount = min(amount, line.gross - line.discount)
            refunds.append(Refund(id=f"R-{line.id}", order=number, ago=ago, lines=((line.id, line.quantity, amount),)))
        back = dict(sale.returned)
        for (product, quantity), line in zip(sale.products, lines, strict=True):
            if product.slug in back:
                what = (line.id, quantity, line.gross - line.discount)
                refunds.append(Refund(id=f"R-{line.id}", order=number, ago=back[product.slug], lines=(what,)))
    return tuple(orders), tuple(refunds)


def _line(rng: Random, line_id: str, product: Product, quantity: int) -> OrderLine:
    gross = product.price * quantity
    discount = gross // 10 if rng.random() < 0.15 else 0
    tax = (gross - discount) * TAX_PERCENT[product.currency] // 100
    return OrderLine(id=line_id, product=product.sku, quantity=quantity, gross=gross, discount=discount, tax=tax)


def _refunds(rng: Random, orders: tuple[Order, ...]) -> tuple[Refund, ...]:
    """Some of the month's credited orders went back: one of two items, part of a price, once all of it."""
    earned = [
        order
        for order in orders
        if order.click and order.delivered_ago and order.delivered_ago > 2 * DAY and not order.tag
    ]
    refunds = []
    for place, order in enumerate(rng.sample(earned, min(8, len(earned)))):
        if place == 0:
            back = tuple((line.id, line.quantity, line.gross - line.discount) for line in order.lines)
        elif len(order.lines) > 1:
            line = order.lines[-1]
            back = ((line.id, line.quantity, line.gross - line.discount),)
        else:
            # A price lowered afterwards: the goods stay.
            line = order.lines[0]
            back = ((line.id, 0, (line.gross - line.discount) // 5),)
        assert order.delivered_ago is not None
        ago = int(order.delivered_ago - DAY * rng.uniform(0.5, 1.8))
        refunds.append(Refund(id=f"R-{order.id}", order=order.id, ago=ago, lines=back))
    return tuple(refunds)
