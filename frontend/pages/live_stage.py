"""What stands on the stage of a live event: products with the host's links and their disclosure, questions, a poll."""

from typing import Any

import asyncpg

from app.auth import Viewer
from app.disclosure import EarningLink
from community.chat import policy as chat_policy
from content.live_events import policy, queries
from frontend.pages.disclosure import Terms, terms_of
from referrals.live_cards.queries import codes_of


async def stage_of(viewer: Viewer, event: asyncpg.Record) -> dict[str, Any]:
    """Seven queries, however much there is."""
    is_over = event["state"] in ("ended", "cancelled")
    pins = _once(await queries.pins_shown(event["id"])) if is_over else await queries.pins_up(event["id"])
    polls = await queries.polls(event["id"], viewer, only_last=True)
    room = await chat_policy.access_room(viewer, event["room_id"])
    terms, links = await links_of(event, pins)
    return {
        "event": event,
        "pins": pins,
        "links": links,
        "terms": terms,
        "host_earns": event["host_id"] in terms.earners,
        "poll": polls[0] if polls else None,
        "questions": await queries.questions(event["id"], viewer),
        "answered": await queries.questions(event["id"], viewer, settled=True),
        "takes_part": viewer.is_member and chat_policy.belongs(room) and not is_over,
        "is_host": policy.is_host(viewer, event),
        "may_tidy": policy.may_tidy(viewer, event),
    }


async def links_of(event: asyncpg.Record, pins: list[asyncpg.Record]) -> tuple[Terms, dict[int, EarningLink]]:
    """Who earns from these products, and by pin the host's way to the shop."""
    codes = await codes_of([pin["id"] for pin in pins])
    terms = await terms_of(
        {pin["store_id"] for pin in pins}, [event["host_id"]], product_ids=[pin["product_id"] for pin in pins]
    )
    return terms, {pin_id: EarningLink(f"/r/{code}", terms.market) for pin_id, code in codes.items()}


def _once(pins: list[asyncpg.Record]) -> list[asyncpg.Record]:
    """Each product once, by its last card."""
    return list({pin["product_id"]: pin for pin in pins}.values())
