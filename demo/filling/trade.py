"""Links and clicks in bulk; then every order as its shop would send it, through the inbox and the real jobs.

Our clock is set to the moment of each message, so that holds end and books are dated as if we had been there.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from standardwebhooks.webhooks import Webhook

from app import db, jobs
from demo.content.commerce import DAYS
from demo.content.model import Link, Order, Refund
from demo.filling.people import email_of
from demo.filling.rows import Filling, copy_in, go_to, take_ids, uuid_at
from demo.filling.shops import address_of
from referrals.clicks.writer import INSERT
from referrals.commissions.release import release_due
from storefront.connectors.service import receive

REFERRERS = ("", "", "", "news.example", "video.example", "forum.example", "chat.example")
SLOT = 0
DAY = 86400
Tell = Callable[[int, int], None]
Deed = tuple[int, Callable[[Filling], Awaitable[None]]]
"""How long ago somebody did something, and what."""


async def share_links(f: Filling) -> None:
    links = sorted(f.content.links, key=lambda link: -link.ago)
    for link, link_id in zip(links, await take_ids("link", len(links)), strict=True):
        f.links[link.code] = link_id
    await copy_in(
        "link",
        "id code owner_id store_id target_kind target_id destination placement created_at",
        [
            (
                f.links[link.code],
                link.code,
                f.members[link.by],
                *(await _target(f, link)),
                link.placement,
                f.at(link.ago),
            )
            for link in links
        ],
    )


# Code: where its QR hangs, and what printing it cost.
HUNG = {
    "samir-thursday": ("poster", "The back room, beside the coats", 1800, "GBP"),
    "callum-vest": ("shelf", "Depot, third board on the left", 650, "GBP"),
    "linwei-qr": ("event", "线下分享会入口", 12_000, "CNY"),
}
INSIDE_WECHAT = {
    "code": "linwei-pack",
    "rules": [
        {
            "when": {"in_app": ["wechat"]},
            "to": "page:/p/alder-trail-pack-28",
            "destination": "/p/alder-trail-pack-28",
        }
    ],
}


async def hang_links(f: Filling) -> None:
    """Some links are printed, and people scan them; one leads visitors inside WeChat to a page of ours."""
    await copy_in(
        "link_placement",
        "link_id kind location cost currency created_at",
        [(f.links[code], *place, f.now) for code, place in HUNG.items()],
    )
    await db.execute(
        "UPDATE click SET trigger = 'qr' WHERE link_id = ANY($1) AND kind = 'human'", [f.links[code] for code in HUNG]
    )
    await db.execute(
        "UPDATE link SET routes = $2::jsonb WHERE code = $1",
        INSIDE_WECHAT["code"],
        msgspec.json.encode({"rules": INSIDE_WECHAT["rules"]}).decode(),
    )


async def _target(f: Filling, link: Link) -> tuple[int | None, str, int, str]:
    """Store, kind, id and destination, as making the link would have found them."""
    kind, _, name = link.target.partition(":")
    products = {product.slug: product for product in f.content.products}
    if kind == "product":
        product = products[name]
        row = await db.fetch_one("SELECT id, url FROM product WHERE slug = $1", name)
        assert row is not None
        return f.stores[product.store], kind, row["id"], row["url"]
    if kind == "review":
        slug, by = name.split("/")
        review_id = f.reviews[slug, by]
        return f.stores[products[slug].store], kind, review_id, f"/p/{slug}/reviews/{review_id}"
    if kind == "guide":
        return None, kind, f.guides[name], f"/guides/{name}"
    slug, number = name.split("/")
    topic_id = f.topics[slug, int(number)]
    topic_slug = await db.fetch_val("SELECT slug FROM topic WHERE id = $1", topic_id)
    return None, kind, topic_id, f"/g/{slug}/t/{topic_id}-{topic_slug}"


async def count_clicks(f: Filling) -> None:
    rng = f.rng("clicks")
    f.clicks = {click.key: uuid_at(f.at(click.ago), f"{f.seed}/{click.key}") for click in f.content.clicks}
    clicks = sorted(f.content.clicks, key=lambda click: -click.ago)
    # As the redirect writes them, so that they are counted in the same breath.
    await db.execute(
        INSERT,
        [f.clicks[click.key] for click in clicks],
        [f.links[click.link] for click in clicks],
        [f.at(click.ago) for click in clicks],
        [click.kind for click in clicks],
        [f"{rng.getrandbits(64):016x}" for _ in clicks],
        [rng.choice(REFERRERS) for _ in clicks],
        SLOT,
    )
    owner = {link.code: link.by for link in f.content.links}
    link_of = {click.key: click.link for click in f.content.clicks}
    await copy_in(
        "click_claim",
        "click_id member_id claimed_at",
        [(f.clicks[claim.click], f.members[claim.member], f.at(claim.ago)) for claim in f.content.claims],
    )
    await copy_in(
        "signup_referral",
        "member_id referrer_id click_id link_id created_at",
        [
            (
                f.members[signup.member],
                f.members[owner[link_of[signup.click]]],
                f.clicks[signup.click],
                f.links[link_of[signup.click]],
                f.at(signup.ago),
            )
            for signup in f.content.signups
        ],
    )


async def live_through(f: Filling, deeds: Sequence[Deed], tell: Tell) -> None:
    """Every message of every shop and everything people did, in the order of time; each evening holds end."""
    told: list[Deed] = [
        (ago, partial(send, store=store, kind=kind, ago=ago, data=data)) for ago, store, kind, data in _told(f)
    ]
    evenings: list[Deed] = [(day * DAY + DAY // 4, _let_holds_end) for day in range(DAYS)]
    happened = sorted([*deeds, *told, *evenings], key=lambda one: -one[0])
    last_job = await run_jobs(0)
    for done, (ago, happen) in enumerate(happened):
        go_to(f.at(ago))
        await happen(f)
        last_job = await run_jobs(last_job)
        if done % 50 == 0:
            tell(done, len(happened))


def _told(f: Filling) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    orders = {order.id: order for order in f.content.orders}
    for order in orders.values():
        # Of what was bought long ago by nobody's link, shops tell once, when it has arrived.
        if order.delivered_ago is None or order.delivered_ago < DAYS * DAY or order.click:
            yield order.ago, order.store, "order.paid", _paid(f, order)
        if order.delivered_ago is not None:
            told = {**_paid(f, order), "updated_at": _iso(f.at(order.delivered_ago))}
            yield order.delivered_ago, order.store, "order.delivered", told
    for refund in f.content.refunds:
        yield refund.ago, orders[refund.order].store, "order.refunded", _refund(f, orders, refund)


async def _let_holds_end(_f: Filling) -> None:
    await release_due()


async def send(f: Filling, *, store: str, kind: str, ago: int, data: dict[str, Any]) -> None:
    """One webhook, signed with the store's own secret, as its till would send it."""
    at = f.at(ago)
    body = msgspec.json.encode({"type": kind, "timestamp": _iso(at), "data": data})
    message_id = f"demo-{kind}-{data.get('refund_id') or data.get('dispute_id') or data['id']}"
    # The signature is dated by the real clock, which is the one its check looks at.
    sent_at = datetime.now(UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(f.secrets[store]).sign(message_id, sent_at, body.decode()),
    }
    await receive(store, headers, body)


