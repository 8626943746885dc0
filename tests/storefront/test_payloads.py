"""Complete messages of every provider, and next to each what becomes of it (payloads/README.md)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app import db
from storefront.connectors.saleor.query import SUBSCRIPTION
from storefront.connectors.service import CONNECTORS
from tests.factories import Browser, run_jobs
from tests.storefront import recorded
from tests.storefront.providers import TELLERS, Message
from tests.storefront.recorded import FILES, facts_of, facts_path, in_words, needed, provider_of, topic_of
from tests.storefront.selections import names_of, selected
from tests.storefront.shop import Shop
from tests.storefront.test_connectors import a_shop_of

pytestmark = pytest.mark.anyio
every_file = pytest.mark.parametrize("path", FILES, ids=recorded.name_of)
# Whose order it was in every one of them.
ADA = ("ada.winter@", "winter", "harbour row", "rear house", "901820", "203.0.113.9", "10115", "ring twice")
REWRITES = bool(os.environ.get("GRAPEVINE_REWRITE_FACTS"))


async def hear(web: Browser, path: Path, shop: Shop, body: bytes, *, status: int = 202) -> None:
    message = Message(topic_of(path), body)
    headers = TELLERS[provider_of(path)].headers(shop.secret, message)
    answer = await web().post(f"/webhooks/{shop.slug}", content=message.body, headers=headers)
    assert answer.status_code == status, answer.text


async def states() -> list[tuple[str, str]]:
    return [(row["state"], row["note"]) for row in await db.fetch("SELECT state, note FROM inbox ORDER BY id")]


def test_there_are_messages_of_every_provider_and_nothing_else_lies_about():
    assert {provider_of(path) for path in FILES} == set(CONNECTORS)
    beside = {facts_path(path) for path in FILES}
    assert set(recorded.PAYLOADS.rglob("*" + recorded.FACTS)) == beside


@every_file
async def test_a_complete_message_is_these_facts_and_no_others(web: Browser, path: Path):
    """By the mapper alone, and through the door: signed as the vendor signs, kept, read, written down."""
    body, told = recorded.read(path)
    shop = await a_shop_of(provider_of(path), currency="EUR")
    await hear(web, path, shop, body)
    await run_jobs()
    assert await states() == [("applied", "")]
    found = {"told": in_words(facts_of(path, told)), "kept": await recorded.kept(), "needs": needed(path, told)}
    if REWRITES:
        recorded.rewrite(path, found)
    assert found == recorded.expected(path)
    left = (await db.fetch_val("SELECT payload FROM inbox")).decode().lower()
    assert [sign for sign in ADA if sign in left] == [], "nothing of the buyer stays"


@every_file
async def test_fields_that_nobody_knows_yet_change_nothing(path: Path):
    _body, told = recorded.read(path)
    assert facts_of(path, recorded.with_strangers(told)) == facts_of(path, told)


@every_file
async def test_a_message_cut_short_or_without_a_field_it_needs_leaves_nothing_and_says_why(web: Browser, path: Path):
    whole, told = recorded.read(path)
    shop = await a_shop_of(provider_of(path), currency="EUR")
    cut = [whole[:size] for size in (1, len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4, len(whole) - 2)]
    for body in cut:
        await hear(web, path, shop, body)
    await run_jobs()
    after_cuts = await states()
    assert len(after_cuts) == len(cut) and all(state == "kept" and "truncated" in note for state, note in after_cuts)
    needs = recorded.expected(path)["needs"]
    assert needs, "there is no message without anything in it"
    without = [(place, one) for place, one in recorded.without_each(told) if place in needs]
    less = [(place, _under_its_own_id(path, one, number)) for number, (place, one) in enumerate(without)]
    for _place, body in less:
        await hear(web, path, shop, body)
    await run_jobs()
    notes = (await states())[len(cut) :]
    assert [note for _state, note in notes] == [needs[place] for place, _body in less]
    assert {state for state, _note in notes} <= {"flagged", "kept"}
    assert await recorded.count_everything() == 0


def _under_its_own_id(path: Path, told: dict[str, Any], number: int) -> bytes:
    """Stripe's events carry their id, and another body under a known one is refused for that."""
    if provider_of(path) == "stripe" and "id" in told:
        told["id"] += f"-{number}"
    return json.dumps(told).encode()


@every_file
async def test_what_one_shop_signs_is_no_message_of_another(web: Browser, path: Path):
    shop = await a_shop_of(provider_of(path))
    shop.secret = "whsec_" + "A" * 43 + "="
    await hear(web, path, shop, recorded.read(path)[0], status=401)
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 0


@pytest.mark.parametrize("path", [path for path in FILES if provider_of(path) == "saleor"], ids=recorded.name_of)
def test_of_saleor_there_is_all_that_our_query_asks_for_and_nothing_more(path: Path):
    _body, told = recorded.read(path)
    asked = selected(SUBSCRIPTION)["event"]
    about: dict[str, Any] = asked[f"... on {told['__typename']}"]
    (subject,) = about
    assert set(told) == {"__typename", "issuedAt", subject}
    assert _all_of(names_of(told[subject]), about[subject])


def _all_of(told: Any, asked: Any) -> bool:
    """Whether each name that was asked for is there, and no other; what is null or empty says nothing of its inside."""
    if told is None or asked is None:
        return True
    return set(told) == set(asked) and all(_all_of(told[name], asked[name]) for name in asked)
