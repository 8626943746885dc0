"""Another policy over the last days: who would win, who would lose, and nothing moved until it is published."""

import re
from datetime import timedelta

import pytest

from app import clock, db
from referrals.commissions.service import settle
from referrals.programs.policy import Policy
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.simulator import service
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, books_are_right, click, standing, tell
from tests.referrals.test_codes import a_shop_of, bought, code_of, publish
from tests.storefront.shop import Shop, refund

pytestmark = pytest.mark.anyio
AT = "/admin/programs/north/attribution"


async def a_contested_shop(web: Browser) -> tuple[Person, Person, Person]:
    """Mara's link led Bob here first, Ben's link was clicked later; one order of Bob's, by default Ben's."""
    mara, ben, ines, bob = [await a_member(name) for name in ("mara", "ben", "ines", "bob")]
    shop = await a_shop_of(ines)
    for person in (mara, ben):
        clock.travel(timedelta(minutes=10))
        device = web()
        await click(device, (await a_link(web, person))["code"])
        await sign_in(device, bob)
        await run_jobs()
    clock.travel(timedelta(minutes=10))
    await tell(web, shop, "order.paid", bought(1, customer={"id": "c1", "email": "bob@example.org"}))
    assert await standing(ben) == {("pending", "USD"): 1200}
    return mara, ben, ines


async def rehearse(web: Browser, who: Person, draft: dict, days: int = 30) -> dict:
    client = web(token=who.token)
    queued = await client.post("/api/v1/stores/north/simulations", json={"draft": draft, "days": days})
    assert queued.status_code == 202, queued.text
    assert queued.json()["state"] == "queued"
    await run_jobs()
    return (await client.get(f"/api/v1/stores/north/simulations/{queued.json()['id']}")).json()


async def test_a_replay_says_who_wins_and_loses_how_much_and_moves_nothing(web: Browser):
    mara, ben, ines = await a_contested_shop(web)
    before = await db.fetch("SELECT id, hash FROM ledger_transaction ORDER BY id")
    found = await rehearse(web, ines, {"model": "first"})
    assert (found["state"], found["orders"], found["changed"]) == ("done", 1, 1)
    movers = {
        one["member"]: (one["orders_won"], one["orders_lost"], one["change"]["amount"]) for one in found["movers"]
    }
    assert movers == {"mara": (1, 0, 1200), "ben": (0, 1, -1200)}
    assert [(one["before"], one["after"], one["rule"]) for one in found["examples"]] == [("ben", "mara", "first_click")]
    assert await db.fetch("SELECT id, hash FROM ledger_transaction ORDER BY id") == before
    assert await db.fetch_val("SELECT count(*) FROM attribution") == 1
    assert await standing(ben) == {("pending", "USD"): 1200} and await standing(mara) == {}


async def test_the_rules_in_force_change_nothing(web: Browser):
    _mara, _ben, ines = await a_contested_shop(web)
    in_force = (await web(token=ines.token).get("/api/v1/stores/north/crediting")).json()
    assert in_force["version"] == 1
    found = await rehearse(web, ines, in_force["draft"])
    assert (found["orders"], found["changed"], found["movers"]) == (1, 0, [])


async def test_an_order_that_nobody_was_credited_for_is_estimated_by_the_plain_rate_and_shares_are_divided(
    web: Browser,
):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await publish(ines, "north", Policy(order=("override", "carried")))
    await tell(web, shop, "order.paid", bought(1, await code_of(mara)))
    assert await standing(mara) == {}
    found = await rehearse(web, ines, {})
    assert [(one["member"], one["change"]["amount"]) for one in found["movers"]] == [("mara", 1200)]
    assert found["examples"][0]["before"] == ""


async def test_only_the_days_asked_for_are_replayed_and_refunded_orders_at_what_still_stands(web: Browser):
    _mara, _ben, ines = await a_contested_shop(web)
    shop_row = await db.fetch_one("SELECT * FROM store")
    assert shop_row is not None
    clock.travel(timedelta(days=10))
    assert (await rehearse(web, ines, {"model": "first"}, days=9))["orders"] == 0
    shop = Shop(shop_row["id"], "north", shop_row["secret"], "", "")
    await tell(web, shop, "order.refunded", refund("r1", "o1", lines=[{"id": "l1", "quantity": 0, "amount": 6_000}]))
    found = await rehearse(web, ines, {"model": "first"}, days=11)
    assert sorted(one["change"]["amount"] for one in found["movers"]) == [-600, 600]


async def test_more_orders_than_are_replayed_are_said_to_be_cut_off(web: Browser, monkeypatch):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    for number in range(5):
        await tell(web, shop, "order.paid", bought(number, await code_of(mara)))
    monkeypatch.setattr(service, "MOST_ORDERS", 3)
    monkeypatch.setattr(service, "BATCH", 2)
    found = await rehearse(web, ines, {"order": ["override", "carried"]})
    assert (found["orders"], found["cut_off"], found["changed"]) == (3, True, 3)


