"""People decide: in time or late, once, never about themselves, and with the member's own word before them."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from app.errors import Conflict
from referrals.commissions.release import release_due
from referrals.fraud import cases as service
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, click, standing
from tests.referrals.test_fraud import HILL, a_sharer, bought, cases, states
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
HERE = "/admin/programs/north/cases"


async def a_case(web: Browser, **limits: object) -> tuple[Person, Person, Shop, int]:
    """Mara's case about her own address, at the shop that Olive owns."""
    mara, shop, code = await a_sharer(web, **limits)
    olive = await a_member("olive")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", olive.id, shop.id)
    await bought(web, shop, "own", who="mara", shipping_address=HILL)
    await bought(web, shop, "aunt", gv=await click(web(), code), shipping_address=HILL)
    case_id = await db.fetch_val("SELECT id FROM fraud_case")
    assert case_id and await standing(mara) == {("held", "USD"): 1_200}
    return mara, olive, shop, case_id


async def decide(browser: httpx.AsyncClient, case_id: int, verdict: str, words: str = "We looked.") -> httpx.Response:
    page = f"{HERE}/{case_id}"
    return await submit(browser, f"{page}/decision", {"verdict": verdict, "words": words}, page=page)


async def bells(person: Person) -> list[str]:
    rows = await db.fetch(
        """SELECT kind FROM notification WHERE member_id = $1
              AND (kind LIKE 'case%' OR kind LIKE 'check%') ORDER BY id""",
        person.id,
    )
    return [row["kind"] for row in rows]


