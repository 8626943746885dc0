"""Whoever wants money that is not theirs: their own sign-ups, their own leads, a friend they never wrote to."""

from datetime import timedelta

import pytest

from app import clock, db, mail
from app.auth import Viewer
from community.sessions.service import make_token
from referrals.commissions import rewards
from referrals.links.service import close
from referrals.programs.terms import EventPay, Terms
from tests.factories import Browser, Person, a_group, a_member, prove_email, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, a_link, books_are_right, click, standing, tell
from tests.referrals.test_codes import a_shop_of, bought
from tests.referrals.till import a_click, a_shop_that_pays

pytestmark = pytest.mark.anyio


async def signs_up(web: Browser, handle: str, email: str, gv: str, agent: str = CHROME) -> Person:
    """Somebody joins through the form, in a browser that came by this click, and proves the address."""
    browser = web()
    browser.headers["user-agent"] = agent
    form = {"handle": handle, "name": handle, "email": email, "password": "correct horse battery"}
    answer = await submit(browser, f"/join?gv={gv}", form, page=f"/join?gv={gv}")
    assert answer.status_code == 303, answer.text
    await prove_email(browser)
    await run_jobs()
    member_id: int = await db.fetch_val("SELECT id FROM member WHERE handle = $1", handle)
    viewer = Viewer(member_id=member_id, handle=handle, name=handle, role="member")
    return Person(member_id, handle, await make_token(member_id, ["read", "write"]), viewer)


async def does_something(web: Browser, person: Person) -> None:
    slug = await a_group(person)
    topic = {"title": "Which leaves?", "body": "Mine are bitter."}
    assert (await web(token=person.token).post(f"/api/v1/groups/{slug}/topics", json=topic)).status_code == 201
    await run_jobs()


