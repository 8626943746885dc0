"""Above a sum in a year money goes only to whom the store's people have looked at: never at oneself, not for ever."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from app import clock, db, http, people
from app.db import watch_queries
from app.errors import Invalid
from referrals.identity import queries, service
from referrals.identity.schemas import NewCheck
from referrals.payouts import batches, verified
from referrals.payouts.quotes import quote_for
from referrals.payouts.rails import stripe_connect
from referrals.payouts.terms import Terms, publish_terms
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs, sign_in, submit, words_of
from tests.referrals.cast import standing
from tests.referrals.payees import House, a_bank_account, a_house, all_is_right, earn, the_payout_of
from tests.referrals.stripe_played import PlayedStripe
from tests.referrals.test_payout_sending import stripe
from tests.referrals.test_payouts import a_batch, approve, ask, send

__all__ = ["stripe"]
pytestmark = pytest.mark.anyio
RAILS = ("bank", "stripe", "store_credit")


async def a_careful_house(slug: str = "north", identity_from: int = 6_000) -> House:
    """It asks who somebody is above 60 dollars a year."""
    house = await a_house(slug)
    terms = Terms("USD", 1_000, rails=RAILS, credit_bonus_bps=0, identity_from=identity_from)
    await publish_terms(house.owner.viewer, slug, terms)
    return house


async def says(house: House, who: Person, result: str = "checked", by: Person | None = None, days: int = 400) -> None:
    last = f"{clock.now() + timedelta(days=days):%Y-%m-%d}"
    told = NewCheck(who.handle, result, "passport", "DE", last, password=PASSWORD)  # type: ignore[arg-type]
    await service.decide((by or house.owner).viewer, house.shop.slug, told)


async def trouble(house: House, who: Person, rail: str = "bank") -> str:
    return (await quote_for(who.id, house.shop.id, "USD", rail)).trouble


async def test_from_the_limit_to_the_look_to_the_money(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_000)
    as_mara = await sign_in(web(), mara)
    assert "Above $60.00 of money in a calendar year" in words_of((await as_mara.get("/earn/payouts")).text)
    first = await ask(house, mara)
    assert await db.fetch_val("SELECT asks_identity FROM payout WHERE id = $1", first) is False, "not beyond it yet"
    await earn(web, house.shop, mara, "1002", 50_000)
    with pytest.raises(Invalid, match="has to know who you are"):
        await ask(house, mara)
    quotes = (await web(token=mara.token).get("/api/v1/payouts/quotes")).json()["quotes"]
    bank = next(one for one in quotes if one["rail"] == "bank")
    assert bank["trouble"] == "identity_needed" and bank["asks_identity"]
    assert bank["identity_from"] == {"amount": 6_000, "currency": "USD"}
    shown = await as_mara.get("/earn/payouts")
    assert 'href="/earn/identity/north"' in shown.text
    asked = await submit(as_mara, "/earn/identity/north", {"said": "By video, any evening."})
    assert asked.status_code == 303
    await run_jobs()
    as_owner = await sign_in(web(), house.owner)
    assert "asks North to look at who they are" in words_of((await as_owner.get("/notifications/")).text)
    admin = "/admin/programs/north/identity"
    assert "By video, any evening." in words_of((await as_owner.get(admin)).text)
    told = {"member": "mara", "result": "checked", "document": "id_card", "country": "DE", "note": "By video.",
            "password": PASSWORD}  # fmt: skip
    no_end = await submit(as_owner, admin, told, page=admin)
    assert no_end.status_code == 422 and "The last day it is valid" in words_of(no_end.text)
    last = f"{clock.now() + timedelta(days=400):%Y-%m-%d}"
    assert (await submit(as_owner, admin, told | {"expires_on": last}, page=admin)).status_code == 303
    await run_jobs()
    assert "has looked at who you are" in words_of((await as_mara.get("/notifications/")).text)
    assert "Identity checked" in words_of((await as_mara.get("/earn/identity/north")).text)
    assert (await queries.checks_at(house.shop.id, cursor=None)).items[0].valid_until.isoformat()[:10] == last  # type: ignore[union-attr]
    second = await ask(house, mara)
    assert await db.fetch_val("SELECT asks_identity FROM payout WHERE id = $1", second) is True
    log = await db.fetch_one("SELECT actor_id, data FROM event WHERE type = 'IdentityDecided'")
    assert log and log["actor_id"] == house.owner.id and log["data"]["member_id"] == mara.id
    await send(house, await a_batch(house))
    assert await db.fetch_val("SELECT count(*) FROM payout WHERE state = 'submitted'") == 2
    await all_is_right()


async def test_the_page_of_who_waits_asks_the_database_as_often_for_one_as_for_ten(web: Browser):
    house = await a_careful_house()
    as_owner = await sign_in(web(), house.owner)
    counts = []
    for crowd in (("a1",), ("b1", "b2", "b3", "b4")):
        for handle in crowd:
            who = await a_member(f"one-{handle}")
            await db.execute(
                "INSERT INTO identity_request (store_id, member_id, asked_at) VALUES ($1, $2, $3)",
                house.shop.id, who.id, clock.now(),
            )  # fmt: skip
            other = await a_member(f"two-{handle}")
            await db.execute(
                "INSERT INTO identity_request (store_id, member_id, asked_at) VALUES ($1, $2, $3)",
                house.shop.id, other.id, clock.now(),
            )  # fmt: skip
            await says(house, other)
        with watch_queries() as asked:
            shown = await as_owner.get("/admin/programs/north/identity")
        assert "@one-" in shown.text and "@two-" in shown.text
        counts.append(len(asked))
    assert counts[0] == counts[1]


async def test_nobody_looks_at_themselves_and_no_stranger_at_anybody(web: Browser):
    house, other = await a_careful_house(), await a_careful_house("west")
    mara = await a_member("mara")
    await earn(web, house.shop, mara, "1001", 70_000)
    await earn(web, house.shop, house.ada, "1002", 70_000)
    told = {"member": "mara", "document": "passport", "country": "DE", "password": PASSWORD,
            "expires_on": f"{clock.now() + timedelta(days=9):%Y-%m-%d}"}  # fmt: skip
    door = "/api/v1/stores/north/identities"
    own = await web(token=house.ada.token).post(door, json=told | {"member": "ada-north"})
    assert own.status_code == 403
    for stranger in (mara, other.owner):
        assert (await web(token=stranger.token).post(door, json=told)).status_code == 403
        assert (await web(token=stranger.token).get(door)).status_code == 403
        assert (await web(token=stranger.token).get(f"{door}/waiting")).status_code == 403
        assert (await (await sign_in(web(), stranger)).get("/admin/programs/north/identity")).status_code == 403
    assert (await web().get(door)).status_code == 401
    unknown = await web(token=house.owner.token).post(door, json=told | {"member": other.owner.handle})
    assert unknown.status_code == 422, "nobody looks at whom they have nothing to do with"
    assert await db.fetch_val("SELECT count(*) FROM identity_check") == 0
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(
            """INSERT INTO identity_check (store_id, member_id, by_id, result, valid_until, at)
               VALUES ($1, $2, $2, 'checked', now(), now())""",
            house.shop.id,
            mara.id,
        )
    assert (await web(token=house.owner.token).post(door, json=told)).status_code == 201
    assert await trouble(house, mara) == "no_method", "nothing of it is in the way any more"


async def test_an_open_browser_or_a_token_alone_checks_nobody(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 70_000)
    told = {"member": "mara", "document": "passport", "country": "DE",
            "expires_on": f"{clock.now() + timedelta(days=9):%Y-%m-%d}"}  # fmt: skip
    as_owner, admin = await sign_in(web(), house.owner), "/admin/programs/north/identity"
    for password in ({}, {"password": "guessed"}):
        refused = await web(token=house.owner.token).post("/api/v1/stores/north/identities", json=told | password)
        assert refused.status_code == 422 and "This is not your password" in refused.text
        shown = await submit(as_owner, admin, told | password, page=admin)
        assert shown.status_code == 422 and "This is not your password" in words_of(shown.text)
    assert await db.fetch_val("SELECT count(*) FROM identity_check") == 0
    assert (await submit(as_owner, admin, told | {"password": PASSWORD}, page=admin)).status_code == 303


async def test_the_next_look_is_asked_for_before_the_last_one_ends(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    as_mara, door = await sign_in(web(), mara), "/api/v1/earn/identity/north"
    await says(house, mara, days=100)
    assert (await web(token=mara.token).get(door)).json()["may_ask"] is False
    assert 'name="said"' not in (await as_mara.get("/earn/identity/north")).text
    clock.travel(timedelta(days=50))
    assert (await web(token=mara.token).get(door)).json()["may_ask"] is True
    as_mara = await sign_in(web(), mara)
    assert (await submit(as_mara, "/earn/identity/north", {"said": "As before."})).status_code == 303
    shown = words_of((await as_mara.get("/earn/identity/north")).text)
    assert "Identity checked" in shown and "knows that you wait" in shown and "Take it back" in shown
    assert (await submit(as_mara, "/earn/identity/north/end", {}, page="/earn/identity/north")).status_code == 303
    assert "knows that you wait" not in words_of((await as_mara.get("/earn/identity/north")).text)
    await says(house, mara, "withdrawn")
    shown = words_of((await as_mara.get("/earn/identity/north")).text)
    assert "no longer counts the look it had" in shown and "could not tell" not in shown


async def test_another_stores_look_and_another_stores_money_do_not_count(web: Browser):
    north, west, mara = await a_careful_house(), await a_careful_house("west"), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, north.shop, mara, "1001", 50_000)
    await earn(web, west.shop, mara, "2001", 50_000)
    await ask(north, mara)
    assert await trouble(west, mara) == "", "50 there and 50 here are beyond neither's 60"
    await ask(west, mara)
    for house, order_id in ((north, "1002"), (west, "2002")):
        await earn(web, house.shop, mara, order_id, 50_000)
    await says(north, mara)
    assert (await trouble(north, mara), await trouble(west, mara)) == ("", "identity_needed")
    clock.travel(timedelta(days=366))
    assert await trouble(west, mara) == "", "a new year"


async def test_a_currency_that_was_forgotten_is_no_way_around_the_limit(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_000, currency="EUR")

    async def in_euros() -> str:
        return (await quote_for(mara.id, house.shop.id, "EUR", "bank")).trouble

    assert await in_euros() == "identity_needed", "of euros nothing was said"
    as_owner = await sign_in(web(), house.owner)
    shown = await as_owner.get("/admin/programs/north/payouts/terms?currency=EUR")
    assert 'value="0.01"' in shown.text and "every sum is asked for" in words_of(shown.text)
    await publish_terms(house.owner.viewer, "north", Terms("EUR", 1_000, rails=RAILS, identity_from=5_000))
    assert await in_euros() == "", "now it was said"
    await publish_terms(house.owner.viewer, "north", Terms("EUR", 1_000, rails=RAILS, identity_from=0))
    await earn(web, house.shop, mara, "1002", 900_000, currency="EUR")
    assert await in_euros() == ""


async def test_who_is_paid_does_not_lift_their_own_limit(web: Browser):
    """Neither in the currency they are paid in nor by way of another; somebody else of the store may."""
    house = await a_careful_house()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", house.ben.id, house.shop.id)
    await earn(web, house.shop, house.owner, "1001", 90_000)
    await earn(web, house.shop, house.owner, "1002", 90_000, currency="EUR")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", house.owner.id, house.shop.id)
    await a_bank_account(house.owner)

    async def troubles() -> list[str]:
        found = [await quote_for(house.owner.id, house.shop.id, one, "bank") for one in ("USD", "EUR")]
        return [one.trouble for one in found]

    assert await troubles() == ["identity_needed"] * 2
    for identity_from in (0, 10_000_000):
        await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=RAILS, identity_from=identity_from))
        assert await troubles() == ["identity_needed"] * 2
    quotes = (await web(token=house.owner.token).get("/api/v1/payouts/quotes?currency=USD")).json()["quotes"]
    shown = [one["identity_from"] for one in quotes if one["rail"] == "bank"]
    assert {"amount": 6_000, "currency": "USD"} in shown, "what counts for them is what they read"
    for identity_from in (10_000_000, 0):
        await publish_terms(house.owner.viewer, "north", Terms("EUR", 1_000, rails=RAILS, identity_from=identity_from))
        assert await troubles() == ["identity_needed"] * 2
    for currency in ("USD", "EUR"):
        await publish_terms(house.ada.viewer, "north", Terms(currency, 1_000, rails=RAILS))
    assert await troubles() == ["", ""], "another one's word"


async def test_credit_stays_in_the_store_and_asks_nobody(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 90_000)
    assert await trouble(house, mara) == "identity_needed"
    assert await trouble(house, mara, "store_credit") == ""
    await ask(house, mara, rail="store_credit")
    await earn(web, house.shop, mara, "1002", 50_000)
    assert await trouble(house, mara) == "", "only money counts"


async def test_a_look_ends_with_the_document_and_by_a_word(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 90_000)
    await says(house, mara, days=3)
    assert await trouble(house, mara) == ""
    clock.travel(timedelta(days=5))
    assert await trouble(house, mara) == "identity_needed"
    as_mara = web(token=mara.token)
    assert (await as_mara.get("/api/v1/earn/identity/north")).json()["state"] == "expired"
    await says(house, mara)
    assert (await as_mara.put("/api/v1/earn/identity/north", json={})).status_code == 409, "checked already"
    await says(house, mara, "withdrawn", by=house.ada)
    assert await trouble(house, mara) == "identity_needed"
    assert (await as_mara.get("/api/v1/earn/identity/north")).json()["state"] == "withdrawn"
    log = (await web(token=house.owner.token).get("/api/v1/stores/north/identities")).json()["items"]
    assert [(one["result"], one["by"], one["in_force"]) for one in log] == [
        ("withdrawn", "ada-north", False), ("checked", "owner-north", False), ("checked", "owner-north", False)
    ]  # fmt: skip


async def test_a_batch_takes_nobody_unknown_and_sends_to_nobody_whose_look_has_ended(web: Browser):
    house, mara, ben = await a_careful_house(), await a_member("mara"), await a_member("ben")
    for who, order_id in ((mara, "1001"), (ben, "1002")):
        await a_bank_account(who, "GB29NWBK60161331926819" if who is ben else "DE89370400440532013000")
        await earn(web, house.shop, who, order_id, 90_000)
    await says(house, mara)
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    seen = await batches.preview(store, "USD", clock.now(), 1_000)  # type: ignore[arg-type]
    assert {one.sum.member_id: one.trouble for one in seen} == {mara.id: "", ben.id: "identity_needed"}
    batch = await a_batch(house)
    assert await the_payout_of(ben) == {} and (await the_payout_of(mara))["asks_identity"]
    await says(house, mara, "withdrawn")
    await send(house, batch)
    payout = await the_payout_of(mara)
    assert (payout["state"], payout["reason"]) == ("failed", "identity_needed")
    assert await standing(mara) == {("available", "USD"): 9_000}, "it stays theirs"
    assert await db.fetch_val("SELECT failures FROM payout_method WHERE member_id = $1", mara.id) == 0
    await all_is_right()


async def test_stripes_own_word_counts_for_the_account_it_knows(web: Browser, stripe: PlayedStripe):
    from referrals.payouts.methods import add_method

    house, mara = await a_careful_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 90_000)
    account = {"id": "acct_1A2b3C4d5E6f7G8h", "payouts_enabled": True,
               "requirements": {"currently_due": ["individual.verification.document"], "past_due": []}}  # fmt: skip
    stripe.accounts[account["id"]] = account
    method_id = await add_method(mara.viewer, "stripe", {"account": account["id"]}, password=PASSWORD)
    clock.travel(timedelta(hours=73))
    await run_jobs()
    assert await trouble(house, mara, "stripe") == "identity_needed", "Stripe still wants something of her"
    account["requirements"] = {"currently_due": [], "past_due": [], "disabled_reason": None}
    account["individual"] = {"verification": {"status": "pending"}}
    await verified.look_at_all()
    assert await trouble(house, mara, "stripe") == "identity_needed"
    account["individual"] = {"verification": {"status": "verified"}}
    await verified.look_at_all()
    assert await trouble(house, mara, "stripe") == ""
    assert await trouble(house, mara, "bank") == "identity_needed", "of her bank account Stripe says nothing"
    stripe.is_away = True
    clock.travel(timedelta(days=8))
    await verified.look_at_all()
    assert await trouble(house, mara, "stripe") == "", "no answer is no no"
    clock.travel(timedelta(days=30))
    assert await trouble(house, mara, "stripe") == "identity_needed", "but a word of last month is none"
    stripe.is_away = False
    await verified.look(method_id)
    assert await trouble(house, mara, "stripe") == ""
    account["payouts_enabled"] = False
    await verified.look(method_id)
    assert await trouble(house, mara, "stripe") == "identity_needed"


async def test_documents_that_ended_hold_up_nobody_elses_payout(web: Browser):
    """What we refuse ourselves says nothing of the bank; what the bank refuses still pauses the batch."""
    house = await a_careful_house()
    crowd = [await a_member(f"payee{n}") for n in range(4)]
    for n, who in enumerate(crowd):
        await a_bank_account(who)
        await earn(web, house.shop, who, f"10{n}", 90_000)
        await says(house, who, days=1 if n < 3 else 400)
        await ask(house, who)
    batch = await a_batch(house)
    clock.travel(timedelta(days=3))
    await send(house, batch)
    row = await db.fetch_one("SELECT state, paused_for, failures FROM payout_batch WHERE id = $1", batch["id"])
    assert row and (row["state"], row["paused_for"], row["failures"]) == ("submitted", "", 0)
    ended = await db.fetch("SELECT state, reason FROM payout ORDER BY id")
    assert [tuple(one) for one in ended] == [("failed", "identity_needed")] * 3 + [("submitted", "")]
    await all_is_right()


async def test_a_refusal_of_ours_neither_lengthens_nor_ends_a_row_of_the_banks(web: Browser):
    from referrals.payouts.settlement import fail, refuse

    house = await a_house()
    crowd = [await a_member(f"payee{n}") for n in range(4)]
    for n, who in enumerate(crowd):
        await a_bank_account(who)
        await earn(web, house.shop, who, f"10{n}", 90_000)
        await ask(house, who)
    batch = await a_batch(house)
    await approve(house, batch)
    await batches.submit(house.owner.viewer, "north", batch["id"])
    for n, who in enumerate(crowd[:3]):
        payout_id = (await the_payout_of(who))["id"]
        assert await (fail(payout_id, "refused") if n != 1 else refuse(payout_id, "identity_needed"))
    assert await db.fetch_val("SELECT failures FROM payout_batch WHERE id = $1", batch["id"]) == 2
    await run_jobs()
    await all_is_right()


async def test_what_was_asked_for_before_the_limit_came_is_looked_at_by_the_batch_and_its_approvers(web: Browser):
    house, mara, ben, eve = await a_house(), *[await a_member(handle) for handle in ("mara", "ben", "eve")]
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=RAILS))
    for n, who in enumerate((mara, ben, eve)):
        await a_bank_account(who)
        await earn(web, house.shop, who, f"10{n}", 30_000 if who is eve else 90_000)
        await ask(house, who)
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=RAILS, identity_from=6_000))
    await says(house, ben)
    batch = await a_batch(house)
    asked = await db.fetch("SELECT asks_identity FROM payout ORDER BY id")
    assert [row["asks_identity"] for row in asked] == [True, True, False], "30 dollars are within the limit"
    as_ada = await sign_in(web(), house.ada)
    shown = await as_ada.get(f"/admin/programs/north/payouts/{batch['id']}")
    words = words_of(shown.text)
    assert words.count("Identity not checked") == 1 and words.count("Identity checked") == 1
    assert 'href="/admin/programs/north/identity?member=mara#seen"' in shown.text
    await send(house, batch)
    rows = await db.fetch("SELECT state, reason FROM payout ORDER BY id")
    assert [tuple(row) for row in rows] == [("failed", "identity_needed"), ("submitted", ""), ("submitted", "")]
    await all_is_right()


async def test_payouts_of_one_year_are_counted_together_when_the_batch_looks_again(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=RAILS, credit_bonus_bps=0))
    await a_bank_account(mara)
    for n in range(3):
        await earn(web, house.shop, mara, f"10{n}", 40_000)
        await ask(house, mara)
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=RAILS, identity_from=10_000))
    await a_batch(house)
    asked = await db.fetch("SELECT asks_identity FROM payout ORDER BY id")
    assert [row["asks_identity"] for row in asked] == [False, False, True], "40, 80, 120 of 100"


VERIFIED = {"payouts_enabled": True, "requirements": {}, "individual": {"verification": {"status": "verified"}}}


@pytest.mark.parametrize(
    ("status", "told", "is_known"),
    [
        (200, VERIFIED, True),
        (200, {"payouts_enabled": True}, False),
        (200, VERIFIED | {"individual": None}, False),
        (200, VERIFIED | {"individual": {}, "company": {"name": "A shell"}, "business_type": "company"}, False),
        (200, VERIFIED | {"requirements": None}, False),
        (200, VERIFIED | {"requirements": {"past_due": ["individual.id_number"]}}, False),
        (200, VERIFIED | {"payouts_enabled": False}, False),
        (404, {"error": {"code": "resource_missing"}}, False),
        (403, {"error": {"code": "account_invalid", "type": "invalid_request_error"}}, False),
        (403, {"error": {"type": "invalid_request_error", "message": "The key rk_… lacks permissions"}}, None),
        (401, {"error": {"type": "invalid_request_error"}}, None),
        (500, "<html>", None),
    ],
)
async def test_only_a_plain_yes_of_stripes_counts_and_only_a_plain_no(
    monkeypatch: pytest.MonkeyPatch, status: int, told: Any, is_known: bool | None
):
    async def fetch(method: str, url: str, **more: Any) -> http.Answer:
        return http.Answer(status, {}, msgspec.json.encode(told))

    monkeypatch.setattr(stripe_connect.http, "fetch", fetch)
    assert await stripe_connect.is_known({"account": "acct_1A2b3C4d5E6f7G8h"}) is is_known


async def test_who_earns_nothing_asks_nobody_and_asking_twice_is_one_bell(web: Browser):
    house, mara, eve = await a_careful_house(), await a_member("mara"), await a_member("eve")
    await earn(web, house.shop, mara, "1001", 50_000)
    clock.travel(timedelta(hours=(12 - clock.now().hour) % 24))  # no midnight in between: the bell is one a day
    door = "/api/v1/earn/identity/north"
    assert (await web(token=eve.token).put(door, json={"said": "x"})).status_code == 409
    assert (await web(token=eve.token).get("/api/v1/earn/identity/nowhere")).status_code == 404
    for said in ("By video.", "Or in person."):
        answer = await web(token=mara.token).put(door, json={"said": said})
        assert answer.status_code == 200 and answer.json()["state"] == "asked"
    await run_jobs()
    waiting = (await web(token=house.owner.token).get("/api/v1/stores/north/identities/waiting")).json()["items"]
    assert [(one["member"], one["said"]) for one in waiting] == [("mara", "Or in person.")]
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'identity_asked'") == 1
    assert (await web(token=mara.token).delete(door)).status_code == 204
    assert await db.fetch_val("SELECT said FROM identity_request") == ""
    assert (await web(token=mara.token).put(door, json={"said": "x"})).json()["state"] == "asked"
    assert (await web(token=mara.token).delete(door)).status_code == 204
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'identity_asked'") == 1, "one a day"
    assert (await queries.waiting_at(house.shop.id, cursor=None)).items == []
    assert (await web(token=mara.token).get(door)).json()["state"] == "none"


async def test_an_owner_who_earns_at_their_own_store_waits_for_an_admin(web: Browser):
    house = await a_careful_house()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", house.ben.id, house.shop.id)
    await earn(web, house.shop, house.owner, "1001", 90_000)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", house.owner.id, house.shop.id)
    await service.ask(house.owner.viewer, "north", "")
    await run_jobs()
    told = await db.fetch("SELECT member_id FROM notification WHERE kind = 'identity_asked' ORDER BY member_id")
    assert [row["member_id"] for row in told] == sorted([house.ada.id, house.ben.id])


async def test_what_is_kept_of_a_look_is_taken_along_and_blanked_at_the_end(web: Browser):
    house, mara = await a_careful_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await service.ask(mara.viewer, "north", "At Weir Lane 12, any evening")
    await service.decide(
        house.owner.viewer,
        "north",
        NewCheck(
            "mara",
            "checked",
            "id_card",
            "DE",
            f"{clock.now() + timedelta(days=9):%Y-%m-%d}",
            "Mole on her chin",
            PASSWORD,
        ),
    )
    assert await db.fetch_val("SELECT said FROM identity_request") == "", "how to meet her has been of use"
    taken = [dict(row) for row in await db.fetch(people.FILES["identity_checks"], mara.id)]
    assert [(row["document"], row["country"], row["note"]) for row in taken] == [("id_card", "DE", "Mole on her chin")]
    told = await (await sign_in(web(), mara)).get("/earn/identity/north")
    assert "a note on how they looked" in words_of(told.text)
    assert 'name="said"' in told.text, "it ends within sixty days: the next look may be asked for"
    await service.ask(mara.viewer, "north", "At Weir Lane 12, any evening")
    await people.erase("mara")
    rows = [
        dict(row)
        for table in ("identity_check", "identity_request")
        for row in await db.fetch(f"SELECT * FROM {table}")
    ]
    assert "Mole" not in str(rows) and "Weir Lane" not in str(rows) and "'DE'" not in str(rows)
    assert "Mole" not in str([tuple(row) for row in await db.fetch("SELECT data::text FROM event")])
