"""A number proves nobody: it makes no purchase a member's, credits least of all, and only where a shop says so."""

import re
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from referrals.clicks import visitors
from referrals.programs.policy import Policy
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from storefront.orders.fingerprints import phone_fingerprint
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, IPHONE, a_link, books_are_right, click, standing, tell
from tests.referrals.test_attribution_doors import bought, why
from tests.referrals.test_codes import a_shop_of
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
DOOR = "/api/v1/earn/invites/phone"
FRIEND = "+49 171 1234567"
SEEN_AS = {"user-agent": IPHONE}


async def a_trusting_shop(owner: Person) -> Shop:
    """A shop whose owner has said that matches of 40 % may earn."""
    shop = await a_shop_of(owner)
    await publish_rules("north", Rules(rate_bps=1000), policy=Policy(min_confidence=40))
    return shop


async def message(web: Browser, member: Person, phone: str = FRIEND) -> str:
    """The path that the friend opens."""
    made = await web(token=member.token).post(DOOR, json={"phone": phone})
    assert made.status_code == 201, made.text
    return "/told/" + made.json()["url"].rpartition("/")[2]


async def says_so(browser: httpx.AsyncClient, path: str, agent: str = IPHONE, **headers: str) -> httpx.Response:
    browser.headers.update({"user-agent": agent, **headers})
    return await submit(browser, path, {})


def by(number: str, customer: str = "c1") -> dict:
    return {"id": customer, "email": f"{customer}@example.org", "phone": number}


async def buys(web: Browser, shop: Shop, n: int, customer: dict) -> None:
    clock.travel(timedelta(minutes=5))
    await tell(web, shop, "order.paid", bought(n, customer=customer))


@pytest.mark.parametrize(
    ("written", "country"),
    [("+49 171 1234567", ""), ("0049 (171) 123-4567", ""), ("0171/1234567", "DE"), ("+49 (0)171 1234567", "FR")],
)
def test_one_number_is_known_however_it_is_written(written: str, country: str):
    assert phone_fingerprint(written, country) == phone_fingerprint("+491711234567") != ""


def test_what_is_no_whole_number_is_no_number_rather_than_a_guess():
    assert {phone_fingerprint(one) for one in ("", "0171 1234567", "555", "call me", "+1" + "2" * 20)} == {""}
    assert phone_fingerprint("415 555 0100", "US") == phone_fingerprint("1-415-555-0100", "ca") != ""
    assert phone_fingerprint("06 1234 5678", "IT") == phone_fingerprint("+39 06 1234 5678")


