"""Members, stores, products and guides: straight from the hand-written files."""

from random import Random
from typing import Any

from demo.content.model import Block, Guide, Member, Product, Store
from demo.content.source import read
from demo.content.talk import DAY


def members(rng: Random) -> tuple[Member, ...]:
    return tuple(
        Member(
            handle=source["handle"],
            name=source["name"],
            lang=source["lang"],
            bio=source["bio"],
            role=source.get("role", "member"),
            new=source.get("new", False),
            ago=DAY * source.get("days", rng.randint(3, 27) if source.get("new") else rng.randint(230, 480)),
        )
        for source in read("members")["members"]
    )


def stores() -> tuple[Store, ...]:
    return tuple(
        Store(**{name: value for name, value in source.items() if name != "products"})
        for source in read("stores")["store"]
    )


def products() -> tuple[Product, ...]:
    return tuple(
        _product(store, source)
        for store in read("stores")["store"]
        for source in read(f"products-{store['products']}")["product"]
    )


def _product(store: dict[str, Any], source: dict[str, Any]) -> Product:
    drawing, hue = source["look"].split()
    return Product(
        store=store["slug"],
        currency=store["currency"],
        drawing=drawing,
        hue=int(hue),
        **{name: value for name, value in source.items() if name != "look"},
    )


def guides(rng: Random) -> tuple[Guide, ...]:
    written = [*read("guides/outdoors")["guide"], *read("guides/indoors")["guide"]]
    return tuple(
        Guide(
            slug=source["slug"],
            title=source["title"],
            by=source["by"],
            lang=source["lang"],
            summary=source["summary"],
            blocks=tuple(_block(*block) for block in source["blocks"]),
            ago=int(DAY * (3 + 6 * place + rng.uniform(0, 5))),
        )
        for place, source in enumerate(written)
    )


def _block(kind: str, text: str, *pick: Any) -> Block:
    if kind != "pick":
        return Block(kind=kind, text=text)
    why, pros, cons = pick
    return Block(kind=kind, text=why, product=text, pros=tuple(pros), cons=tuple(cons))
