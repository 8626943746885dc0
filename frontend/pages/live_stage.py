"""What stands on the stage of a live event: products with the hosts' links and their disclosure, questions, a poll."""

from typing import Any

import asyncpg

from app.auth import STRANGER, Viewer
from app.disclosure import EarningLink
from community.chat import policy as chat_policy
from content.live_events import policy, queries
from frontend.pages.disclosure import Terms, terms_of
from referrals.live_cards.queries import Card, cards_of


async def stage_of(viewer: Viewer, event: asyncpg.Record) -> dict[str, Any]:
    """The stage as this viewer sees it, and what they may do there. Seven queries, however much there is."""
    room = await chat_policy.access_room(viewer, event["room_id"])
    return {
        **await table_of(event, viewer),
        "takes_part": viewer.is_member and chat_policy.belongs(room) and not _is_over(event),
        "is_host": policy.is_host(viewer, event),
        "runs": policy.runs(viewer, event),
        "may_tidy": policy.may_tidy(viewer, event),
    }


async def table_of(event: asyncpg.Record, viewer: Viewer = STRANGER) -> dict[str, Any]:
    """What lies there for everybody, with the votes of this viewer. Six queries."""
    pins = _once(await queries.pins_shown(event["id"])) if _is_over(event) else await queries.pins_up(event["id"])
    polls = await queries.polls(event["id"], viewer, only_last=True)
    terms, links, cards = await links_of(event, pins)
    return {
        "event": event,
        "pins": pins,
        "links": links,
        "cards": cards,
        "terms": terms,
        "earners": earners_of(event, terms, cards),
        "poll": polls[0] if polls else None,
        "questions": await queries.questions(event["id"], viewer),
        "answered": await queries.questions(event["id"], viewer, settled=True),
    }


async def links_of(
    event: asyncpg.Record, pins: list[asyncpg.Record]
) -> tuple[Terms, dict[int, EarningLink], dict[int, Card]]:
    """Who earns from these products, and by pin the way to the shop and whose it is."""
    cards = await cards_of([pin["id"] for pin in pins])
    hosts = {event["host_id"], *(card.owner["id"] for card in cards.values())}
    terms = await terms_of(
        {pin["store_id"] for pin in pins}, sorted(hosts), product_ids=[pin["product_id"] for pin in pins]
    )
    return terms, {pin_id: EarningLink(f"/r/{card.code}", terms.market) for pin_id, card in cards.items()}, cards


def earners_of(event: asyncpg.Record, terms: Terms, cards: dict[int, Card]) -> list[str]:
    """The names of those who earn by what is shown, the host first."""
    hosts = {event["host_id"]: event["name"] or event["handle"]}
    hosts |= {card.owner["id"]: card.owner["name"] or card.owner["handle"] for card in cards.values()}
    return [name for member_id, name in hosts.items() if member_id in terms.earners]


def _is_over(event: asyncpg.Record) -> bool:
    return event["state"] in ("ended", "cancelled")


def _once(pins: list[asyncpg.Record]) -> list[asyncpg.Record]:
    """Each product once, by its last card."""
    return list({pin["product_id"]: pin for pin in pins}.values())
