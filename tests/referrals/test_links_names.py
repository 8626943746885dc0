"""What a link may be called, and what becomes of its old names."""

import asyncio

import pytest

from app import db
from app.errors import Conflict
from community.members.schemas import NewMember
from community.members.service import join
from referrals.clicks import directory
from referrals.links import names
from tests.factories import PASSWORD, Browser, a_member, sign_in, submit
from tests.referrals.cast import CHROME, a_link, a_paying_shop

pytestmark = pytest.mark.anyio


async def test_a_member_has_link_code_and_qr_in_the_commit_of_the_sign_up(web: Browser):
    mara = await a_member("mara")  # No job has run.
    link = await db.fetch_one("SELECT * FROM link WHERE owner_id = $1", mara.id)
    assert link is not None and link["code"] == "mara" and link["scan_code"]
    assert (await web().get("/r/mara/qr.svg")).status_code == 200
    assert (await web().get("/r/mara", headers={"user-agent": CHROME})).status_code == 302


async def test_a_sign_up_that_fails_leaves_no_link(web: Browser):
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await join(NewMember("mara", "mara@example.org", PASSWORD))
            assert await db.fetch_val("SELECT count(*) FROM link") == 1
            raise ZeroDivisionError
    assert await db.fetch_val("SELECT (SELECT count(*) FROM link) + (SELECT count(*) FROM member)") == 0


async def test_whoever_joins_under_a_name_that_a_link_has_gets_a_code_of_chance(web: Browser):
    mara = await a_member("mara")
    await a_link(web, mara, "page:/p/", code="bobs-bags")
    bob = await a_member("bobs-bags")
    code = await db.fetch_val("SELECT code FROM link WHERE owner_id = $1", bob.id)
    assert code not in ("bobs-bags", "") and len(code) == 7


async def test_a_code_that_reads_like_anothers_is_taken(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_link(web, mara, "page:/p/", code="shop1-north")
    client = web(token=eve.token)
    for code in ("shopl-north", "SHOP1-north", "shopi_north", "ｓｈｏｐ1-north", "rnara", "eue-1l"):
        answer = await client.post("/api/v1/links", json={"target": "page:/g/", "code": code})
        assert answer.status_code == (201 if code == "eue-1l" else 409), code
    # Their own names may look alike.
    assert (await a_link(web, mara, "page:/g/", code="shopl-north"))["code"] == "shopl-north"


async def test_two_who_want_codes_that_look_alike_at_once_are_not_both_served(web: Browser):
    people = [await a_member() for _ in range(4)]
    answers = await asyncio.gather(
        *(
            web(token=person.token).post("/api/v1/links", json={"target": "page:/p/", "code": code})
            for person, code in zip(people, ("sale10", "salelo", "sa1e10", "saleio"), strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    "code", ["admin", "Support", "placements", "gone-12", "xn--80ak", "gr𝐚pe vine", "маra", "中文名"]
)
async def test_what_sounds_like_the_house_or_is_no_plain_word_is_refused(web: Browser, code: str):
    mara = await a_member("mara")
    answer = await web(token=mara.token).post("/api/v1/links", json={"target": "page:/p/", "code": code})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "code"


def test_rude_words_are_found_also_in_digits_and_syllables_but_not_inside_honest_ones():
    for rude in ("fuck", "my-fuck", "f-u-c-k", "sh1t", "c0ck", "bu11shit-1", "caonima", "cao-ni-ma", "sb", "big-tits"):
        assert names.is_unwelcome(rude), rude
    honest = (
        "scunthorpe essex-tea class-of-9 shiitake saltwater who-really peacock abu-shabir-tea titanic assam-55 mara"
    )
    for word in honest.split():
        assert not names.is_unwelcome(word), word


async def test_the_old_name_leads_to_the_link_for_ever_and_is_nobody_elses(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    await a_link(web, mara, code="old-name")
    client = web(token=mara.token)
    changed = await client.patch("/api/v1/links/old-name", json={"code": "New-Name"})
    assert changed.status_code == 200 and changed.json()["code"] == "new-name"
    for code in ("old-name", "OLD-NAME", "new-name"):
        directory.forget(code.lower())
        gone_to = await web().get(f"/r/{code}", headers={"user-agent": CHROME})
        assert gone_to.status_code == 302 and gone_to.headers["location"].startswith(
            "https://north.example/p/SKU-1?gv="
        )
    theirs = await web(token=eve.token).post("/api/v1/links", json={"target": "page:/p/", "code": "old-name"})
    assert theirs.status_code == 409
    # Its owner may take it back for this link, but not for another one.
    another = await client.post("/api/v1/links", json={"target": "page:/p/", "code": "old-name"})
    assert another.status_code == 409
    back = await client.patch("/api/v1/links/new-name", json={"code": "old-name"})
    assert back.json()["code"] == "old-name"
    directory.forget("new-name")
    assert (await web().get("/r/new-name", headers={"user-agent": CHROME})).status_code == 302
    assert await db.fetch_val("SELECT count(*) FROM link_former_code") == 1


async def test_a_random_code_is_never_one_that_a_link_once_had(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara = await a_member("mara")
    await a_link(web, mara, "page:/p/", code="first-one")
    await web(token=mara.token).patch("/api/v1/links/first-one", json={"code": "second-one"})
    codes = iter(["first-one", "third-one"])
    monkeypatch.setattr(names, "new_code", lambda: next(codes))
    assert (await a_link(web, mara, "page:/g/"))["code"] == "third-one"


async def test_guessing_codes_gets_the_same_answer_and_then_a_pause(web: Browser):
    guesser = web()
    answers = [await guesser.get(f"/r/no-such-{number}") for number in range(62)]
    assert {answer.status_code for answer in answers[:60]} == {404}
    assert answers[-1].status_code == 429 and "retry-after" in answers[-1].headers


async def test_who_holds_a_name_is_asked_under_a_lock(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await names.take("free-one", mara.id)
    with pytest.raises(Conflict):
        await names.take("mara", eve.id)
    await names.take("mara", mara.id)


async def test_renaming_on_the_page_keeps_what_was_typed_when_it_fails(web: Browser):
    mara, _eve = await a_member("mara"), await a_member("eve")
    browser = await sign_in(web(), mara)
    refused = await submit(browser, "/share/mara/edit", {"code": "eve", "placement": "My blog"})
    assert refused.status_code == 409 and "My blog" in refused.text
    done = await submit(browser, "/share/mara/edit", {"code": "mara-walks"})
    assert done.headers["location"] == "/share/mara-walks"
    shown = await browser.get("/share/mara-walks")
    assert "/r/mara" in shown.text and "/r/mara-walks" in shown.text
