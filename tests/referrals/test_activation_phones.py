"""A programme may pay for a new member only once their phone is proven; one phone counts once, never for oneself."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app import clock, db, people
from community.phones import codes, service
from community.phones.codes import code_of
from community.phones.jobs import forget_old_codes
from referrals.clicks.service import credit_signup
from referrals.commissions import rewards
from referrals.fraud import clusters
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, Terms
from tests.community.test_phones import a_gateway
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit, words_of
from tests.referrals.cast import a_link, books_are_right, click, standing, tell
from tests.referrals.test_attribution_doors import bought
from tests.referrals.test_codes import a_shop_of
from tests.referrals.till import a_click, a_shop_that_pays

pytestmark = pytest.mark.anyio
MINE = "+49 171 1234567"


def paying(needs: str) -> Terms:
    return Terms(currency="USD", activation=250, activation_needs=needs)  # type: ignore[arg-type]


async def has_phone(who: Person, number: str = MINE) -> None:
    await codes.ask(who.viewer, number, address=f"10.0.0.{who.id % 200}")
    row = await db.fetch_one("SELECT * FROM phone_code WHERE member_id = $1 ORDER BY id DESC LIMIT 1", who.id)
    assert row
    await service.prove(who.viewer, code_of(row))


async def brought(
    web: Browser, kol: Person, gv: str, handle: str, *, email: bool = True, useful: bool = True
) -> Person:
    """Somebody came by the link and joined; useful: they have written something."""
    new = await a_member(handle, email_is_proven=email)
    assert await credit_signup(new.id, gv)
    if useful:
        await says_something(web, new)
    await run_jobs()
    return new


async def says_something(web: Browser, who: Person) -> None:
    await a_group(who, f"of-{who.handle}")
    topic = {"title": "Which leaves?", "body": "Mine are bitter."}
    answer = await web(token=who.token).post(f"/api/v1/groups/of-{who.handle}/topics", json=topic)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("last", ["phone", "email", "deed"])
async def test_the_reward_comes_with_the_last_of_what_is_asked(web: Browser, last: str):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("both"))
    gv = await a_click(web, kol, shop)
    new = await brought(web, kol, gv, "new", email=last != "email", useful=last != "deed")
    if last != "phone":
        await has_phone(new)
        await run_jobs()
    assert await standing(kol) == {}, last
    if last == "phone":
        await has_phone(new)
    elif last == "email":
        await db.execute("UPDATE member SET email_proven_at = now() WHERE id = $1", new.id)
        await rewards.consider_activation(new.id)
    else:
        await says_something(web, new)
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}
    await rewards.consider_activation(new.id)
    assert await standing(kol) == {("pending", "USD"): 250}
    await books_are_right()


async def test_a_programme_that_asks_for_a_phone_alone_asks_for_no_mail_and_the_usual_one_for_no_phone(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("phone"))
    gv = await a_click(web, kol, shop)
    one = await brought(web, kol, gv, "one", email=False)
    two = await brought(web, kol, gv, "two")
    assert await standing(kol) == {}
    await has_phone(one)
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}
    await publish_rules("north", terms=paying("email"))
    await rewards.consider_activation(two.id)
    assert await standing(kol) == {("pending", "USD"): 500}, "by the rules in force now"
    await books_are_right()


async def test_one_phone_handed_from_puppet_to_puppet_is_paid_once(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("phone"))
    gv = await a_click(web, kol, shop)
    for n, handle in enumerate(("one", "two", "three")):
        puppet = await brought(web, kol, gv, handle)
        await has_phone(puppet, ("+49 171 1234567", "+49 0171 1234567", "0049 171/1234567")[n])
        await run_jobs()
        await rewards.consider_activation(puppet.id)
        if handle == "two":
            await people.erase("two")
        else:
            await service.remove(puppet.viewer)
    assert await standing(kol) == {("pending", "USD"): 250}
    # Nor where no phone is asked for: the number says that it is the same person again.
    await publish_rules("north", terms=paying("email"))
    four = await a_member("four")
    assert await credit_signup(four.id, gv)
    await has_phone(four)
    await says_something(web, four)
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}
    assert await db.fetch_val("SELECT count(*) FROM rewarded_phone") == 1
    await books_are_right()


async def test_a_phone_counts_too_when_it_is_proven_after_the_reward(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("email"))
    gv = await a_click(web, kol, shop)
    one = await brought(web, kol, gv, "one")
    await has_phone(one)
    await run_jobs()
    await service.remove(one.viewer)
    two = await brought(web, kol, gv, "two", useful=False)
    await has_phone(two)
    await says_something(web, two)
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}


async def test_nobody_brings_the_phone_that_was_their_own(web: Browser):
    """Proven by the one who brings, removed, and proven by the one who is brought; also long after."""
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("phone"))
    gv = await a_click(web, kol, shop)
    await has_phone(kol)
    await service.remove(kol.viewer)
    clock.travel(timedelta(days=3))
    await forget_old_codes()
    kept = await db.fetch_one("SELECT * FROM phone_code")
    assert kept and (kept["sealed"], kept["hint"], kept["nonce"], kept["network_hmac"]) == (b"", "", "", "")
    puppet = await brought(web, kol, gv, "puppet")
    await has_phone(puppet)
    await run_jobs()
    assert await standing(kol) == {}
    clock.travel(timedelta(seconds=61))
    await has_phone(puppet, "+49 171 7654321")
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}, "another phone is another one's, as far as anybody knows"
    await books_are_right()


async def test_a_number_that_nothing_was_paid_with_may_still_count(web: Browser):
    """The day was full when its owner joined; the number is not used up by that."""
    clock.travel(timedelta(hours=(12 - clock.now().hour) % 24))  # no midnight in between
    kol = await a_member("kol")
    shop = await a_shop_that_pays(msgspec.structs.replace(paying("phone"), caps=Caps(day=250)))
    gv = await a_click(web, kol, shop)
    for handle, number in (("one", "+49 171 7654321"), ("two", MINE)):
        await has_phone(await brought(web, kol, gv, handle), number)
        await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 250}
    assert await db.fetch_val("SELECT count(*) FROM rewarded_phone") == 1, "two's is not used up"
    await books_are_right()


async def test_the_same_moment_pays_once(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(paying("phone"))
    gv = await a_click(web, kol, shop)
    new = await brought(web, kol, gv, "new")
    await has_phone(new)
    await asyncio.gather(*(rewards.consider_activation(new.id) for _ in range(4)))
    assert await standing(kol) == {("pending", "USD"): 250}
    await run_jobs()
    await books_are_right()


async def test_the_owner_chooses_it_in_the_editor_and_everybody_reads_it(web: Browser, monkeypatch: pytest.MonkeyPatch):
    owner = await a_member("ona")
    await a_shop_of(owner)
    browser = await sign_in(web(), owner)
    address = "/admin/programs/north/rules"
    typed = {"rate": "10 %", "currency": "USD", "activation": "2.50", "activation_needs": "both", "base_version": "1"}
    shown = await submit(browser, f"{address}/preview", typed, page=address)
    assert "who proves their e-mail and their phone and does something useful" in words_of(shown.text)
    chinese = await submit(browser, f"{address}/preview?lang=zh-Hans", typed, page=address)
    assert "验证邮箱和手机" in words_of(chinese.text)
    a_gateway(monkeypatch, "", env="production")
    refused = await submit(browser, f"{address}/preview?lang=en", typed, page=address)
    assert refused.status_code == 422 and "the operator sets up messages first" in words_of(refused.text)


async def test_who_buys_by_their_own_link_and_names_the_number_they_have_proven_waits(web: Browser):
    """Under another name, and a number that stands on none of their own orders."""
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    code = (await a_link(web, mara))["code"]
    other = {"id": "x", "email": "other@example.org", "phone": "0049 171 1234567"}
    await tell(web, shop, "order.paid", bought(1, gv=await click(web(), code), customer=other))
    await run_jobs()
    assert await db.fetch_val("SELECT state FROM commission") == "pending", "nobody knows whose number it is"
    await has_phone(mara)
    await run_jobs()
    assert await db.fetch_val("SELECT state FROM commission") == "held", "looked at anew"
    await tell(web, shop, "order.paid", bought(2, gv=await click(web(), code), customer=other | {"id": "z"}))
    friend = {"id": "y", "email": "friend@example.org", "phone": "+49 171 1234568"}
    await tell(web, shop, "order.paid", bought(3, gv=await click(web(), code), customer=friend))
    await run_jobs()
    rows = await db.fetch("SELECT state FROM commission ORDER BY id")
    assert [row["state"] for row in rows] == ["held", "held", "pending"]
    browser = await sign_in(web(), ines)
    case = await db.fetch_val("SELECT min(id) FROM fraud_case")
    shown = await browser.get(f"/admin/programs/north/cases/{case}")
    assert "the number that the member has proven" in words_of(shown.text), shown.status_code
    await books_are_right()


async def test_a_number_that_was_removed_is_still_ones_own(web: Browser):
    """Else it is proven, taken away, and bought with by one's own link."""
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    code = (await a_link(web, mara))["code"]
    await has_phone(mara)
    await service.remove(mara.viewer)
    clock.travel(timedelta(days=3))
    await forget_old_codes()
    other = {"id": "x", "email": "other@example.org", "phone": "0049 171 1234567"}
    await tell(web, shop, "order.paid", bought(1, gv=await click(web(), code), customer=other))
    friend = {"id": "y", "email": "friend@example.org", "phone": "+49 171 1234568"}
    await tell(web, shop, "order.paid", bought(2, gv=await click(web(), code), customer=friend))
    await run_jobs()
    rows = await db.fetch("SELECT state FROM commission ORDER BY id")
    assert [row["state"] for row in rows] == ["held", "pending"]
    own = await web(token=mara.token).post("/api/v1/earn/invites/phone", json={"phone": "+49 171 1234567"})
    assert own.status_code == 422
    await books_are_right()


async def test_a_number_that_went_from_hand_to_hand_still_joins_them(web: Browser):
    ann, bob, eve = [await a_member(handle) for handle in ("ann", "bob", "eve")]
    await has_phone(ann)
    await service.remove(ann.viewer)
    await has_phone(bob)
    await has_phone(eve, "+49 171 7654321")
    found = await clusters._shared_by({ann.id}, {"created_at": clock.now()})  # type: ignore[arg-type]
    assert [(row["kind"], row["members"]) for row in found] == [("phone", [ann.id, bob.id])]


async def test_nobody_invites_their_own_number(web: Browser):
    mara = await a_member("mara")
    await has_phone(mara)
    own = await web(token=mara.token).post("/api/v1/earn/invites/phone", json={"phone": "0049 171 1234567"})
    assert own.status_code == 422
    friend = await web(token=mara.token).post("/api/v1/earn/invites/phone", json={"phone": "+49 171 1234568"})
    assert friend.status_code == 201
