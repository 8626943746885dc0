"""Becoming a partner: asking, being let in or told why not, coming by an invitation; tags, notes, words, things."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from referrals.partners import applying, crm
from referrals.partners.schemas import FormTold, NewInvite, Question
from tests.community.test_media import a_picture
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
ADMIN = "/admin/programs/north/partners"
HERE = "/earn/partners/north"
QUESTIONS = [
    Question("Where do you post?", "url", True),
    Question("About what?", "choice", True, ("Hiking", "Cooking")),
    Question("Anything else?", "long"),
]


async def an_open_programme(*, auto_below: int = 0) -> tuple[Shop, Person, int]:
    shop, owner = await a_paying_shop(), await a_member("ona")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await applying.set_form(owner.viewer, "north", FormTold(True, "Hikers wanted.", auto_below, QUESTIONS))
    return shop, owner, (await applying.access_program("north"))["id"]


GOOD = {"answer-0": "https://kim.example/blog", "answer-1": "Hiking", "answer-2": ""}


async def state_of(person: Person) -> str | None:
    return await db.fetch_val("SELECT state FROM partner WHERE member_id = $1", person.id)


async def test_somebody_asks_is_seen_with_their_risk_and_let_in(web: Browser):
    _shop, owner, _program = await an_open_programme()
    kim = await a_member("kim")
    as_kim, as_owner = await sign_in(web(), kim), await sign_in(web(), owner)
    assert "Hikers wanted." in (await as_kim.get("/earn/partners")).text
    for wrong in ({"answer-0": ""}, {"answer-0": "javascript:alert(1)"}, {"answer-1": "Sailing"}):
        again = await submit(as_kim, HERE, GOOD | wrong)
        assert again.status_code == 422 and "Hikers wanted." in again.text
    assert (await submit(as_kim, HERE, GOOD)).status_code == 303
    assert await state_of(kim) == "applied"
    await run_jobs()
    assert "@kim wants to become a partner" in (await as_owner.get("/notifications")).text
    waiting = (await as_owner.get(f"{ADMIN}/applications")).text
    assert "https://kim.example/blog" in waiting and "Risk 45" in waiting
    assert "younger than two weeks" in waiting and "kim@example.org" not in waiting
    verdict = {"verdict": "approved", "tier": "Gold"}
    door = f"{ADMIN}/applications/kim"
    assert (await submit(as_owner, door, verdict, page=f"{ADMIN}/applications")).status_code == 303
    assert await state_of(kim) == "approved"
    assert "Gold" in (await as_kim.get(HERE)).text
    assert "You are a partner of" in (await as_kim.get("/notifications")).text
    assert (await submit(as_owner, door, verdict, page=f"{ADMIN}/applications")).status_code == 404


async def test_who_is_declined_reads_why_and_may_ask_again(web: Browser):
    _shop, owner, _program = await an_open_programme()
    kim = await a_member("kim")
    as_kim, as_owner = await sign_in(web(), kim), await sign_in(web(), owner)
    await submit(as_kim, HERE, GOOD)
    door = f"{ADMIN}/applications/kim"
    assert (await submit(as_owner, door, {"verdict": "declined"}, page=f"{ADMIN}/applications")).status_code == 422
    said = {"verdict": "declined", "reason": "Too few posts yet."}
    assert (await submit(as_owner, door, said, page=f"{ADMIN}/applications")).status_code == 303
    assert "Too few posts yet." in (await as_kim.get(HERE)).text
    assert (await submit(as_kim, HERE, GOOD)).status_code == 303
    assert await state_of(kim) == "applied"


async def test_a_rule_lets_in_by_itself_who_looks_safe_and_nobody_else(web: Browser):
    await an_open_programme(auto_below=20)
    fresh, known = await a_member("fresh"), await a_member("known")
    await db.execute("UPDATE member SET created_at = created_at - interval '90 days' WHERE id = $1", known.id)
    door = "/api/v1/stores/north/partnership"
    answers = {"answers": ["https://kim.example/blog", "Hiking", ""]}
    assert (await web(token=fresh.token).post(door, json=answers)).json()["state"] == "waiting"
    told = await web(token=known.token).post(door, json=answers)
    assert told.status_code == 201 and told.json()["state"] == "approved"
    assert (await web(token=known.token).post(door, json=answers)).status_code == 409
    assert (await web(token=known.token).post(door, json={"answers": []})).status_code == 422


async def test_nobody_decides_about_themselves_and_strangers_about_nobody(web: Browser):
    _shop, owner, _program = await an_open_programme()
    kim, eve = await a_member("kim"), await a_member("eve")
    await applying.apply(owner.viewer, "north", list(GOOD.values()))
    await applying.apply(kim.viewer, "north", list(GOOD.values()))
    door = "/api/v1/stores/north/partners/{}/decision"
    verdict = {"verdict": "approved"}
    assert (await web(token=owner.token).put(door.format("ona"), json=verdict)).status_code == 403
    assert (await web(token=eve.token).put(door.format("kim"), json=verdict)).status_code == 403
    as_eve = await sign_in(web(), eve)
    for page in ("", "/applications", "/form", "/invites", "/assets", "/m/kim", ".csv"):
        assert (await as_eve.get(ADMIN + page)).status_code == 403, page
    assert await state_of(kim) == await state_of(owner) == "applied"


async def test_an_invitation_lets_in_as_many_as_it_says_even_all_at_once(web: Browser):
    _shop, owner, program = await an_open_programme()
    day = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    code = await crm.invite(owner.viewer, program, NewInvite("Fair", "Silver", 2, day))
    people = [await a_member(f"kol{n}") for n in range(5)]
    ends = await asyncio.gather(*(applying.accept_invite(one.viewer, code) for one in people), return_exceptions=True)
    assert sorted(isinstance(end, str) for end in ends) == [False] * 3 + [True] * 2
    states = [await state_of(one) for one in people]
    assert states.count("approved") == 2 and states.count(None) == 3
    assert await db.fetch_val("SELECT DISTINCT tier FROM partner") == "Silver"
    late = await sign_in(web(), await a_member("late"))
    assert "used up" in (await late.get(f"/earn/partners/join/{code}")).text
    assert (await late.get("/earn/partners/join/nonsense")).status_code == 404
    # The same person twice takes one place.
    again = await crm.invite(owner.viewer, program, NewInvite("", "", 5, day))
    one = await a_member("double")
    await asyncio.gather(*(applying.accept_invite(one.viewer, again) for _n in range(3)), return_exceptions=True)
    assert await db.fetch_val("SELECT used FROM partner_invite WHERE code = $1", again) == 1
    invitation = f"{ADMIN}/invites"
    as_owner = await sign_in(web(), owner)
    assert code in (await as_owner.get(invitation)).text
    number = await db.fetch_val("SELECT id FROM partner_invite WHERE code = $1", again)
    assert (await submit(as_owner, f"{invitation}/{number}/end", {}, page=invitation)).status_code == 303
    gone = await submit(late, f"/earn/partners/join/{again}", {}, page="/earn")
    assert gone.status_code == 410


async def test_a_store_and_a_partner_write_each_other_and_nobody_else_reads_it(web: Browser):
    _shop, owner, _program = await an_open_programme()
    kim, eve = await a_member("kim"), await a_member("eve")
    await applying.apply(kim.viewer, "north", list(GOOD.values()))
    as_kim, as_owner, as_eve = [await sign_in(web(), one) for one in (kim, owner, eve)]
    assert (
        await submit(as_kim, f"{HERE}/messages", {"body": "May I have <b>samples</b>?"}, page=HERE)
    ).status_code == 303
    one = f"{ADMIN}/m/kim"
    seen = (await as_owner.get(one)).text
    assert "May I have &lt;b&gt;samples" in seen
    assert "A partner of" in (await as_owner.get("/notifications")).text
    assert (await submit(as_owner, f"{one}/messages", {"body": "On their way."}, page=one)).status_code == 303
    assert (await submit(as_owner, f"{one}/messages", {"body": " "}, page=one)).status_code == 422
    assert "On their way." in (await as_kim.get(HERE)).text
    assert "samples" not in (await as_eve.get(HERE)).text
    assert (await submit(as_eve, f"{HERE}/messages", {"body": "Hi"}, page=HERE)).status_code == 403
    assert (await submit(as_owner, f"{one}/notes", {"note": "Friendly."}, page=one)).status_code == 303
    assert (await submit(as_owner, f"{one}/tags", {"tags": "Trail, video，trail"}, page=one)).status_code == 303
    assert (await submit(as_owner, f"{one}/tier", {"tier": "Gold"}, page=one)).status_code == 303
    page = (await as_owner.get(one)).text
    assert "Friendly." in page and 'value="trail, video"' in page
    assert "Friendly." not in (await as_kim.get(HERE)).text
    assert (await as_owner.get(f"{ADMIN}/m/nobody")).status_code == 404


async def test_partners_find_things_to_use_and_who_leaves_does_no_more(web: Browser):
    shop, owner, _program = await an_open_programme(auto_below=100)
    kim, eve = await a_member("kim"), await a_member("eve")
    await applying.apply(kim.viewer, "north", list(GOOD.values()))
    await db.execute("UPDATE product SET picture = '/media/pictures/pack.webp' WHERE store_id = $1", shop.id)
    as_kim, as_owner, as_eve = [await sign_in(web(), one) for one in (kim, owner, eve)]
    assets = f"{ADMIN}/assets"
    assert (
        await submit(as_owner, assets, {"kind": "text", "title": "Short", "body": "Light as air."})
    ).status_code == 303
    bad = {"kind": "page", "title": "Press", "body": "javascript:alert(1)"}
    assert (await submit(as_owner, assets, bad)).status_code == 422
    banner = {"kind": "picture", "title": "Banner", "body": ""}
    assert (await submit(as_owner, assets, banner)).status_code == 422, "no file"
    sent = await submit(as_owner, assets, banner, files={"file": ("b.png", a_picture(), "image/png")})
    assert sent.status_code == 303, sent.text
    page = (await as_kim.get(HERE)).text
    picture = await db.fetch_val("SELECT key FROM partner_asset WHERE kind = 'picture'")
    assert "Light as air." in page and picture in page and "/media/pictures/pack.webp" in page
    assert (await as_kim.get(picture)).status_code == 200
    assert "Light as air." not in (await as_eve.get(HERE)).text
    text = await db.fetch_val("SELECT id FROM partner_asset WHERE kind = 'text'")
    assert (await submit(as_owner, f"{assets}/{text}/end", {}, page=assets)).status_code == 303
    assert "Light as air." not in (await as_kim.get(HERE)).text
    assert (await submit(as_kim, f"{HERE}/leave", {}, page=HERE)).status_code == 303
    assert await state_of(kim) == "left" and "Banner" not in (await as_kim.get(HERE)).text


async def test_the_form_is_written_on_a_page_and_a_closed_one_takes_nobody(web: Browser):
    _shop, owner, _program = await an_open_programme()
    as_owner, as_kim = await sign_in(web(), owner), await sign_in(web(), await a_member("kim"))
    typed = {
        "is_open": "on", "welcome": "Come.", "auto_below": "30",
        "label": ["Your blog", ""], "kind": ["url", "text"], "must": ["yes", "no"], "options": ["", ""],
    }  # fmt: skip
    assert (await submit(as_owner, f"{ADMIN}/form", typed)).status_code == 303
    assert "Your blog" in (await as_kim.get(HERE)).text
    assert (await submit(as_owner, f"{ADMIN}/form", typed | {"kind": ["script", "text"]})).status_code == 422
    assert (await submit(as_owner, f"{ADMIN}/form", typed | {"kind": ["choice", "text"]})).status_code == 422
    assert (await submit(as_owner, f"{ADMIN}/form", typed | {"auto_below": "101"})).status_code == 422
    closed = {name: value for name, value in typed.items() if name != "is_open"}
    assert (await submit(as_owner, f"{ADMIN}/form", closed)).status_code == 303
    assert (await as_kim.get(HERE)).status_code == 404
    assert (await submit(as_kim, HERE, {"answer-0": "https://a.example"}, page="/earn")).status_code in (404, 410)
