"""What nobody types on purpose: answered with a clear refusal, never with a crash, and nothing is written."""

import pytest

from app import db
from tests.factories import PASSWORD, Browser, a_member, sign_in, submit
from tests.referrals.payees import a_bank_account, a_house, earn

pytestmark = pytest.mark.anyio

HUGE = "9" * 25
HERE = "/admin/programs/north/payouts"


async def test_odd_addresses_are_not_there(web: Browser):
    house = await a_house()
    owner = await sign_in(web(), house.owner)
    for address in (
        "/earn/payouts/new?store=%00&currency=USD&rail=bank",
        "/earn/payouts/new?store=north&currency=%00&rail=bank",
        "/earn/payouts/new?store=north",
        f"/earn/payouts/{HUGE}",
        "/earn/payouts/-1",
        f"{HERE}/{HUGE}",
        f"{HERE}/new?currency=XXX",
        f"{HERE}/new?currency=%00&cutoff=%00&minimum=%00",
        f"{HERE}/terms?currency=EURO",
        "/admin/programs/%00/payouts",
        "/earn/payouts?after=zzz",
        f"{HERE}?after=zzz",
    ):
        answer = await owner.get(address)
        assert answer.status_code in (400, 404, 422), (address, answer.status_code)
    for address in (
        "/earn/payouts/new?store=north&currency=USD&rail=%00",
        "/earn/payouts/methods?rail=%00",
        f"{HERE}/new?cutoff=yesterday&minimum=lots",
    ):
        assert (await owner.get(address)).status_code == 200, address


async def test_odd_words_in_forms_and_bodies_are_refused(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    owner, browser, api = await sign_in(web(), house.owner), await sign_in(web(), mara), web(token=mara.token)
    asked = {"store": "north", "currency": "USD", "rail": "bank", "amount": 5000, "receives": 5000}
    for odd in (
        "\0",
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        "x" * 5000,
        "'; --",
        "=1+1",
    ):
        for field in ("store", "currency", "rail"):
            answer = await api.post("/api/v1/payouts", json=asked | {field: odd})
            assert answer.status_code in (400, 404, 422), (field, odd[:9], answer.status_code)
            answer = await submit(browser, "/earn/payouts", asked | {field: odd}, page="/earn/payouts/methods")
            assert answer.status_code in (400, 404, 422), (field, odd[:9], answer.status_code)
        told = {"rail": "bank", "details": {"holder": "Mara", "account": odd}, "password": PASSWORD}
        assert (await api.post("/api/v1/payout-methods", json=told)).status_code == 422, odd[:9]
        for data in ({"code": odd, "order": odd}, {"code": "k7m2", "order": odd}):
            answer = await submit(owner, f"{HERE}/credit", data, page=HERE)
            assert answer.status_code in (400, 422), (odd[:9], answer.status_code)
        assert (await submit(owner, HERE, {"currency": "USD", "cutoff": odd}, page=HERE)).status_code == 422
        assert (await submit(owner, HERE, {"currency": "USD", "minimum": odd}, page=HERE)).status_code == 422
    for amount in (-1, 10**15, 1.5, "5000", None, True):
        answer = await api.post("/api/v1/payouts", json=asked | {"amount": amount})
        assert answer.status_code == 422, amount
    future = await submit(owner, HERE, {"currency": "USD", "cutoff": "2999-01-01"}, page=HERE)
    assert future.status_code == 422
    assert await db.fetch_val("SELECT count(*) FROM payout") == 0
    assert await db.fetch_val("SELECT count(*) FROM payout_batch") == 0
    assert await db.fetch_val("SELECT count(*) FROM payout_method") == 1
