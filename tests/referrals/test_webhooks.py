"""A shop's own systems hear what its programme does: signed, each thing once, with amounts in minor units."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db
from referrals.partners import applying
from referrals.partners.schemas import FormTold
from referrals.payouts.settlement import settle
from referrals.webhooks import jobs
from tests.community.receiver import Receiver, a_receiver
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, books_are_right, click, tell
from tests.referrals.payees import House, a_bank_account, a_house, earn, ripen
from tests.referrals.test_payouts import a_batch, ask, send
from tests.storefront.shop import line, order, refund

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def receiver(house: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with a_receiver(monkeypatch) as one:
        yield one


async def tell_address(web: Browser, shop: House, url: str, types: list[str] | None = None) -> tuple[str, str]:
    made = await web(token=shop.owner.token).post(
        f"{API}/stores/north/webhooks", json={"url": url, "types": types or []}
    )
    assert made.status_code == 201, made.text
    return made.json()["endpoint"]["id"], made.json()["secret"]


def types(receiver: Receiver) -> list[str]:
    return [one["type"] for one in receiver.messages]


async def test_a_commission_is_followed_from_its_order_to_the_refund(web: Browser, receiver: Receiver):
    shop = await a_house(hold_days=14)
    _id, secret = await tell_address(web, shop, receiver.url)
    mara = await a_member("mara", name="Mara")
    code = (await a_link(web, mara))["code"]
    sold = order("1001", gv=await click(web(), code), lines=[line(gross=10_000, discount=0)])
    await tell(web, shop.shop, "order.paid", sold)
    receiver.verify(secret)
    (opened,) = [one for one in receiver.messages if one["type"] == "commission.opened"]
    assert opened["data"]["store"] == {"slug": "north", "name": "North"}
    commission = opened["data"]["commission"]
    assert commission["member"] == {"id": str(mara.id), "handle": "mara", "name": "Mara"}
    assert commission["order"] == "1001" and commission["amount"] == {"amount": 1_000, "currency": "USD"}
    await tell(web, shop.shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 0, "amount": 4_000}]))
    (changed,) = [one for one in receiver.messages if one["type"] == "commission.changed"]
    assert changed["data"]["then"]["amount"] == 600 and changed["data"]["commission"]["granted"]["amount"] == 1_000
    rest = {"refund_id": "r2", "lines": [{"id": "l1", "quantity": 1, "amount": 6_000}]}
    await tell(web, shop.shop, "order.refunded", refund(**rest))
    assert types(receiver)[-2:] == ["commission.reversed", "commission.changed"]
    assert receiver.messages[-1]["data"]["commission"]["amount"]["amount"] == 0
    assert len(set(receiver.ids)) == len(receiver.ids)
    # A job that comes again, or late, tells nothing twice.
    before = len(receiver.heard)
    commission_id = await db.fetch_val("SELECT id FROM commission")
    for _ in range(3):
        await jobs.tell_of_earning(jobs.CommissionEarned(commission_id=commission_id, member_id=mara.id, order_id=1))
        await jobs.tell_of_change(jobs.CommissionChanged(commission_id=commission_id, member_id=mara.id, order_id=1))
    await run_jobs()
    assert len(receiver.heard) == before
    await books_are_right()


async def test_approval_and_payout_are_told(web: Browser, receiver: Receiver):
    shop = await a_house()
    await tell_address(web, shop, receiver.url)
    mara = await a_member("mara")
    await earn(web, shop.shop, mara, "1001", 80_000)
    assert types(receiver) == ["commission.opened", "commission.approved"]
    await a_bank_account(mara)
    payout_id = await ask(shop, mara)
    await send(shop, await a_batch(shop))
    receiver.heard.clear()
    assert await settle(payout_id, provider_ref="wire 77")
    await run_jobs()
    assert sorted(types(receiver)) == ["commission.paid", "payout.settled"]
    payout = next(one["data"]["payout"] for one in receiver.messages if one["type"] == "payout.settled")
    assert payout["amount"] == {"amount": 8_000, "currency": "USD"} and payout["member"]["handle"] == "mara"
    assert not await settle(payout_id, provider_ref="wire 77")
    await run_jobs()
    assert len(receiver.heard) == 2
    await books_are_right()


async def test_partners_come_and_go(web: Browser, receiver: Receiver):
    shop = await a_house()
    await tell_address(web, shop, receiver.url, ["partner.applied", "partner.joined", "partner.left"])
    await applying.set_form(shop.owner.viewer, "north", FormTold(True, "Welcome.", 0, []))
    mara = await a_member("mara")
    await applying.apply(mara.viewer, "north", [])
    await run_jobs()
    await _decide(shop, mara, "approved")
    assert types(receiver)[-1] == "partner.joined"
    assert receiver.messages[-1]["data"]["partner"]["member"]["handle"] == "mara"
    # They leave, come back and leave again: each of it is news.
    for _ in range(2):
        await applying.withdraw(mara.viewer, "north")
        await run_jobs()
        assert types(receiver)[-1] == "partner.left"
        await applying.apply(mara.viewer, "north", [])
        await run_jobs()
        await _decide(shop, mara, "approved")
    assert types(receiver).count("partner.left") == 2 and types(receiver).count("partner.joined") == 3


async def _decide(shop: House, member: Person, verdict: str) -> None:
    await applying.decide(shop.owner.viewer, "north", member.handle, verdict)
    await run_jobs()


async def test_a_check_and_its_verdict_are_told(web: Browser, receiver: Receiver):
    from tests.api_world import a_case

    shop = await a_house()
    await tell_address(web, shop, receiver.url, ["check.opened", "check.decided"])
    mara = await a_member("mara")
    case_id = await a_case(shop.shop, mara, "own_card")
    await run_jobs()
    door = f"{API}/stores/north/cases/{case_id}/decision"
    answer = await web(token=shop.owner.token).post(door, json={"verdict": "clear", "words": "A friend, truly."})
    assert answer.is_success, answer.text
    await run_jobs()
    assert types(receiver) == ["check.opened", "check.decided"]
    opened, decided = receiver.messages
    assert opened["data"]["check"]["rule"] == "own_card" and decided["data"]["then"] == {"outcome": "cleared"}
    await books_are_right()


async def test_only_the_shops_owner_has_its_webhooks_and_it_hears_its_own_shop_only(web: Browser, receiver: Receiver):
    shop, other = await a_house(), await a_house("south")
    id, _secret = await tell_address(web, shop, receiver.url)
    for path in ("", f"/{id}/deliveries"):
        assert (await web(token=other.owner.token).get(f"{API}/stores/north/webhooks{path}")).status_code == 403
    assert (await web(token=other.owner.token).get(f"{API}/stores/south/webhooks/{id}/deliveries")).status_code == 404
    mara = await a_member("mara")
    await earn(web, other.shop, mara, "2001", 10_000)
    await ripen()
    assert receiver.heard == []
    # Not through a group's door either: the owner's kind is part of who it belongs to.
    from tests.factories import a_group

    slug = await a_group(other.owner)
    assert (await web(token=other.owner.token).get(f"{API}/groups/{slug}/webhooks/{id}/deliveries")).status_code == 404


async def test_the_pages_of_a_shop_work_without_javascript(web: Browser, receiver: Receiver):
    await a_house()
    browser, home = await sign_in(web(), await _owner()), "/admin/programs/north/webhooks"
    made = await submit(browser, home, {"url": receiver.url, "types": ["commission.paid"]}, page=home)
    assert made.status_code == 200 and "whsec_" in made.text
    listed = (await browser.get(home)).text
    assert receiver.url in listed and "whsec_" not in listed
    id = await db.fetch_val("SELECT id FROM webhook_endpoint")
    assert (await submit(browser, f"{home}/{id}/test", {}, page=f"{home}/{id}")).status_code == 303
    await run_jobs()
    assert types(receiver) == ["endpoint.test"]
    assert "A test" in (await browser.get(f"{home}/{id}")).text


async def _owner() -> Person:
    from app.auth import Viewer

    row = await db.fetch_one("SELECT m.id, m.handle FROM store s JOIN member m ON m.id = s.owner_id")
    return Person(row["id"], row["handle"], "", Viewer(member_id=row["id"]))
