"""Recruiters under caps, in company and alone: the winner is done with first, and settling again moves nothing."""

import pytest

from app import db
from referrals.commissions import together
from referrals.commissions.holds import reject
from referrals.fraud import clawback
from referrals.programs.terms import Caps, Recruiting, Terms
from tests.factories import Browser, a_member
from tests.referrals.cast import books_are_right, standing
from tests.referrals.test_rules import brought
from tests.referrals.test_together import one_by_one, told_and_not_settled

pytestmark = pytest.mark.anyio
WAYS = pytest.mark.parametrize("settle", [one_by_one, together.settle_all], ids=["alone", "in company"])


@WAYS
@pytest.mark.parametrize("prices", [(40, 40_000), (40_000,)], ids=["corrected", "told at once"])
async def test_a_recruiter_takes_nothing_of_a_cap_that_the_winner_still_asks_for(web: Browser, settle, prices: tuple):
    mara, _shop, ids = await told_and_not_settled(web, 2, terms=_second_level(900))
    top = await a_member("top")
    await brought(mara, top)
    await _price(ids[1], 0)
    for gross in prices:
        await _price(ids[0], gross)
        await settle(ids)
    for _again in range(2):
        assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 900}, {})
        await settle(ids)
    await books_are_right()


@WAYS
@pytest.mark.parametrize("cap", [0, 100_000])
async def test_a_recruiter_of_whoever_was_rejected_meanwhile_earns_when_they_come_back(web: Browser, settle, cap: int):
    mara, _shop, ids = await told_and_not_settled(web, 2, terms=_second_level(cap))
    top, ines = await a_member("top"), await a_member("ines")
    await brought(mara, top)
    await _price(ids[1], 0)
    await _price(ids[0], 40)
    await settle(ids)
    known = [row["id"] for row in await db.fetch("SELECT id FROM commission")]
    async with db.transaction():
        await reject(known, "case")
    await _price(ids[0], 4_000)
    await settle(ids)
    assert (await standing(mara), await standing(top)) == ({}, {})
    async with db.transaction():
        await clawback.give_back(known, actor_id=ines.id, case_id=1)
    for _again in range(2):
        assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 400}, {("pending", "USD"): 40})
        await settle(ids)
    await books_are_right()


@WAYS
async def test_a_recruiter_whose_first_order_was_disputed_when_it_came_is_whole_again_when_the_dispute_is_won(
    web: Browser, settle
):
    mara, _shop, ids = await told_and_not_settled(web, 2, terms=_second_level(5_000))
    top = await a_member("top")
    await brought(mara, top)
    await _bank("chargeback", 4_000)
    await settle(ids)
    assert await standing(top) == {("pending", "USD"): 60 + 100}
    await _bank("dispute_won", 4_000)
    await settle(ids)
    assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 2_000}, {("pending", "USD"): 200})
    await books_are_right()


def _second_level(cap: int) -> Terms:
    return Terms(currency="USD", market="US", recruiting=Recruiting(1000, 12), caps=Caps(order=cap))


async def _price(order_id: int, gross: int) -> None:
    await db.execute("UPDATE order_line SET gross = $2, discount = 0 WHERE order_id = $1", order_id, gross)


async def _bank(kind: str, amount: int) -> None:
    """Of the first order's line."""
    refund_id = await db.fetch_val(
        """INSERT INTO refund (store_id, external_id, order_external_id, currency, kind, refunded_at, created_at)
           SELECT store_id, $1, external_id, currency, $1, now(), now() FROM orders ORDER BY id LIMIT 1 RETURNING id""",
        kind,
    )
    line = await db.fetch_val("SELECT external_id FROM order_line ORDER BY order_id LIMIT 1")
    await db.execute(
        "INSERT INTO refund_line (refund_id, external_line_id, quantity, amount) VALUES ($1, $2, 0, $3)",
        refund_id,
        line,
        amount,
    )