async def test_what_was_looked_at_and_is_well_waits_for_the_end_of_its_hold_again(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    assert await bells(olive) == ["case_opened"] and await bells(mara) == ["check_opened"]
    browser = await sign_in(web(), olive)
    assert (await decide(browser, case_id, "clear")).status_code == 303
    assert await standing(mara) == {("pending", "USD"): 1_200} and await bells(mara) == [
        "check_opened",
        "check_decided",
    ]
    clock.travel(timedelta(days=15))
    await release_due()
    assert await standing(mara) == {("available", "USD"): 1_200}
    await books_are_right()


async def test_what_breaks_the_rules_goes_back_to_the_store(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    browser = await sign_in(web(), olive)
    assert (await decide(browser, case_id, "confirm", "It went to you.")).status_code == 303
    assert await standing(mara) == {} and await states() == {"aunt": "rejected"}
    reader = await sign_in(web(), mara)
    assert "It went to you." in (await reader.get(f"/earn/checks/{case_id}")).text
    await books_are_right()


async def test_time_alone_never_pays_what_is_held(web: Browser):
    """Nobody looks for a year. The admins hear of it every week; the money stays where it is."""
    mara, olive, _shop, _case_id = await a_case(web, sla_hours=24)
    admin = await a_member("anna", role="admin")
    clock.travel(timedelta(hours=23))
    assert await service.escalate_overdue() == 0
    clock.travel(timedelta(hours=2))
    assert await service.escalate_overdue() == 1 and await service.escalate_overdue() == 0
    assert await bells(admin) == ["case_late"] and await bells(olive) == ["case_opened", "case_late"]
    for _week in range(53):
        clock.travel(timedelta(days=7, minutes=1))
        await release_due()
        await service.escalate_overdue()
    await run_jobs()
    assert await standing(mara) == {("held", "USD"): 1_200} and await cases() == [("own_address", "open")]
    assert len(await bells(admin)) == 54
    await books_are_right()


async def test_nobody_decides_about_themselves_and_strangers_see_nothing(web: Browser):
    mara, olive, shop, case_id = await a_case(web)
    stranger = await sign_in(web(), await a_member("eve"))
    assert (await stranger.get(HERE)).status_code == 403
    assert (await stranger.get(f"/earn/checks/{case_id}")).status_code == 404
    assert (await web().get(f"{HERE}/{case_id}")).status_code in (303, 401)
    # Mara gets the shop: the case is still about her. As an admin, too.
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", mara.id, shop.id)
    browser = await sign_in(web(), mara)
    page = (await browser.get(f"{HERE}/{case_id}")).text
    assert "Somebody else decides this" in page and 'name="verdict"' not in page
    assert "It stands on" not in page, "nor do they read what gave them away"
    assert (await _forced(browser, case_id)).status_code == 403
    await db.execute("UPDATE member SET role = 'admin' WHERE id = $1", mara.id)
    assert (await _forced(browser, case_id)).status_code == 403
    assert await cases() == [("own_address", "open")] and olive.id


async def _forced(browser: httpx.AsyncClient, case_id: int) -> httpx.Response:
    """The form sent though the page does not show it."""
    form = {"verdict": "clear", "words": "All well."}
    return await submit(browser, f"{HERE}/{case_id}/decision", form, page=f"{HERE}/limits")


async def test_the_case_of_another_store_is_not_there(web: Browser):
    from tests.referrals.cast import a_paying_shop

    _mara, olive, _shop, case_id = await a_case(web)
    south = await a_paying_shop("south")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", olive.id, south.id)
    browser = await sign_in(web(), olive)
    assert (await browser.get(f"/admin/programs/south/cases/{case_id}")).status_code == 404


async def test_the_members_word_stands_in_the_case_before_it_is_decided(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    reader = await sign_in(web(), mara)
    shown = (await reader.get(f"/earn/checks/{case_id}")).text
    assert "own household" in shown and "address" not in shown.lower(), "why, and not by what it was noticed"
    form = {"words": "My aunt lives with us."}
    assert (
        await submit(reader, f"/earn/checks/{case_id}/answers", form, page=f"/earn/checks/{case_id}")
    ).status_code == 303
    empty = await submit(reader, f"/earn/checks/{case_id}/answers", {"words": " "}, page=f"/earn/checks/{case_id}")
    assert empty.status_code == 422
    browser = await sign_in(web(), olive)
    assert "My aunt lives with us." in (await browser.get(f"{HERE}/{case_id}")).text
    assert await bells(olive) == ["case_opened", "case_answered"]
    note = {"words": "Looks right to me, ask Ben."}
    await submit(browser, f"{HERE}/{case_id}/notes", note, page=f"{HERE}/{case_id}")
    assert "ask Ben" in (await browser.get(f"{HERE}/{case_id}")).text
    assert "ask Ben" not in (await reader.get(f"/earn/checks/{case_id}")).text


async def test_nobody_learns_who_bought(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    for person, path in ((mara, f"/earn/checks/{case_id}"), (olive, f"{HERE}/{case_id}"), (olive, HERE)):
        text = (await (await sign_in(web(), person)).get(path)).text
        assert "Bea" not in text and "buyeraunt" not in text and "Hill" not in text


async def test_an_objection_is_decided_by_somebody_else_and_brings_the_money_back(web: Browser):
    mara, olive, shop, case_id = await a_case(web)
    admin = await a_member("anna", role="admin")
    owner, reader, second = await sign_in(web(), olive), await sign_in(web(), mara), await sign_in(web(), admin)
    await decide(owner, case_id, "confirm")
    form = {"words": "It was a present."}
    answers = f"/earn/checks/{case_id}/answers"
    assert (await submit(reader, answers, form, page=f"/earn/checks/{case_id}")).status_code == 303
    assert await bells(admin) == ["case_answered"]
    assert (await _uphold(owner, case_id)).status_code == 403, "not by whoever decided first"
    assert (await decide(second, case_id, "uphold", "A present is no purchase of one's own.")).status_code == 303
    assert await cases() == [("own_address", "upheld")] and await standing(mara) == {("pending", "USD"): 1_200}
    again = await _answered(reader, case_id)
    assert again.status_code == 409
    clock.travel(timedelta(days=15))
    await release_due()
    assert await standing(mara) == {("available", "USD"): 1_200} and shop.id
    await books_are_right()


async def test_an_objection_may_be_dismissed_and_then_it_is_over(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    second = await sign_in(web(), await a_member("anna", role="admin"))
    await decide(await sign_in(web(), olive), case_id, "confirm")
    reader = await sign_in(web(), mara)
    await submit(reader, f"/earn/checks/{case_id}/answers", {"words": "No!"}, page=f"/earn/checks/{case_id}")
    await decide(second, case_id, "dismiss")
    assert await cases() == [("own_address", "dismissed")] and await standing(mara) == {}
    assert (await _answered(reader, case_id)).status_code == 409
    await books_are_right()


async def test_an_objection_comes_in_time_or_not_at_all(web: Browser):
    mara, olive, _shop, case_id = await a_case(web, appeal_days=3)
    await decide(await sign_in(web(), olive), case_id, "confirm")
    clock.travel(timedelta(days=3, minutes=1))
    reader = await sign_in(web(), mara)
    assert "answers" not in (await reader.get(f"/earn/checks/{case_id}")).text
    assert (await _answered(reader, case_id)).status_code == 409


async def _uphold(browser: httpx.AsyncClient, case_id: int) -> httpx.Response:
    form = {"verdict": "uphold", "words": "Fine."}
    return await submit(browser, f"{HERE}/{case_id}/decision", form, page=f"{HERE}/limits")


async def _answered(browser: httpx.AsyncClient, case_id: int) -> httpx.Response:
    return await submit(browser, f"/earn/checks/{case_id}/answers", {"words": "Once more."}, page="/share")


async def test_what_a_person_cleared_is_not_held_for_the_same_sign_again(web: Browser):
    mara, olive, shop, case_id = await a_case(web)
    await decide(await sign_in(web(), olive), case_id, "clear")
    code = await db.fetch_val("SELECT code FROM link WHERE owner_id = $1 AND target_kind = 'product'", mara.id)
    await bought(web, shop, "aunt2", gv=await click(web(), code), shipping_address=HILL)
    assert await states() == {"aunt": "pending", "aunt2": "pending"} and await cases() == [("own_address", "cleared")]
    other = {**HILL, "line1": "9 Hill Lane"}
    await bought(web, shop, "own2", who="mara", shipping_address=other)
    await bought(web, shop, "aunt3", gv=await click(web(), code), shipping_address=other)
    assert (await states())["aunt3"] == "held", "another address is another question"


async def test_money_that_two_rules_hold_waits_for_both(web: Browser):
    mara, shop, code = await a_sharer(web)
    olive = await a_member("olive")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", olive.id, shop.id)
    await bought(web, shop, "own", who="mara", shipping_address=HILL, payment_fingerprint="card_1")
    gv = await click(web(), code)
    await bought(web, shop, "aunt", gv=gv, shipping_address=HILL, payment_fingerprint="card_1")
    by_rule = {row["rule"]: row["id"] for row in await db.fetch("SELECT rule, id FROM fraud_case")}
    assert set(by_rule) == {"own_address", "own_card"}
    browser = await sign_in(web(), olive)
    await decide(browser, by_rule["own_address"], "clear")
    assert await standing(mara) == {("held", "USD"): 1_200}
    await decide(browser, by_rule["own_card"], "clear")
    assert await standing(mara) == {("pending", "USD"): 1_200}
    await books_are_right()


async def test_two_who_decide_at_once_are_one_decision(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    admin = await a_member("anna", role="admin")

    async def say(person: Person, confirm: bool) -> bool:
        try:
            await service.decide(person.viewer, "north", case_id, confirm=confirm, words="Decided.")
        except Conflict:
            return False
        return True

    done = await asyncio.gather(say(olive, True), say(admin, False), say(olive, True), say(admin, False))
    assert sum(done) == 1
    assert await standing(mara) in ({}, {("pending", "USD"): 1_200})
    await books_are_right()


async def test_what_happened_in_a_case_cannot_be_rewritten(web: Browser):
    import asyncpg

    await a_case(web)
    for table in ("fraud_entry", "fraud_signal"):
        for change in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await db.execute(change)


async def test_a_refund_while_a_case_is_open_ends_at_nothing_whatever_is_decided(web: Browser):
    from tests.referrals.cast import tell
    from tests.storefront.shop import refund

    mara, olive, shop, case_id = await a_case(web)
    lines = [{"id": "l1", "quantity": 1, "amount": 12_000}]
    await tell(web, shop, "order.refunded", refund("r1", "aunt", lines=lines))
    assert await standing(mara) == {}
    await decide(await sign_in(web(), olive), case_id, "clear")
    assert await standing(mara) == {} and await states() == {"aunt": "reversed"}
    await books_are_right()


async def test_the_queue_shows_what_is_urgent_first_and_pages_without_losing_any(web: Browser):
    from referrals.fraud import queries

    mara, olive, shop, _case_id = await a_case(web)
    for number in range(5):
        await db.execute(
            """INSERT INTO fraud_case (store_id, member_id, rule, state, opened_at, due_at, resolution)
               VALUES ($1, $2, $3, 'open', $4, $5, '')""",
            shop.id,
            mara.id,
            f"rule{number}",
            clock.now(),
            clock.now() - timedelta(hours=number),
        )
    seen, cursor = [], None
    while True:
        found = await queries.cases_of_store(shop.id, "open", cursor=cursor, limit=2)
        seen += [row["rule"] for row in found.items]
        if not (cursor := found.next):
            break
    assert seen == ["rule4", "rule3", "rule2", "rule1", "rule0", "own_address"]
    browser = await sign_in(web(), olive)
    text = (await browser.get(f"{HERE}?view=late")).text
    assert "late by" in text and text.count("/cases/") >= 5
    assert (await browser.get(f"{HERE}?view=nonsense&rule=nonsense")).status_code == 200
    await browser.get(HERE)
    with db.watch_queries() as few:
        await browser.get(f"{HERE}?rule=own_address")
    with db.watch_queries() as many:
        await browser.get(HERE)
    assert len(few) == len(many) <= 6


async def test_a_store_sets_its_limits(web: Browser):
    _mara, olive, shop, _case_id = await a_case(web)
    from referrals.fraud.thresholds import BOUNDS, PLAIN, RULES, thresholds_of

    browser = await sign_in(web(), olive)
    form = {field: str(getattr(PLAIN, field)) for field in BOUNDS} | {
        "orders_per_hour": "7",
        "banned_referrers": "*.Coupon.example\n\n steal.example \n",
        "paid_params": "gclid",
        "paid_allowed": "",
        "strikes": [rule for rule in RULES if rule != "odd_times"],
    }
    page = f"{HERE}/limits"
    assert (await submit(browser, page, form)).status_code == 303
    limits = await thresholds_of(shop.id)
    assert (limits.orders_per_hour, limits.off) == (7, ("odd_times",))
    assert limits.banned_referrers == ("*.coupon.example", "steal.example")
    bad = await submit(browser, page, {**form, "sla_hours": "0"})
    assert bad.status_code == 422 and "From 1 to 720" in bad.text
    assert (await submit(browser, page, {**form, "banned_referrers": "*"})).status_code == 422
    assert (await thresholds_of(shop.id)).sla_hours == 72


async def test_programs_read_answer_and_decide_cases_as_people_do(web: Browser):
    mara, olive, _shop, case_id = await a_case(web)
    hers, theirs = web(token=mara.token), web(token=olive.token)
    listed = (await hers.get("/api/v1/earn/checks")).json()["items"]
    assert [(one["reason"], one["state"]) for one in listed] == [("household", "open")]
    assert (await hers.get("/api/v1/stores/north/cases")).status_code == 403
    said = await hers.post(f"/api/v1/earn/checks/{case_id}/answers", json={"words": "My aunt."})
    assert said.status_code == 201
    found = (await theirs.get("/api/v1/stores/north/cases")).json()["items"]
    assert [(one["rule"], one["member"], len(one["evidence"])) for one in found] == [("own_address", "mara", 1)]
    door = f"/api/v1/stores/north/cases/{case_id}/decision"
    assert (await hers.post(door, json={"verdict": "clear", "words": "Fine."})).status_code == 403
    assert (await theirs.post(door, json={"verdict": "perhaps", "words": "Fine."})).status_code == 422
    assert (await theirs.post(door, json={"verdict": "clear", "words": "Fine."})).json()["state"] == "cleared"
    assert (await theirs.post(door, json={"verdict": "clear", "words": "Fine."})).status_code == 409
    assert await standing(mara) == {("pending", "USD"): 1_200}


async def test_what_a_refund_had_ended_waits_again_when_a_new_fact_brings_it_back(web: Browser):
    from tests.referrals.cast import tell
    from tests.storefront.shop import line, refund

    mara, shop, code = await a_sharer(web)
    gv = await click(web(), code)
    await bought(web, shop, "aunt", gv=gv)
    await tell(web, shop, "order.refunded", refund("r1", "aunt", lines=[{"id": "l1", "quantity": 1, "amount": 12_000}]))
    await bought(web, shop, "own", who="mara", shipping_address=HILL)
    later = {"updated_at": (clock.now() + timedelta(seconds=9)).isoformat(), "shipping_address": HILL}
    await bought(web, shop, "aunt", gv=gv, lines=[line(gross=20_000, discount=0)], **later)
    assert await standing(mara) == {("held", "USD"): 800} and await cases() == [("own_address", "open")]
    await books_are_right()


async def test_a_risky_member_waits_longer_until_somebody_says_that_all_is_well(web: Browser):
    from referrals.fraud.rules import Hit

    mara, shop, code = await a_sharer(web)
    olive = await a_member("olive")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", olive.id, shop.id)
    await bought(web, shop, "before", gv=await click(web(), code))
    async with db.transaction():
        hit = Hit("refunds", {"returned": 9, "orders": 10}, "")
        await service.report(shop.id, mara.id, hit, source="test", concerned=[])
    await bought(web, shop, "during", gv=await click(web(), code))
    clock.travel(timedelta(days=15))
    assert await release_due() == 0, "the store's own time is over, the risk's is not"
    assert await standing(mara) == {("pending", "USD"): 2_400}
    await decide(await sign_in(web(), olive), await db.fetch_val("SELECT id FROM fraud_case"), "clear")
    assert await release_due() == 2
    assert await standing(mara) == {("available", "USD"): 2_400}
    await books_are_right()


async def test_what_one_order_shows_does_not_hold_up_the_others(web: Browser):
    mara, _olive, shop, _case_id = await a_case(web)
    code = await db.fetch_val("SELECT code FROM link WHERE owner_id = $1 AND target_kind = 'product'", mara.id)
    await bought(web, shop, "friend", gv=await click(web(), code))
    clock.travel(timedelta(days=15))
    assert await release_due() == 1
