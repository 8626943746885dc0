"""Who was not credited says why it should be theirs: once, to somebody who gains nothing by it, and is answered."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app import clock, db
from app.errors import Conflict
from referrals.clicks.service import claim
from referrals.earn.queries import access_decision
from referrals.objections import service
from referrals.programs.policy import Policy
from referrals.programs.service import publish_rules
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, order

pytestmark = pytest.mark.anyio
WORDS = "She read my guide an hour before, I can show the message."
ADMIN = "/admin/programs/north/objections"
DOOR = "/api/v1/earn/orders/1001/objection?store=north"
WHY = "/earn/orders/1001/why?store=north"


class Cast(msgspec.Struct):
    shop: Shop
    owner: Person
    mara: Person
    ines: Person


async def an_order_that_ines_won(web: Browser, *, second_from: int = 1_000_000) -> Cast:
    """Bob clicked Mara's link, then Ines's, and bought. From `second_from` on two people decide."""
    owner, mara, ines, bob = [await a_member(name) for name in ("ona", "mara", "ines", "bob")]
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await publish_rules("north", policy=Policy(second_approver_from=second_from))
    await claim(bob.id, await click(web(), (await a_link(web, mara))["code"]))
    late = await click(web(), (await a_link(web, ines))["code"])
    await run_jobs()
    await tell(web, shop, "order.paid", order(gv=late))
    return Cast(shop, owner, mara, ines)


async def object_to(web: Browser, person: Person, words: str = WORDS) -> str:
    answer = await web(token=person.token).post(DOOR, json={"words": words})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def answer_it(web: Browser, person: Person, number: str, verdict: str, words: str = "We looked."):
    door = f"/api/v1/stores/north/objections/{number}/verdict"
    return await web(token=person.token).put(door, json={"verdict": verdict, "words": words})


async def test_who_was_not_credited_objects_from_the_page_and_reads_the_answer(web: Browser):
    cast = await an_order_that_ines_won(web)
    as_mara, as_ona = await sign_in(web(), cast.mara), await sign_in(web(), cast.owner)
    page = (await as_mara.get(WHY)).text
    assert "Why it should be yours" in page
    short = await submit(as_mara, "/earn/orders/1001/objection?store=north", {"words": "No."}, page=WHY)
    assert short.status_code == 422 and "Say in a sentence" in short.text
    sent = await submit(as_mara, "/earn/orders/1001/objection?store=north", {"words": WORDS}, page=WHY)
    assert sent.status_code == 303 and sent.headers["location"] == WHY
    page = (await as_mara.get(WHY)).text
    assert WORDS in page and "Why it should be yours" not in page, "one at a time"
    assert "@mara objects" in (await as_ona.get("/notifications")).text
    queue = (await as_ona.get(ADMIN)).text
    assert WORDS in queue and "@ines" in queue and "bob" not in queue.lower()
    number = await db.fetch_val("SELECT id FROM credit_objection")
    look = f"{ADMIN}/{number}/decision"
    mute = await submit(as_ona, look, {"verdict": "dismiss", "words": ""}, page=ADMIN)
    assert mute.status_code == 422
    done = await submit(as_ona, look, {"verdict": "dismiss", "words": "Her later click counts."}, page=ADMIN)
    assert done.status_code == 303
    assert "Her later click counts." in (await as_mara.get(WHY)).text
    assert "it stays as it is" in (await as_mara.get("/notifications")).text
    again = await web(token=cast.mara.token).post(DOOR, json={"words": WORDS})
    assert again.status_code == 409, "once for each decision"
    assert (await answer_it(web, cast.owner, str(number), "uphold")).status_code == 409
    await books_are_right()


async def test_an_upheld_one_credits_the_member_and_the_books_follow(web: Browser):
    cast = await an_order_that_ines_won(web)
    number = await object_to(web, cast.mara)
    told = await answer_it(web, cast.owner, number, "uphold", "The message was shown to us.")
    assert told.status_code == 200 and told.json()["state"] == "upheld"
    await run_jobs()
    assert await standing(cast.mara) == {("pending", "USD"): 1_200} and await standing(cast.ines) == {}
    why = (await web(token=cast.mara.token).get("/api/v1/earn/orders/1001/why?store=north")).json()
    assert why["you_won"] and why["objection"]["state"] == "upheld" and not why["may_object"]
    # It was decided anew: now Ines may say her word, once.
    other = (await web(token=cast.ines.token).get("/api/v1/earn/orders/1001/why?store=north")).json()
    assert other["may_object"] and other["objection"] is None
    await books_are_right()


async def test_above_the_threshold_a_second_person_has_to_agree(web: Browser):
    cast = await an_order_that_ines_won(web, second_from=1)
    number = await object_to(web, cast.mara)
    assert (await answer_it(web, cast.owner, number, "uphold")).json()["state"] == "agreed"
    await run_jobs()
    assert await standing(cast.mara) == {}
    admin = await a_member("ada", role="admin")
    made = await db.fetch_val("SELECT override_id FROM credit_objection")
    place = "/admin/programs/north/overrides"
    as_ada = await sign_in(web(), admin)
    assert (await submit(as_ada, f"{place}/{made}/refusal", {}, page=place)).status_code == 303
    why = (await web(token=cast.mara.token).get("/api/v1/earn/orders/1001/why?store=north")).json()
    assert why["objection"]["state"] == "refused" and not why["you_won"]
    await books_are_right()


async def test_only_who_had_a_part_and_did_not_win_may_object(web: Browser):
    cast = await an_order_that_ines_won(web)
    eve = await a_member("eve")
    assert (await web(token=cast.ines.token).post(DOOR, json={"words": WORDS})).status_code == 409, "it is hers"
    assert (await web(token=eve.token).post(DOOR, json={"words": WORDS})).status_code == 404
    assert (await web().post(DOOR, json={"words": WORDS})).status_code == 401
    clock.travel(timedelta(days=61))
    assert (await web(token=cast.mara.token).post(DOOR, json={"words": WORDS})).status_code == 409, "long ago"


async def test_whoever_wins_or_loses_by_it_has_no_say(web: Browser):
    cast = await an_order_that_ines_won(web)
    number = await object_to(web, cast.mara)
    for person in (cast.mara, cast.ines):
        await db.execute("UPDATE store SET owner_id = $1 WHERE slug = 'north'", person.id)
        assert (await answer_it(web, person, number, "uphold")).status_code == 403
        assert "somebody else has to decide" in (await (await sign_in(web(), person)).get(ADMIN)).text
    await db.execute("UPDATE store SET owner_id = $1 WHERE slug = 'north'", cast.owner.id)
    assert (await answer_it(web, await a_member("eve"), number, "uphold")).status_code == 403
    assert (await answer_it(web, cast.owner, number, "dismiss")).status_code == 200
    await books_are_right()


async def test_whoever_has_a_share_of_the_credit_has_no_say_either(web: Browser):
    owner, mara, ines, bob = [await a_member(name) for name in ("ona", "mara", "ines", "bob")]
    shop = await a_paying_shop()
    await publish_rules("north", policy=Policy(assist_bps={"author": 2_500}))
    guide = {"title": "Packs that last", "blocks": [{"type": "text", "markdown": "One of them, really."}]}
    slug = (await web(token=owner.token).post("/api/v1/guides", json=guide)).json()["slug"]
    await claim(bob.id, await click(web(), (await a_link(web, mara))["code"]))
    late = await click(web(), (await a_link(web, ines, f"guide:{slug}"))["code"])
    await run_jobs()
    await tell(web, shop, "order.paid", order(gv=late))
    assert await standing(owner) == {("pending", "USD"): 300}
    number = await object_to(web, mara)
    await db.execute("UPDATE store SET owner_id = $1 WHERE slug = 'north'", owner.id)
    assert (await answer_it(web, owner, number, "dismiss")).status_code == 403


async def test_two_objections_at_once_are_one_and_so_are_two_answers(web: Browser):
    cast = await an_order_that_ines_won(web)
    decision = await access_decision(cast.mara.viewer, "1001", "north")
    ends = await asyncio.gather(
        *(service.object_to(cast.mara.viewer, decision, WORDS) for _n in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(end, BaseException) for end in ends) == 1
    assert all(isinstance(end, Conflict) for end in ends if isinstance(end, BaseException))
    number = await db.fetch_val("SELECT id FROM credit_objection")
    told = await asyncio.gather(*(answer_it(web, cast.owner, str(number), "uphold") for _n in range(3)))
    assert sorted(one.status_code for one in told) == [200, 409, 409]
    await run_jobs()
    assert await standing(cast.mara) == {("pending", "USD"): 1_200}
    await books_are_right()


async def test_what_nobody_answers_is_told_to_the_admins_once_and_never_decides_itself(web: Browser):
    cast = await an_order_that_ines_won(web)
    await object_to(web, cast.mara)
    admin = await a_member("ada", role="admin")
    assert await service.escalate() == 0
    clock.travel(timedelta(days=8))
    assert (await service.escalate(), await service.escalate()) == (1, 0)
    assert "Nobody answered @mara" in (await (await sign_in(web(), admin)).get("/notifications")).text
    assert await db.fetch_val("SELECT state FROM credit_objection") == "open"
    await books_are_right()


async def test_a_member_may_not_flood_the_queue(web: Browser):
    cast = await an_order_that_ines_won(web)
    for _n in range(service.MOST_A_DAY):
        await web(token=cast.mara.token).post(DOOR, json={"words": WORDS})
    assert (await web(token=cast.mara.token).post(DOOR, json={"words": WORDS})).status_code == 429
    assert await db.fetch_val("SELECT count(*) FROM credit_objection") == 1