async def test_a_draft_is_published_as_a_new_version_and_old_orders_keep_theirs(web: Browser):
    mara, ben, ines = await a_contested_shop(web)
    client = web(token=ines.token)
    wanted = {"draft": {"model": "first", "window_days": 45, "partners": {"Ben": "coupon"}}, "instead_of": 1}
    done = await client.put("/api/v1/stores/north/crediting", json=wanted)
    assert done.status_code == 200 and done.json()["version"] == 2
    assert done.json()["draft"]["partners"] == {"ben": "coupon"} and done.json()["draft"]["window_days"] == 45
    kept = await db.fetch("SELECT rate_bps, hold_days, terms FROM program_version ORDER BY version")
    assert kept[0] == kept[1]
    again = await client.put("/api/v1/stores/north/crediting", json=wanted)
    assert again.status_code == 409
    await settle(await db.fetch_val("SELECT id FROM orders"))
    assert await standing(ben) == {("pending", "USD"): 1200} and await standing(mara) == {}
    await books_are_right()


async def test_plain_rules_published_later_keep_who_is_credited(web: Browser):
    ines = await a_member("ines")
    await a_shop_of(ines)
    await publish(ines, "north", Policy(stand_down_hours=5))
    await publish_rules("north", Rules(rate_bps=500))
    policies = await db.fetch("SELECT policy FROM program_version ORDER BY version DESC LIMIT 1")
    assert policies[0]["policy"] == {"stand_down_hours": 5}


async def test_a_draft_that_cannot_be_meant_is_refused_by_its_field_and_strangers_see_nothing(web: Browser):
    mara, _ben, ines = await a_contested_shop(web)
    client, door = web(token=ines.token), "/api/v1/stores/north/simulations"
    for draft, field in (
        ({"order": ["carried"]}, "order"),
        ({"partners": {"nobody-here": "coupon"}}, "partners"),
        ({"assist_bps": {"author": 9000}}, "assist_bps"),
        ({"windows": {"click": 99999}}, "windows"),
    ):
        answer = await client.post(door, json={"draft": draft})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert (await client.post(door, json={"draft": {}, "days": 91})).status_code == 422
    assert (await web(token=mara.token).post(door, json={"draft": {}})).status_code == 403
    assert (await web(token=mara.token).get("/api/v1/stores/north/crediting")).status_code == 403
    assert (await (await sign_in(web(), mara)).get(AT)).status_code == 403


async def test_the_owner_changes_replays_and_publishes_on_pages_without_scripts(web: Browser):
    _mara, ben, ines = await a_contested_shop(web)
    browser = await sign_in(web(), ines)
    shown = (await browser.get(AT)).text
    form = dict(re.findall(r'<input[^>]* name="([a-z_0-9]+)"[^>]* value="([^"]*)"', shown))
    form = {name: value for name, value in form.items() if not name.startswith("_")}
    form |= {"bind": "register", "new_customers": "bind_first", "model": "first", "second_approver": "from"}
    form |= {"assist_author": "12.5", "partners": "@ben cashback", "second_approver_from": "250.00"}
    sent = await submit(browser, AT, form)
    assert sent.status_code == 303, sent.text
    at = sent.headers["location"]
    assert "Replaying" in (await browser.get(at)).text
    await run_jobs()
    result = (await browser.get(at)).text
    assert "@mara" in result and "+$12.00" in result and "-$12.00" in result and "Publish it" in result
    assert (await submit(browser, f"{at}/publication", {}, page=at)).status_code == 303
    row = await db.fetch_one("SELECT model, policy FROM program_version WHERE version = 2")
    assert row is not None and row["model"] == "first"
    assert row["policy"]["assist_bps"] == {"author": 1250} and row["policy"]["second_approver_from"] == 25_000
    assert row["policy"]["partner_classes"] == {str(ben.id): "cashback"}
    assert row["policy"]["new_customer_order"][:3] == ["override", "personal_code", "bind"]
    # The form shows what is in force now, and a replay of the past rules cannot be published any more.
    assert 'value="12.5"' in (await browser.get(AT)).text
    stale = await submit(browser, f"{at}/publication", {}, page=AT)
    assert stale.status_code == 409
    wrong = await submit(browser, AT, form | {"assist_author": "lots", "window_days": "0"})
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text and "lots" in wrong.text
    await books_are_right()


async def test_a_replay_costs_queries_by_the_batch_not_by_the_order(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    counts = []
    for many in (1, 6):
        for number in range(many):
            await tell(web, shop, "order.paid", bought(many * 10 + number, await code_of(mara)))
        simulation_id = await service.rehearse(ines.viewer, "north", service.Rehearsal(service.Draft()))
        with db.watch_queries() as seen:
            await service.replay(simulation_id)
        counts.append(len(seen))
    assert counts[0] == counts[1]
