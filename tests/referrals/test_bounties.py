"""Bounties: offered by a store, handed in with proof, paid once when a person has looked."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict
from referrals.bounties.schemas import Verdict
from referrals.bounties.service import decide
from referrals.programs.terms import Terms
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_shop_that_pays

pytestmark = pytest.mark.anyio
ADMIN = "/admin/programs/north/bounties"


async def offered(web: Browser, *, most_awards: int = 1):
    owner = await a_member("ona")
    shop = await a_shop_that_pays(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    browser = await sign_in(web(), owner)
    day = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    bounty = {"title": "A film", "brief": "One minute on the trail.", "amount": "150.00", "currency": "USD"}
    typed = bounty | {"most_awards": str(most_awards), "closes_on": day}
    assert (await submit(browser, ADMIN, typed)).status_code == 303
    return owner, browser, await db.fetch_val("SELECT id FROM bounty")


async def test_work_is_offered_handed_in_looked_at_and_paid(web: Browser):
    _owner, as_owner, bounty = await offered(web)
    kol = await a_member("kol")
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    assert "$150.00" in (await as_kol.get("/earn/bounties")).text
    wrong = await submit(as_kol, page, {"proof_url": "javascript:alert(1)"})
    assert wrong.status_code == 422
    work = {"proof_url": "https://films.example/42", "reach": "1200", "note": "Filmed in rain."}
    assert (await submit(as_kol, page, work)).status_code == 303
    seen = (await as_owner.get(ADMIN)).text
    assert "https://films.example/42" in seen and "1200 people" in seen
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_owner, door, {"verdict": "declined"}, page=ADMIN)).status_code == 422, "say why"
    assert (await submit(as_owner, door, {"verdict": "declined", "reason": "Dark."}, page=ADMIN)).status_code == 303
    assert "Dark." in (await as_kol.get(page)).text
    assert (await submit(as_kol, page, work | {"note": "Brighter."})).status_code == 303
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    assert await standing(kol) == {("pending", "USD"): 15_000}
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 409
    await run_jobs()
    await books_are_right()


async def test_the_last_award_is_given_once(web: Browser):
    owner, _browser, bounty = await offered(web)
    people = [await a_member(f"kol{n}") for n in range(4)]
    for person in people:
        await db.execute(
            """INSERT INTO bounty_submission (bounty_id, member_id, proof_url, note, reach, state, created_at)
               VALUES ($1, $2, 'https://films.example/1', '', 0, 'waiting', now())""",
            bounty,
            person.id,
        )
    ids = [row["id"] for row in await db.fetch("SELECT id FROM bounty_submission")]
    ends = await asyncio.gather(
        *(decide(owner.viewer, "north", one, Verdict("approved")) for one in ids), return_exceptions=True
    )
    assert [end is None for end in ends].count(True) == 1 and all(
        end is None or isinstance(end, Conflict) for end in ends
    )
    assert sum([sum((await standing(person)).values()) for person in people]) == 15_000
    await books_are_right()


async def test_nobody_decides_on_their_own_work_and_strangers_on_none(web: Browser):
    owner, as_owner, bounty = await offered(web)
    assert (
        await submit(as_owner, f"/earn/bounties/{bounty}", {"proof_url": "https://me.example/1"})
    ).status_code == 303
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 403
    stranger = await sign_in(web(), await a_member("sam"))
    answer = await submit(stranger, door, {"verdict": "approved"}, page=f"/earn/bounties/{bounty}")
    assert answer.status_code == 403 and await standing(owner) == {}
    assert (
        await submit(stranger, "/earn/bounties/999", {"proof_url": "https://a.example"}, page="/earn")
    ).status_code == 404