async def test_a_friend_who_says_so_is_shown_with_40_percent_and_pays_only_where_the_shop_allows_it(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    as_mara = await sign_in(web(), mara)
    shown = await submit(as_mara, "/earn/invite/phone", {"phone": FRIEND}, page="/earn/invite")
    assert "wa.me/491711234567" in shown.text and "I may earn from this link." in shown.text
    path = re.search(r"/told/[A-Za-z0-9_-]{20,}", shown.text)[0]
    friend = web()
    assert "@mara thought of you" in (await friend.get(path, headers=SEEN_AS)).text
    answer = await says_so(friend, path)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/r/")
    await buys(web, shop, 1, by(FRIEND))
    assert await standing(mara) == {}, "as little as that is nothing by the plain rules"
    told = (await db.fetch_val("SELECT candidates FROM attribution ORDER BY id DESC LIMIT 1"))[0]
    assert (told["via"], told["confidence"], told["outcome"]) == ("phone_invite", 40, "too_uncertain")
    await publish_rules("north", Rules(rate_bps=1000), policy=Policy(min_confidence=40))
    await buys(web, shop, 2, by("0049 171 1234567", "c2"))
    assert await standing(mara) == {("pending", "USD"): 1200}
    told = await why(web, mara, "o2")
    assert (told["rule"]["name"], told["candidates"][0]["confidence"]) == ("phone_invite", 40)
    kept = "".join(str(dict(row)) for row in await db.fetch("SELECT * FROM phone_invite"))
    assert "1711234567" not in kept
    await books_are_right()


async def test_a_thief_who_names_strangers_numbers_gets_nothing_by_them(web: Browser):
    """Nothing unless the stranger opens the message; and one browser speaks for one friend, never the thief's own."""
    await visitors.learn_salts()
    thief, ines = await a_member("thief"), await a_member("ines")
    shop = await a_trusting_shop(ines)
    silent, opened = await message(web, thief, "+49 30 1000001"), await message(web, thief, "+49 30 1000002")
    own_browser = await sign_in(web(), thief)
    own_browser.headers["user-agent"] = CHROME
    await own_browser.get("/earn")
    await visitors.note_members()
    assert (await submit(own_browser, opened, {})).status_code == 422, "signed in, it is their own"
    assert (await says_so(web(), opened, CHROME)).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM phone_invite WHERE accepted_at IS NOT NULL") == 0, "same browser"
    assert (await says_so(web(), opened, IPHONE, **{"sec-gpc": "1"})).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM phone_invite WHERE accepted_at IS NOT NULL") == 0, "unknown browser"
    third = await message(web, thief, "+49 30 1000003")
    for path in (opened, third):
        assert (await says_so(web(), path)).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM phone_invite WHERE accepted_at IS NOT NULL") == 1
    await buys(web, shop, 1, by("+49 30 1000001", "a"))
    await buys(web, shop, 2, by("+49 30 1000003", "b"))
    assert await standing(thief) == {} and silent
    tries = [await web(token=thief.token).post(DOOR, json={"phone": f"+49 30 20000{n}"}) for n in range(10, 30)]
    assert tries[-1].status_code == 429
    await books_are_right()


async def test_who_bought_before_is_nobodys_to_invite_and_a_number_two_claim_is_nobodys(web: Browser):
    mara, thief, ines = await a_member("mara"), await a_member("thief"), await a_member("ines")
    shop = await a_trusting_shop(ines)
    await buys(web, shop, 1, by("+49 30 555001", "guest:1"))
    assert (await says_so(web(), await message(web, thief, "+49 30 555001"))).status_code == 303
    await buys(web, shop, 2, by("+49 30 555001", "guest:2"))
    assert await standing(thief) == {}
    for person, agent in ((mara, IPHONE), (thief, CHROME)):
        assert (await says_so(web(), await message(web, person), agent)).status_code == 303
    await buys(web, shop, 3, by(FRIEND, "c9"))
    assert await standing(mara) == {} == await standing(thief)
    await books_are_right()


async def test_a_click_goes_before_a_number_and_a_number_makes_no_purchase_a_members(web: Browser):
    mara, ben, ines = await a_member("mara"), await a_member("ben"), await a_member("ines")
    shop = await a_trusting_shop(ines)
    assert (await says_so(web(), await message(web, mara))).status_code == 303
    gv = await click(web(), (await a_link(web, ben))["code"])
    clock.travel(timedelta(minutes=5))
    await tell(web, shop, "order.paid", bought(1, gv=gv, customer=by(FRIEND)))
    assert await standing(ben) == {("pending", "USD"): 1200} and await standing(mara) == {}
    assert await db.fetch_val("SELECT member_id FROM customer") is None
    await books_are_right()


async def test_whoever_buys_by_their_own_link_under_another_name_and_their_own_number_waits(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    code = (await a_link(web, mara))["code"]
    own = {"id": "m", "email": "mara@example.org", "phone": "+49 160 7654321"}
    await tell(web, shop, "order.paid", bought(1, customer=own))
    again = {"id": "x", "email": "other@example.org", "phone": "0049 160 7654321"}
    await tell(web, shop, "order.paid", bought(2, gv=await click(web(), code), customer=again))
    other = {"id": "y", "email": "friend@example.org", "phone": "+49 160 7654322"}
    await tell(web, shop, "order.paid", bought(3, gv=await click(web(), code), customer=other))
    await run_jobs()
    rows = await db.fetch("SELECT state FROM commission ORDER BY id")
    assert [row["state"] for row in rows] == ["held", "pending"]
    assert [row["rule"] for row in await db.fetch("SELECT rule FROM fraud_case")] == ["own_phone"]
    await books_are_right()