async def run_jobs(last: int) -> int:
    """Run what was queued since, oldest first, as the worker would; the id of the last one.

    By id, because the queue dates its jobs with the database's clock, which is not travelling with ours.
    """
    while rows := await db.fetch("DELETE FROM pgqueuer WHERE id > $1 RETURNING id, entrypoint, payload", last):
        for row in sorted(rows, key=lambda row: row["id"]):
            # The search index is made once, at the end.
            if not row["entrypoint"].startswith("search."):
                await jobs._work[row["entrypoint"]](row["payload"] or b"")
        last = max(row["id"] for row in rows)
    return last


def _paid(f: Filling, order: Order) -> dict[str, Any]:
    titles = {product.sku: product.title for product in f.content.products}
    data: dict[str, Any] = {
        "id": order.id,
        "number": order.number,
        "currency": order.currency,
        "placed_at": _iso(f.at(order.ago) - timedelta(minutes=1)),
        "paid_at": _iso(f.at(order.ago)),
        "updated_at": _iso(f.at(order.ago)),
        "customer": {"id": f"c-{order.buyer}", "email": _email(order.buyer)},
        "lines": [
            {
                "id": line.id,
                "product_id": line.product,
                "title": titles[line.product],
                "quantity": line.quantity,
                "gross": line.gross,
                "discount": line.discount,
                "tax": line.tax,
            }
            for line in order.lines
        ],
        "shipping": order.shipping,
        "codes": list(order.codes),
        "payment_fingerprint": f"card-{order.card or order.buyer}",
    }
    if order.address:
        data["shipping_address"] = {"line1": order.address, "postcode": "0450", "country": "NO"}
    if order.told_wrong:
        parts = sum(line.gross - line.discount + line.tax for line in order.lines) + order.shipping
        data["total"] = parts + order.told_wrong
    if order.click:
        data["gv"] = f.clicks[order.click].hex
    return data


def _email(buyer: str) -> str:
    return f"{buyer}@shoppers.example" if buyer.startswith("guest-") else email_of(buyer)


def _refund(f: Filling, orders: dict[str, Order], refund: Refund) -> dict[str, Any]:
    return {
        "refund_id": refund.id,
        "order_id": refund.order,
        "currency": orders[refund.order].currency,
        "refunded_at": _iso(f.at(refund.ago)),
        "lines": [{"id": line, "quantity": quantity, "amount": amount} for line, quantity, amount in refund.lines],
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat()


async def follow_address(old: str, new: str, products: tuple[Any, ...]) -> None:
    """The demo may come back on another port: its shops and the links to them move along."""
    async with db.transaction():
        await db.execute("UPDATE store SET origin = $2 WHERE origin = $1", old, new)
        for product in products:
            was, now = address_of(product, old), address_of(product, new)
            await db.execute("UPDATE product SET url = $2 WHERE url = $1", was, now)
            await db.execute("UPDATE link SET destination = $2 WHERE destination = $1", was, now)
