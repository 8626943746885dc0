"""Live events, held as their host would hold them: by the services, each step at its moment."""

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from app import clock, db
from app.text import chat_markdown
from community.chat import writer
from content.live_events import hosts, polls, questions, reminders, segments, service
from content.live_events.schemas import NewLive, NewPin, NewPoll, NewSegment
from demo.content.live import COMING, HELD, ON_AIR, STOCK, LiveEvent, Moment
from demo.filling.rows import Filling, go_to, tag, uuid_at
from demo.filling.trade import SLOT, Deed, send
from referrals.clicks.writer import INSERT
from referrals.live_cards import service as live_cards

NAMES = UUID("7d5f0f3e-6f52-4c55-9d0e-3f1a0a7c2b11")


def deeds() -> list[Deed]:
    return [
        (HELD.announced, partial(_announce, event=HELD)),
        (HELD.begins, partial(_hold, event=HELD)),
        (ON_AIR.announced, partial(_announce, event=ON_AIR)),
        (ON_AIR.begins, partial(_hold, event=ON_AIR)),
        (COMING.announced, partial(_announce, event=COMING)),
    ]


async def count_stock(f: Filling) -> None:
    for slug, left in STOCK.items():
        await db.execute("UPDATE product SET stock = $2 WHERE id = $1", f.products[slug], left)


async def _announce(f: Filling, event: LiveEvent) -> None:
    host = f.viewer(event.host)
    new = NewLive(event.title, f.at(event.begins), summary=event.summary, lang=tag(event.lang), group=event.group)  # type: ignore[arg-type]
    slug = await service.plan(host, new)
    for handle in event.cohosts:
        await hosts.invite(host, slug, handle)
        await hosts.accept(f.viewer(handle), slug)
    for handle in event.reminded:
        await reminders.remind(f.viewer(handle), slug)
    for product in event.ready:
        await live_cards.pin(host, slug, NewPin(product))
    if event.begins < 0:
        for moment in event.moments:
            await _happen(f, event, slug, moment)


async def _hold(f: Filling, event: LiveEvent) -> None:
    host, begun = f.viewer(event.host), f.at(event.begins)
    slug = await db.fetch_val("SELECT slug FROM live_event WHERE title = $1", event.title)
    await service.begin(host, slug)
    for moment in event.moments:
        go_to(begun + timedelta(seconds=moment.at))
        await _happen(f, event, slug, moment)
    if event.length:
        go_to(begun + timedelta(seconds=event.length))
        await service.end(host, slug)


async def _happen(f: Filling, event: LiveEvent, slug: str, moment: Moment) -> None:
    host, by = f.viewer(event.host), f.viewer(moment.by or event.host)
    match moment.kind:
        case "said":
            await segments.write(host, slug, NewSegment(moment.words))
        case "line":
            await _say(f, slug, moment)
        case "question":
            room = await db.fetch_one("SELECT * FROM live_event WHERE slug = $1", slug)
            await questions._raise(room, await _say(f, slug, moment), f.members[moment.by])  # type: ignore[arg-type]
        case "vote-question":
            await questions.vote(by, slug, await _question(slug, moment.words))
        case "answer":
            await questions.mark_answered(host, slug, await _question(slug, moment.words))
        case "pin":
            await live_cards.pin(by, slug, NewPin(moment.product, moment.words))
        case "sale":
            await _buy(f, event, slug, moment)
        case "poll":
            question, *options = moment.words.split("|")
            await polls.open_poll(host, slug, NewPoll(question, options))
        case "vote":
            poll_id = await db.fetch_val("SELECT max(id) FROM live_poll")
            await polls.vote(by, slug, poll_id, int(moment.words))


async def _question(slug: str, words: str) -> int:
    return await db.fetch_val(
        """SELECT q.id FROM live_question q JOIN live_event e ON e.id = q.event_id JOIN message m ON m.id = q.message_id
            WHERE e.slug = $1 AND m.body = $2""",
        slug,
        words,
    )


async def _say(f: Filling, slug: str, moment: Moment) -> int:
    """A message as the chat's writer makes it; that one commits by itself, and here everything is one commit."""
    room_id = await db.fetch_val("SELECT room_id FROM live_event WHERE slug = $1", slug)
    seq = await db.fetch_val("UPDATE room SET said = said + 1 WHERE id = $1 RETURNING seq + 1", room_id)
    message_id: int = await db.fetch_val(
        """INSERT INTO message (room_id, author_id, client_id, fingerprint, seq, body, html, extra, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8) RETURNING id""",
        room_id,
        f.members[moment.by],
        uuid5(NAMES, f"{slug}/{seq}"),
        hashlib.sha256(f"\n{moment.words}".encode()).digest(),
        seq,
        moment.words,
        chat_markdown(moment.words),
        clock.now(),
    )
    await writer.append(room_id, "message", message_id=message_id, author_id=f.members[moment.by])
    return message_id


async def _buy(f: Filling, event: LiveEvent, slug: str, moment: Moment) -> None:
    """A viewer follows the card and buys: the host is credited, and her desk says so."""
    link_id = await db.fetch_val(
        """SELECT c.link_id FROM live_pin_link c JOIN live_pin p ON p.id = c.pin_id
             JOIN live_event e ON e.id = p.event_id JOIN product x ON x.id = p.product_id
            WHERE e.slug = $1 AND x.slug = $2 ORDER BY c.id LIMIT 1""",
        slug,
        moment.product,
    )
    ago = event.begins - moment.at
    at = f.at(ago)
    click_id = uuid_at(at, f"{f.seed}/live" if event is HELD else f"{f.seed}/{event.order}")
    await db.execute(INSERT, [click_id], [link_id], [at], ["human"], ["1c0de0fa11ce0fee"], [""], SLOT)
    bought = _order(f, event.order, moment.product, click_id.hex, at.isoformat())
    await send(f, store="demo", kind="order.paid", ago=ago, data=bought)


def _order(f: Filling, name: str, slug: str, gv: str, at: str) -> dict[str, Any]:
    bought = next(product for product in f.content.products if product.slug == slug)
    line = {"id": f"{name}-1", "product_id": bought.sku, "title": bought.title, "quantity": 1, "gross": bought.price}
    return {
        "id": name,
        "number": name,
        "currency": bought.currency,
        "placed_at": at,
        "paid_at": at,
        "updated_at": at,
        "customer": {"id": f"c-{name.lower()}", "email": f"{name.lower()}@shoppers.example"},
        "lines": [{**line, "discount": 0, "tax": 0}],
        "shipping": 590,
        "codes": [],
        "payment_fingerprint": f"card-{name.lower()}",
        "gv": gv,
    }
