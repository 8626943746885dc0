"""A fee that a partner has accepted lies in escrow until it is earned or given up; the books know it at each step."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, Gone, NotFound
from referrals.books.service import verify
from referrals.campaigns import escrow, queries, reports, service
from referrals.campaigns.schemas import Verdict, Work
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import standing
from tests.referrals.test_campaigns import ADMIN, a_campaign, a_partner, a_store, an_offer, offered

pytestmark = pytest.mark.anyio
WORK = Work("https://films.example/1")


async def held() -> int:
    """What lies in escrow; the promise beside it is always the same, and the whole of the books holds."""
    rows = await db.fetch(
        """SELECT a.kind, sum(e.amount)::bigint AS amount
             FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.kind IN ('escrow', 'fees_promised') GROUP BY 1"""
    )
    by = {row["kind"]: row["amount"] for row in rows}
    assert by.get("fees_promised", 0) == -by.get("escrow", 0)
    assert (await verify())[1] == []
    return by.get("fees_promised", 0)


async def accepted(web: Browser, *fees: str) -> tuple[Person, Person, int, int, list[int]]:
    """Owner, partner, campaign, contract and its milestones; the partner has taken the offer."""
    _shop, owner = await a_store()
    kim = await a_partner("kim")
    campaign = await a_campaign(await sign_in(web(), owner), budget="500.00")
    contract = await offered(owner, campaign, an_offer("kim", *fees))
    assert await held() == 0, "an offer alone binds nobody"
    await service.answer(kim.viewer, contract, takes=True)
    rows = await db.fetch("SELECT id FROM campaign_milestone WHERE contract_id = $1 ORDER BY id", contract)
    return owner, kim, campaign, contract, [row["id"] for row in rows]


async def decide(owner: Person, campaign: int, milestone: int, verdict: str) -> None:
    row = await queries.access_campaign(owner.viewer, "north", campaign)
    await service.decide(owner.viewer, row, milestone, Verdict(verdict, "Look at the sound."))


async def promised() -> int:
    return await db.fetch_val("SELECT promised FROM campaign")


async def test_a_fee_goes_from_the_escrow_to_the_partner_and_is_a_cost_once(web: Browser):
    owner, kim, campaign, contract, (first, second) = await accepted(web, "150.00", "100.00")
    assert await held() == 25_000 and await standing(kim) == {}
    as_kim, as_owner = await sign_in(web(), kim), await sign_in(web(), owner)
    assert "$250.00 lies in escrow for you" in (await as_kim.get(f"/earn/campaigns/{contract}")).text
    assert "$250.00 of it lies in escrow" in (await as_owner.get(f"{ADMIN}/campaigns/{campaign}")).text
    await service.hand_in(kim.viewer, first, WORK)
    await decide(owner, campaign, first, "declined")
    assert await held() == 25_000, "it may come again, better"
    await service.hand_in(kim.viewer, first, WORK)
    await decide(owner, campaign, first, "approved")
    assert await held() == 10_000 and await standing(kim) == {("pending", "USD"): 15_000}
    report = await reports.report_on(await queries.access_campaign(owner.viewer, "north", campaign))
    (result,) = report.results
    assert result.fees.amount == result.cost.amount == 15_000, "what is only promised is no cost yet"
    boss = await sign_in(web(), await a_member("boss", role="admin"))
    assert "In escrow" in (await boss.get("/admin/books")).text
    await service.hand_in(kim.viewer, second, WORK)
    await decide(owner, campaign, second, "approved")
    assert await held() == 0 and await promised() == 25_000 and await standing(kim) == {("pending", "USD"): 25_000}
    assert "In escrow" not in (await boss.get("/admin/books")).text


async def test_who_calls_off_a_part_still_looks_at_what_was_handed_in(web: Browser):
    owner, kim, campaign, contract, (done, never, also) = await accepted(web, "150.00", "100.00", "50.00")
    await service.hand_in(kim.viewer, done, WORK)
    await service.hand_in(kim.viewer, also, WORK)
    row = await queries.access_campaign(owner.viewer, "north", campaign)
    await service.call_off(owner.viewer, row, contract)
    assert await held() == 20_000 and await promised() == 20_000, "only the fee of work that never came is free"
    with pytest.raises(Conflict):
        await service.hand_in(kim.viewer, never, WORK)
    await decide(owner, campaign, done, "approved")
    await decide(owner, campaign, also, "declined")
    assert await held() == 0 and await promised() == 15_000 and await standing(kim) == {("pending", "USD"): 15_000}
    with pytest.raises(Conflict):
        await service.hand_in(kim.viewer, also, WORK)


async def test_an_approval_and_a_calling_off_at_once_end_at_one_of_two_ends(web: Browser):
    owner, kim, campaign, contract, (one, other) = await accepted(web, "150.00", "100.00")
    await service.hand_in(kim.viewer, one, WORK)
    row = await queries.access_campaign(owner.viewer, "north", campaign)
    ends = await asyncio.gather(
        decide(owner, campaign, one, "approved"),
        service.call_off(owner.viewer, row, contract),
        decide(owner, campaign, one, "approved"),
        service.call_off(owner.viewer, row, contract),
        service.hand_in(kim.viewer, other, WORK),
        return_exceptions=True,
    )
    assert [end is None for end in ends[:4]].count(True) == 2
    assert all(end is None or isinstance(end, Conflict | NotFound) for end in ends)
    waits = 10_000 if ends[4] is None else 0
    assert await held() == waits and await promised() == 15_000 + waits
    assert await standing(kim) == {("pending", "USD"): 15_000}


async def test_two_answers_at_once_set_a_fee_aside_once(web: Browser):
    _shop, owner = await a_store()
    kim = await a_partner("kim")
    campaign = await a_campaign(await sign_in(web(), owner))
    contract = await offered(owner, campaign, an_offer("kim", "150.00"))
    ends = await asyncio.gather(
        *(service.answer(kim.viewer, contract, takes=takes) for takes in (True, True, False)), return_exceptions=True
    )
    assert [end is None for end in ends].count(True) == 1
    taken = await db.fetch_val("SELECT state FROM campaign_contract") == "accepted"
    assert await held() == await promised() == (15_000 if taken else 0)


async def test_work_that_never_comes_gives_its_fee_back_after_a_week_and_work_that_waits_never_does(web: Browser):
    owner, kim, campaign, _contract, (waits, never, again) = await accepted(web, "150.00", "100.00", "50.00")
    await service.hand_in(kim.viewer, waits, WORK)
    clock.travel(timedelta(days=22))  # two days after they were due
    await service.hand_in(kim.viewer, again, WORK)
    await decide(owner, campaign, again, "declined")
    assert await escrow.expire_what_is_late() == 0
    clock.travel(timedelta(days=6))
    assert await escrow.expire_what_is_late() == 1, "declined work has a week from then"
    assert await held() == 20_000 and await promised() == 20_000
    with pytest.raises(Conflict):
        await service.hand_in(kim.viewer, never, WORK)
    clock.travel(timedelta(days=40))
    with pytest.raises(Gone):
        await service.hand_in(kim.viewer, again, WORK)
    assert await escrow.expire_what_is_late() == 1 and await escrow.expire_what_is_late() == 0
    assert await held() == 15_000, "what waits to be looked at never goes by time"
    await run_jobs()
    assert "in time" in (await (await sign_in(web(), kim)).get("/notifications")).text
    await decide(owner, campaign, waits, "approved")
    assert await held() == 0 and await promised() == 15_000


async def test_an_offer_that_nobody_answers_ends_with_its_campaign(web: Browser):
    _shop, owner = await a_store()
    kim = await a_partner("kim")
    campaign = await a_campaign(await sign_in(web(), owner))
    contract = await offered(owner, campaign, an_offer("kim", "150.00"))
    clock.travel(timedelta(days=32))
    await escrow.expire_what_is_late()
    assert await promised() == 0 and await held() == 0
    with pytest.raises(Conflict):
        await service.answer(kim.viewer, contract, takes=True)


async def test_an_escrow_that_was_tampered_with_is_found(web: Browser):
    await accepted(web, "150.00")
    assert await escrow.check_escrow() == []
    for change, undo in (
        ("UPDATE campaign_milestone SET fee = 14000", "UPDATE campaign_milestone SET fee = 15000"),
        ("UPDATE campaign_milestone SET state = 'approved'", "UPDATE campaign_milestone SET state = 'open'"),
        ("UPDATE campaign SET promised = 1", "UPDATE campaign SET promised = 15000"),
    ):
        await db.execute(change)
        assert len(await escrow.check_escrow()) in (1, 2)
        await db.execute(undo)
    assert await escrow.check_escrow() == []
