"""The shapes of the demo content. `ago` is always seconds before now."""

from msgspec import Struct


class Member(Struct, frozen=True):
    handle: str
    name: str
    lang: str
    bio: str
    ago: int
    role: str = "member"
    new: bool = False
    """Came within the last weeks, through somebody's link."""


class Reaction(Struct, frozen=True):
    by: str
    emoji: str


class Post(Struct, frozen=True):
    by: str
    body: str
    ago: int
    reactions: tuple[Reaction, ...] = ()
    reply_to: int | None = None
    """The number of the post it answers; the opening post is number 1."""


class Topic(Struct, frozen=True):
    kind: str
    title: str
    lang: str
    posts: tuple[Post, ...]


class Line(Struct, frozen=True):
    """One message of a group's chat."""

    by: str
    body: str
    ago: int


class Group(Struct, frozen=True):
    slug: str
    name: str
    lang: str
    description: str
    owner: str
    ago: int
    members: tuple[str, ...]
    topics: tuple[Topic, ...]
    chat: tuple[Line, ...]


class Store(Struct, frozen=True):
    slug: str
    name: str
    owner: str
    currency: str
    rate_bps: int
    hold_days: int
    about: str


class Product(Struct, frozen=True):
    store: str
    slug: str
    sku: str
    title: str
    brand: str
    category: str
    kind: str
    price: int
    currency: str
    about: str
    drawing: str
    hue: int


class Review(Struct, frozen=True):
    product: str
    by: str
    stars: int
    title: str
    body: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    lang: str
    ago: int
    bought: bool
    """Whether an order of the writer stands behind it."""
    helpful: tuple[str, ...] = ()


class Block(Struct, frozen=True):
    """A part of a guide: text, a heading, or a pick (a product with a sentence on why)."""

    kind: str
    text: str
    product: str | None = None
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()


class Guide(Struct, frozen=True):
    slug: str
    title: str
    by: str
    lang: str
    summary: str
    blocks: tuple[Block, ...]
    ago: int


class Answer(Struct, frozen=True):
    by: str
    body: str
    ago: int


class Question(Struct, frozen=True):
    """What somebody asked about a product, and what owners or the shop answered."""

    product: str
    by: str
    body: str
    ago: int
    answers: tuple[Answer, ...] = ()


class ShopAnswer(Struct, frozen=True):
    """The shop's official answer to one review."""

    product: str
    reviewer: str
    body: str
    ago: int


class Report(Struct, frozen=True):
    """Something that was reported, and what became of it. Without an outcome it still waits in the queue."""

    author: str
    reported_by: tuple[str, ...]
    reason: str
    note: str
    ago: int
    outcome: str = ""
    why: str = ""
    product: str = ""
    """The product whose review by `author` it is about; else it is about a post."""
    topic: tuple[str, int] = ("", 0)
    quotes: str = ""
    """What the reported post in the topic says; without it, `body` is posted there first."""
    body: str = ""


class Link(Struct, frozen=True):
    code: str
    by: str
    target: str
    """"product:slug", "guide:slug", "review:product/handle" or "topic:group/number"."""
    placement: str
    ago: int


class Click(Struct, frozen=True):
    """One visit through a link. `key` names it inside the content, so that a signup or an order can point at it."""

    key: str
    link: str
    kind: str
    ago: int


class Claim(Struct, frozen=True):
    """A member who signed in where the click was made."""

    member: str
    click: str
    ago: int


class Signup(Struct, frozen=True):
    member: str
    click: str
    ago: int


class OrderLine(Struct, frozen=True):
    id: str
    product: str
    quantity: int
    gross: int
    discount: int
    tax: int


class Refund(Struct, frozen=True):
    id: str
    order: str
    ago: int
    lines: tuple[tuple[str, int, int], ...]
    """Line id, quantity, amount."""


class Order(Struct, frozen=True):
    id: str
    number: str
    store: str
    currency: str
    buyer: str
    """A member's handle, or "guest-…" for somebody who only shops."""
    lines: tuple[OrderLine, ...]
    shipping: int
    ago: int
    click: str | None = None
    delivered_ago: int | None = None
    tag: str = ""
    """What the story calls it; most have no name."""
    codes: tuple[str, ...] = ()
    address: str = ""
    card: str = ""
    """Whose card paid, where it was not the buyer's."""
    told_wrong: int = 0
    """By how much the shop's total is off."""


class DemoContent(Struct, frozen=True):
    members: tuple[Member, ...]
    stores: tuple[Store, ...]
    products: tuple[Product, ...]
    groups: tuple[Group, ...]
    reviews: tuple[Review, ...]
    guides: tuple[Guide, ...]
    questions: tuple[Question, ...]
    shop_answers: tuple[ShopAnswer, ...]
    reports: tuple[Report, ...]
    links: tuple[Link, ...]
    clicks: tuple[Click, ...]
    claims: tuple[Claim, ...]
    signups: tuple[Signup, ...]
    orders: tuple[Order, ...]
    refunds: tuple[Refund, ...]