async def test_a_second_account_of_the_same_mailbox_was_brought_by_nobody(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", activation=250))
    gv = await a_click(web, kol, shop)
    twin = await signs_up(web, "twin", "kol+2@example.org", gv)
    await does_something(web, twin)
    assert await standing(kol) == {}
    assert await db.fetch_val("SELECT count(*) FROM signup_referral") == 0
    await books_are_right()


async def test_whoever_takes_over_the_mailbox_later_activates_nobody(web: Browser):
    """The account was made with another address, and given the referrer's own before it was proven."""
    kol, new = await a_member("kol"), await a_member("new")
    shop = await a_shop_that_pays(Terms(currency="USD", activation=250))
    await db.execute(
        "INSERT INTO signup_referral (member_id, referrer_id, click_id, created_at) VALUES ($1, $2, $3::uuid, $4)",
        new.id, kol.id, await a_click(web, kol, shop), clock.now(),
    )  # fmt: skip
    await db.execute("UPDATE member SET email = 'k.o.l+x@example.org' WHERE id = $1", kol.id)
    await db.execute("UPDATE member SET email = 'k.o.l@example.org' WHERE id = $1", new.id)
    await does_something(web, new)
    await rewards.consider_activation(new.id)
    assert await standing(kol) == {}


async def test_a_row_of_new_members_waits_for_a_person(web: Browser):
    """Nobody's order: the pace of sign-ups alone has to open the case."""
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", activation=250))
    gv = await a_click(web, kol, shop)
    for number in range(30):
        new = await a_member(f"new{number}")
        await db.execute(
            "INSERT INTO signup_referral (member_id, referrer_id, click_id, created_at) VALUES ($1, $2, $3::uuid, $4)",
            new.id, kol.id, gv, clock.now(),
        )  # fmt: skip
        await db.execute(
            "INSERT INTO post (topic_id, author_id, body, created_at) SELECT id, $1, 'x', now() FROM topic LIMIT 0",
            new.id,
        )
    await does_something(web, Person(new.id, new.handle, new.token, new.viewer))
    assert [row["rule"] for row in await db.fetch("SELECT rule FROM fraud_case")] == ["velocity"]
    assert set(await standing(kol)) == {("held", "USD")}
    await books_are_right()


async def test_a_new_member_from_ones_own_browser_waits_for_a_person(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", activation=250))
    gv = await a_click(web, kol, shop)
    twin = await signs_up(web, "twin", "somebody@example.net", gv)
    today = clock.now().date()
    await db.execute(
        "INSERT INTO member_visitor (day, member_id, visitor_day_hash) VALUES ($1, $2, 'one'), ($1, $3, 'one')",
        today, kol.id, twin.id,
    )  # fmt: skip
    await does_something(web, twin)
    assert [row["rule"] for row in await db.fetch("SELECT rule FROM fraud_case")] == ["own_device"]
    assert set(await standing(kol)) == {("held", "USD")}


LEAD = Terms(currency="USD", events=[EventPay("trial", "flat", amount=700)])


async def a_lead(web: Browser, owner: Person, gv: str, id: str = "k1", **more: object) -> None:
    told = {"store": "north", "id": id, "kind": "trial", "gv": gv} | more
    assert (await web(token=owner.token).post("/api/v1/conversions", json=told)).status_code == 201
    await run_jobs()


async def a_shop_that_pays_leads(owner: Person):
    shop = await a_shop_that_pays(LEAD)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    return shop


async def test_ones_own_trial_is_no_lead_whatever_name_one_gives(web: Browser):
    """She follows her own link, signs in in that browser, and begins a trial as somebody else."""
    kol, owner = await a_member("kol"), await a_member("ona")
    await a_shop_that_pays_leads(owner)
    browser = web()
    gv = await click(browser, (await a_link(web, kol))["code"])
    await sign_in(browser, kol)
    await run_jobs()
    assert await db.fetch_val("SELECT member_id FROM click_claim") == kol.id
    await a_lead(web, owner, gv, customer_id="cust-9")
    assert await standing(kol) == {}


async def test_a_trial_under_ones_own_mailbox_is_no_lead(web: Browser):
    kol, owner = await a_member("kol"), await a_member("ona")
    shop = await a_shop_that_pays_leads(owner)
    gv = await click(web(), (await a_link(web, kol))["code"])
    await tell(web, shop, "order.paid", bought(1, customer={"id": "cust-9", "email": "kol+shop@example.org"}))
    await a_lead(web, owner, gv, customer_id="cust-9")
    assert await standing(kol) == {}


async def test_a_link_that_was_off_and_an_account_that_is_suspended_bring_no_leads(web: Browser):
    kol, bad, owner = await a_member("kol"), await a_member("bad"), await a_member("ona")
    await a_shop_that_pays_leads(owner)
    link, theirs = await a_link(web, kol), await a_link(web, bad)
    gv, their_gv = await click(web(), link["code"]), await click(web(), theirs["code"])
    await close(kol.viewer, link["code"])
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', $3)",
        bad.id, owner.id, clock.now(),
    )  # fmt: skip
    clock.travel(timedelta(minutes=1))
    await a_lead(web, owner, gv)
    await a_lead(web, owner, their_gv, "k2")
    assert await standing(kol) == await standing(bad) == {}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    mails: list[str] = []

    async def send(to: str, subject: str, text: str) -> None:
        mails.append(to)

    monkeypatch.setattr(mail, "is_set_up", lambda: True)
    monkeypatch.setattr(mail, "send", send)
    return mails


async def test_a_friend_who_had_no_mail_of_ones_own_is_not_ones_friend(web: Browser, sent: list[str]):
    """Mara wrote to her friend. Mallory names the same address a day later, and nobody hears from her."""
    mara, mallory, ines = await a_member("mara"), await a_member("mallory"), await a_member("ines")
    shop = await a_shop_of(ines)
    sent.clear()
    for who in (mara, mallory):
        clock.travel(timedelta(days=1))
        answer = await web(token=who.token).post("/api/v1/earn/invites", json={"email": "friend@example.org"})
        assert answer.status_code == 204
        await run_jobs()
    assert sent.count("friend@example.org") == 1
    clock.travel(timedelta(days=1))
    await tell(web, shop, "order.paid", bought(1, customer={"id": "c1", "email": "friend@example.org"}))
    assert await standing(mallory) == {} and await standing(mara) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_a_member_is_not_made_somebodys_friend_behind_their_back(web: Browser, sent: list[str]):
    """Naming a member's address sends no mail, so it earns nothing when they first buy somewhere."""
    mallory, ines = await a_member("mallory"), await a_member("ines")
    await a_member("bob")
    shop = await a_shop_of(ines)
    sent.clear()
    await web(token=mallory.token).post("/api/v1/earn/invites", json={"email": "bob@example.org"})
    await run_jobs()
    assert "bob@example.org" not in sent
    clock.travel(timedelta(days=1))
    await tell(web, shop, "order.paid", bought(1, customer={"id": "c1", "email": "bob@example.org"}))
    assert await standing(mallory) == {}


async def test_another_browsers_name_does_not_buy_another_thirty_clicks(web: Browser):
    kol, ines = await a_member("kol"), await a_member("ines")
    await a_shop_of(ines)
    code = (await a_link(web, kol))["code"]
    answers = []
    for number in range(125):
        headers = {"user-agent": f"{CHROME} {number}", "origin": "https://north.example"}
        told = {"code": code, "page": "https://north.example/"}
        answers.append((await web().post("/api/v1/clicks", json=told, headers=headers)).status_code)
    assert answers[0] == 201 and answers[-1] == 429


async def test_the_friends_side_of_a_sale_that_is_looked_at_waits_too(web: Browser):
    """Two accounts of one household: the sharer's side is held, so the buyer's must not be spent meanwhile."""
    from referrals.commissions import holds
    from tests.referrals.test_credit import DOOR, bob_has_six_dollars, use

    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_has_six_dollars(web, ines, bob)
    client = web(token=ines.token)
    ids = [row["id"] for row in await db.fetch("SELECT id FROM commission")]
    async with db.transaction():
        assert await holds.hold(ids, "household") == ids
    assert (await client.post(f"{DOOR}/uses", json=use("cart-1", 600))).status_code == 409
    async with db.transaction():
        await holds.lift(ids, "cleared")
    assert (await client.post(f"{DOOR}/uses", json=use("cart-2", 250))).status_code == 201
    async with db.transaction():
        await holds.reject(ids, "confirmed")
    assert (await client.post(f"{DOOR}/uses", json=use("cart-3", 250))).status_code == 409
    await books_are_right()
