"""Puts the parts together. Each part has its own random stream, so that changing one leaves the others as they are."""

from random import Random

from demo.content import aside, commerce, opinions, shelves, talk
from demo.content.model import DemoContent


def build(seed: int) -> DemoContent:
    members = shelves.members(Random(f"{seed}:members"))
    settled = tuple(member for member in members if not member.new)
    products = shelves.products()
    reviews = opinions.reviews(Random(f"{seed}:reviews"), settled, products)
    shop_answers = aside.shop_answers(Random(f"{seed}:answers"), reviews)
    trade = commerce.trade(Random(f"{seed}:trade"), members, products, reviews)
    return DemoContent(
        members=members,
        stores=shelves.stores(),
        products=products,
        groups=talk.groups(Random(f"{seed}:talk"), settled),
        reviews=reviews,
        guides=shelves.guides(Random(f"{seed}:guides")),
        questions=aside.questions(Random(f"{seed}:questions"), members),
        shop_answers=shop_answers,
        reports=aside.reports(),
        links=trade.links,
        clicks=trade.clicks,
        claims=trade.claims,
        signups=trade.signups,
        orders=trade.orders,
        refunds=trade.refunds,
    )
