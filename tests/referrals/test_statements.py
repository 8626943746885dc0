"""A member's months: opening, every entry with its reason, closing; as a page, a sheet, JSON, and a proof."""

import csv
import hashlib
import io
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from app import clock
from app.db import watch_queries
from referrals.commissions.release import release_due
from referrals.statements.schemas import Proof
from referrals.statements.service import check_proof
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.referrals.test_ledger import grapevine
from tests.storefront.shop import Shop, line, order, refund

pytestmark = pytest.mark.anyio


async def an_earner(
    web: Browser, *orders: str, currency: str = "USD", title: str = "Trail pack"
) -> tuple[Person, Shop]:
    """Mara, who earned 10.00 on each of some orders."""
    mara, shop = await a_member("mara"), await a_paying_shop(currency=currency)
    gv = await click(web(), (await a_link(web, mara))["code"])
    for ref in orders or ("1001",):
        lines = [line(gross=10_000, discount=0, title=title)]
        await tell(web, shop, "order.paid", order(ref, gv=gv, lines=lines, currency=currency))
    return mara, shop


def this_month() -> str:
    return clock.now().strftime("%Y-%m")


async def statement(web: Browser, person: Person, month: str = "", currency: str = "USD", **more: object) -> dict:
    answer = await web(token=person.token).get(
        f"/api/v1/earn/statements/{month or this_month()}", params={"currency": currency, **more}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_opening_and_entries_make_the_closing_bucket_by_bucket(web: Browser):
    mara, shop = await an_earner(web, "1001", "1002")
    await tell(web, shop, "order.refunded", refund(order_id="1001"))
    clock.travel(timedelta(days=15))
    await release_due()
    found = await statement(web, mara, "")
    first, last = found["opening_total"]["amount"], found["closing_total"]["amount"]
    assert last == first + sum(one["amount"]["amount"] for one in found["entries"])
    buckets = {name: money["amount"] for name, money in found["opening"].items()}
    for entry in found["entries"]:
        for move in entry["moves"]:
            buckets[move["bucket"]] = buckets.get(move["bucket"], 0) + move["amount"]["amount"]
    assert {name: left for name, left in buckets.items() if left} == {
        name: money["amount"] for name, money in found["closing"].items()
    }
    assert found["closing"] == {"available": {"amount": 1600, "currency": "USD"}}
    assert await standing(mara) == {("available", "USD"): 1600}
    if found["entries"][0]["reason"] == "order_paid":  # the month may have turned meanwhile
        assert found["entries"][0]["words"] == "The order was paid" and found["entries"][0]["order"] == "1001"
    await books_are_right()


async def test_a_month_begins_with_what_the_one_before_left(web: Browser):
    mara, _shop = await an_earner(web)
    before = this_month()
    clock.travel(timedelta(days=32))
    await release_due()
    old, new = await statement(web, mara, before), await statement(web, mara)
    assert old["closing"] == new["opening"] == {"pending": {"amount": 1000, "currency": "USD"}}
    assert new["earned"]["amount"] == 0 and [one["reason"] for one in new["entries"]] == ["hold_ended"]
    months = (await web(token=mara.token).get("/api/v1/earn/statements")).json()["months"]
    assert [(one["month"], one["closing"]["amount"]) for one in months] == [(this_month(), 1000), (before, 1000)]


async def test_a_long_month_comes_in_pages_whose_balances_go_on(web: Browser):
    mara, _shop = await an_earner(web, *(f"o{n}" for n in range(5)))
    first = await statement(web, mara, limit=2)
    second = await statement(web, mara, limit=2, after=first["next"])
    assert first["entries"][-1]["balance"] == second["balance_before"] == {"amount": 2000, "currency": "USD"}
    assert [one["order"] for one in first["entries"] + second["entries"]] == ["o0", "o1", "o2", "o3"]


async def test_a_statement_costs_the_same_queries_however_long_it_is(web: Browser):
    mara, _shop = await an_earner(web, *(f"o{n}" for n in range(6)))
    browser = await sign_in(web(), mara)
    costs = []
    for limit in (1, 6):
        with watch_queries() as seen:
            await statement(web, mara, limit=limit)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 9
    with watch_queries() as seen:
        assert (await browser.get(f"/earn/statements/{this_month()}")).status_code == 200
    assert len(seen) <= 14, seen


async def test_a_member_reads_and_prints_it_in_both_languages_and_nobody_else_sees_it(web: Browser):
    mara, _shop = await an_earner(web)
    browser = await sign_in(web(), mara)
    shown = (await browser.get(f"/earn/statements/{this_month()}")).text
    assert "The order was paid" in shown and "$10.00" in shown and "Stamp" in shown
    assert "订单已付款" in (await browser.get(f"/earn/statements/{this_month()}?lang=zh-Hans")).text
    assert f"/earn/statements/{this_month()}?currency=USD" in (await browser.get("/earn/statements")).text
    stranger = await a_member("stranger")
    theirs = await statement(web, stranger)
    assert theirs["entries"] == [] and theirs["closing"] == {} and theirs["stamp"] == ""
    assert (await web().get("/earn/statements")).status_code in (303, 401)
    assert (await web().get("/api/v1/earn/statements")).status_code == 401


@pytest.mark.parametrize(
    "where", ["2026-13", "2026-1", "x", "٢٠٢٦-01", "2026-03/USD.exe", "2026-03/XXX.csv", "0000-01"]
)
async def test_a_month_that_cannot_be_is_not_found(web: Browser, where: str):
    mara = await a_member("mara")
    browser = await sign_in(web(), mara)
    assert (await browser.get(f"/earn/statements/{where}")).status_code == 404
    if "/" not in where:
        answer = await web(token=mara.token).get(f"/api/v1/earn/statements/{where}", params={"currency": "USD"})
        assert answer.status_code == 404


async def test_the_sheet_adds_up_and_no_cell_of_it_is_a_formula(web: Browser):
    mara, shop = await an_earner(web, "=1+1", title="=HYPERLINK(0)")
    await tell(web, shop, "order.refunded", refund(order_id="=1+1"))
    browser = await sign_in(web(), mara)
    answer = await browser.get(f"/earn/statements/{this_month()}/USD.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].endswith(f'"statement-{this_month()}-USD.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["reason"] for row in rows] == ["opening", "order_paid", "refunded", "closing"]
    assert [row["amount"] for row in rows] == ["", "10.00", "-4.00", ""]
    assert [row["balance"] for row in rows] == ["0.00", "10.00", "6.00", "6.00"]
    assert rows[1]["title"] == "'=HYPERLINK(0)" and rows[1]["order"] == "'=1+1"


@pytest.mark.parametrize(("currency", "amount", "shown"), [("JPY", 1000, "1000"), ("KWD", 1000, "1.000")])
async def test_yen_have_no_decimals_and_dinars_three(web: Browser, currency: str, amount: int, shown: str):
    mara, _shop = await an_earner(web, currency=currency)
    assert (await statement(web, mara, currency=currency))["closing_total"] == {"amount": amount, "currency": currency}
    browser = await sign_in(web(), mara)
    sheet = (await browser.get(f"/earn/statements/{this_month()}/{currency}.csv")).text
    assert f",{shown},{currency}," in sheet


async def test_a_member_checks_the_proof_without_us(web: Browser, tmp_path: Path):
    mara, shop = await an_earner(web, "1001", "1002")
    await tell(web, shop, "order.refunded", refund(order_id="1001"))
    browser = await sign_in(web(), mara)
    answer = await browser.get(f"/earn/statements/{this_month()}/USD.json")
    told = answer.json()
    # The recipe of docs/MONEY.md, with nothing of ours.
    for link in told["links"]:
        assert hashlib.sha256(bytes.fromhex(link["prev_hash"]) + link["told"].encode()).hexdigest() == link["hash"]
    assert len(told["links"]) == 3
    assert told["links"][-1]["hash"] == (await statement(web, mara))["stamp"]
    by_token = await web(token=mara.token).get(
        f"/api/v1/earn/statements/{this_month()}/proof", params={"currency": "USD"}
    )
    assert by_token.json() == told
    file = tmp_path / "proof.json"
    file.write_text(answer.text)
    assert await grapevine("ledger", "prove", str(file)) == (0, {"ok": True, "entries": 3, "errors": []})
    file.write_text(answer.text.replace("-600", "-9600").replace("1000", "9000"))
    status, said = await grapevine("ledger", "prove", str(file))
    assert status == 1 and said["ok"] is False


async def test_a_proof_in_which_an_entry_is_missing_or_changed_does_not_hold(web: Browser):
    mara, _shop = await an_earner(web, "1001", "1002")
    browser = await sign_in(web(), mara)
    told = (await browser.get(f"/earn/statements/{this_month()}/USD.json")).json()
    proof = msgspec.convert(told, Proof)
    assert check_proof(proof) == []
    assert check_proof(msgspec.structs.replace(proof, links=proof.links[:1]))
    assert check_proof(msgspec.structs.replace(proof, closing={"pending": 2001}))
    changed = msgspec.structs.replace(proof.links[0], told=proof.links[0].told.replace("1000", "2000"))
    assert "its hash does not fit" in check_proof(msgspec.structs.replace(proof, links=[changed, proof.links[1]]))[0]
