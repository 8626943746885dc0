"""Codes that buyers type at the shop: everybody has one, strangers cannot guess them, and a leaked one is replaced."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.auth import Viewer
from referrals.codes.spelling import new_code_for, norm_of
from referrals.programs.policies import Crediting, publish_crediting
from referrals.programs.policy import LeakRules, Policy
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, order

pytestmark = pytest.mark.anyio
ROOT = Viewer(member_id=0, handle="root", role="admin")


async def a_shop_of(owner: Person, slug: str = "north", **rules: object) -> Shop:
    shop = await a_paying_shop(slug, **rules)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await run_jobs()
    return shop


async def code_of(person: Person) -> str:
    return await db.fetch_val(
        "SELECT text FROM code WHERE owner_id = $1 AND kind = 'personal' AND leak_state <> 'leaked'", person.id
    )


async def publish(owner: Person, slug: str, policy: Policy) -> None:
    newest = await db.fetch_val("SELECT max(version) FROM program_version")
    await publish_crediting(owner.viewer, slug, Crediting("last", 30, policy), instead_of=newest)


def bought(number: int, *codes: str, **more: object) -> dict:
    buyer = {"id": f"c{number}", "email": f"buyer{number}@example.org"}
    return order(f"o{number}", codes=list(codes), **{"customer": buyer, **more})


def test_two_spellings_a_buyer_takes_for_one_are_one():
    assert norm_of("ada-7kq2") == norm_of("ADA 7KQ2") == norm_of("ＡＤＡ－７ＫＱ２") == "ADA7KQ2"
    assert norm_of("=1+2") == norm_of("a") == norm_of("代码代码") == ""
    assert len({new_code_for("mara") for _n in range(200)}) == 200


async def test_everybody_has_a_code_in_every_programme_whoever_comes_first(web: Browser):
    early = await a_member("early")
    await a_shop_of(await a_member("ines"))
    late = await a_member("late")  # and no job has run since: the code came with the sign-up
    assert len({await code_of(early), await code_of(late)} - {None}) == 2
    mine = (await web(token=late.token).get("/api/v1/earn/codes")).json()["codes"]
    assert [(one["store"], one["state"], one["disclosure"]) for one in mine] == [
        ("north", "live", "I may earn from this code.")
    ]
    await a_shop_of(await a_member("otto"), "south")
    assert len((await web(token=late.token).get("/api/v1/earn/codes")).json()["codes"]) == 2


async def test_an_order_with_a_members_code_and_no_click_is_theirs(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await tell(web, shop, "order.paid", bought(1, f" {(await code_of(mara)).lower()} "))
    assert await standing(mara) == {("pending", "USD"): 1200}
    why = (await web(token=mara.token).get("/api/v1/earn/orders/o1/why")).json()
    assert why["rule"]["name"] == "personal_code" and why["candidates"][0]["code"] == await code_of(mara)
    await books_are_right()


async def test_ones_own_code_on_ones_own_order_earns_nothing(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    buyer = {"id": "c1", "email": "mara+shop@example.org"}
    await tell(web, shop, "order.paid", bought(1, await code_of(mara), customer=buyer))
    assert await standing(mara) == {}
    await books_are_right()


async def test_a_code_that_was_made_after_the_order_never_earns_from_it(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await tell(web, shop, "order.paid", bought(1, "LATE-1"))
    clock.travel(timedelta(hours=1))
    made = await web(token=ines.token).post("/api/v1/stores/north/codes", json={"code": "LATE-1", "owner": "mara"})
    assert made.status_code == 201, made.text
    await tell(web, shop, "order.paid", bought(1, "LATE-1", shipping=1, updated_at=clock.now().isoformat()))
    assert await standing(mara) == {}


async def test_the_last_use_of_a_limited_code_goes_to_one_of_many_who_race(web: Browser):
    from referrals.commissions.service import settle

    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    wanted = {"code": "SPRING", "owner": "mara", "limit_total": 3}
    assert (await web(token=ines.token).post("/api/v1/stores/north/codes", json=wanted)).status_code == 201
    for number in range(8):
        await tell(web, shop, "order.paid", bought(number, paid_at=None) | {"codes": []})
    await db.execute("""UPDATE orders SET codes = '["spring"]'""")
    ids = [row["id"] for row in await db.fetch("SELECT id FROM orders")]
    await asyncio.gather(*(settle(order_id) for order_id in ids * 2))
    assert await db.fetch_val("SELECT used_total FROM code WHERE text = 'SPRING'") == 3
    assert await standing(mara) == {("pending", "USD"): 3 * 1200}
    assert await db.fetch_val("SELECT count(*) FROM code_use WHERE refusal = 'used_up'") == 5
    await books_are_right()


async def test_a_buyer_uses_a_code_as_often_as_it_allows_also_under_another_spelling_of_their_address(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    wanted = {"code": "ONCE", "owner": "mara", "limit_per_buyer": 1}
    await web(token=ines.token).post("/api/v1/stores/north/codes", json=wanted)
    for number, email in enumerate(("ann@gmail.com", "a.nn+2@gmail.com")):
        await tell(web, shop, "order.paid", bought(number, "ONCE", customer={"id": f"c{number}", "email": email}))
    assert await standing(mara) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_a_code_counts_between_its_days_only(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    day = (clock.now() + timedelta(days=2)).date().isoformat()
    wanted = {"code": "SOON", "owner": "mara", "valid_from": day, "valid_until": "2099-01-01"}
    made = (await web(token=ines.token).post("/api/v1/stores/north/codes", json=wanted)).json()
    assert made["state"] == "later"
    await tell(web, shop, "order.paid", bought(1, "SOON"))
    assert await standing(mara) == {}
    clock.travel(timedelta(days=3))
    await tell(web, shop, "order.paid", bought(2, "SOON"))
    assert await standing(mara) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_a_code_that_strangers_use_is_watched_then_replaced_and_counts_below_clicks(web: Browser):
    mara, ben, ines = await a_member("mara"), await a_member("ben"), await a_member("ines")
    shop = await a_shop_of(ines)
    await publish(ines, "north", Policy(leak=LeakRules(watch=2, leaked=4)))
    leaked = await code_of(mara)
    for number in range(4):
        await tell(web, shop, "order.paid", bought(number, leaked))
        state = await db.fetch_val("SELECT leak_state FROM code WHERE text = $1", leaked)
        assert state == ("ok", "watch", "watch", "leaked")[number]
    fresh = await code_of(mara)
    assert fresh not in (None, leaked)
    page = await (await sign_in(web(), mara)).get("/notifications")
    assert fresh in page.text and leaked in page.text
    earned = (await standing(mara))["pending", "USD"]
    clock.travel(timedelta(minutes=1))
    gv = await click(web(), (await a_link(web, ben))["code"])
    await tell(web, shop, "order.paid", bought(9, leaked, gv=gv))
    assert await standing(ben) == {("pending", "USD"): 1200} and (await standing(mara))["pending", "USD"] == earned
    # What it earned before stays, also when those orders are decided once more.
    await books_are_right()


async def test_a_code_passed_between_friends_is_no_leak(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await publish(ines, "north", Policy(leak=LeakRules(watch=2, leaked=3)))
    mine = await code_of(mara)
    link = await a_link(web, mara)
    for number in range(4):
        gv = await click(web(), link["code"])
        await tell(web, shop, "order.paid", bought(number, mine, gv=gv))
    regular = {"id": "c77", "email": "regular@example.org"}
    for number in range(5, 9):
        await tell(web, shop, "order.paid", bought(number, mine, customer=regular))
    assert await db.fetch_val("SELECT leak_state FROM code WHERE text = $1", mine) == "ok"


async def test_a_store_that_knows_the_buyers_lets_the_code_be_and_they_are_counted_anew(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await publish(ines, "north", Policy(leak=LeakRules(watch=2, leaked=3)))
    mine = await code_of(mara)
    for number in range(2):
        await tell(web, shop, "order.paid", bought(number, mine))
    browser = await sign_in(web(), ines)
    code_id = await db.fetch_val("SELECT id FROM code WHERE text = $1 AND leak_state = 'watch'", mine)
    at = "/admin/programs/north/codes"
    assert "They are real friends" in (await browser.get(at)).text
    clock.travel(timedelta(minutes=1))
    assert (await submit(browser, f"{at}/{code_id}/vouching", {}, page=at)).status_code == 303
    await tell(web, shop, "order.paid", bought(3, mine))
    assert await db.fetch_val("SELECT leak_state FROM code WHERE text = $1", mine) == "ok"


async def test_a_friends_code_typed_here_counts_for_ones_orders(web: Browser):
    mara, bob, ines = await a_member("mara"), await a_member("bob"), await a_member("ines")
    shop = await a_shop_of(ines)
    browser = await sign_in(web(), bob)
    form = {"store": "north", "code": (await code_of(mara)).lower()}
    assert (await submit(browser, "/earn/codes/entered", form, page="/earn/codes")).status_code == 303
    clock.travel(timedelta(minutes=1))
    await tell(web, shop, "order.paid", bought(1, customer={"id": "c1", "email": "bob@example.org"}))
    assert await standing(mara) == {("pending", "USD"): 1200}
    why = (await web(token=mara.token).get("/api/v1/earn/orders/o1/why")).json()
    assert why["rule"]["name"] == "entered_code"
    await books_are_right()


async def test_whoever_guesses_codes_hears_the_same_of_all_and_soon_nothing(web: Browser):
    mara, bob, ines = await a_member("mara"), await a_member("bob"), await a_member("ines")
    await a_shop_of(ines)
    await web(token=ines.token).post("/api/v1/stores/north/codes", json={"code": "OVER", "owner": "mara"})
    await db.execute("UPDATE code SET disabled_at = now() WHERE text = 'OVER'")
    client, door = web(token=bob.token), "/api/v1/stores/north/codes/entered"
    answers = [await client.post(door, json={"code": one}) for one in ("NOPE-1", "OVER", await code_of(bob), "=1+1")]
    said = {(one.status_code, one.json()["detail"]) for one in answers}
    assert said == {(404, "This code does not work here.")}
    for _try in range(6):
        await client.post(door, json={"code": "NOPE-2"})
    stopped = await client.post(door, json={"code": await code_of(mara)})
    assert stopped.status_code == 429 and int(stopped.headers["retry-after"]) > 0


async def test_a_shop_takes_its_codes_and_goes_on_where_it_stopped(web: Browser):
    ines, stranger = await a_member("ines"), await a_member("stranger")
    await a_shop_of(ines)
    client = web(token=ines.token)
    first = (await client.get("/api/v1/stores/north/codes?limit=1")).json()
    rest = (await client.get(f"/api/v1/stores/north/codes?after={first['next']}")).json()
    assert {one["owner"] for one in first["items"] + rest["items"]} == {"ines", "stranger"} and rest["next"] is None
    assert (await web(token=stranger.token).get("/api/v1/stores/north/codes")).status_code == 403
    assert (await web().get("/api/v1/stores/north/codes")).status_code == 401


async def test_a_sheet_of_codes_comes_in_once_and_goes_out_harmless(web: Browser):
    ines = await a_member("ines")
    await a_member("mara")
    await a_shop_of(ines)
    browser, at = await sign_in(web(), ines), "/admin/programs/north/codes"
    sheet = "code,owner,limit_total\nSPRING-26,mara,50\n=1+2,mara,\nAUTUMN,nobody-here,\nspring 26,mara,\n"
    for made in ("1 code was made", "0 codes were made"):
        shown = await submit(browser, f"{at}/sheet", {"sheet": sheet}, page=at)
        assert shown.status_code == 200 and made in shown.text and "Line 4" in shown.text
    await db.execute("UPDATE code SET text = '=cmd|calc' WHERE text = 'SPRING-26'")
    csv = await browser.get(f"{at}.csv")
    assert csv.headers["content-type"].startswith("text/csv") and "\r\n'=cmd|calc,mara,campaign,live,0,50" in csv.text


async def test_a_list_of_codes_costs_as_many_queries_for_one_as_for_many(web: Browser):
    from referrals.codes import queries

    ines = await a_member("ines")
    shop = await a_shop_of(ines)
    for _n in range(5):
        await a_member()
    await run_jobs()
    with db.watch_queries() as seen:
        assert len((await queries.codes_of_store(shop.id, cursor=None)).items) >= 6
    assert len(seen) == 1


async def test_the_pages_of_codes_are_for_whom_they_are(web: Browser):
    ines, mara = await a_member("ines"), await a_member("mara")
    await a_shop_of(ines)
    page = await (await sign_in(web(), mara)).get("/earn/codes")
    assert page.status_code == 200 and await code_of(mara) in page.text and "I may earn from this code." in page.text
    assert (await (await sign_in(web(), mara)).get("/admin/programs/north/codes")).status_code == 403
    owner = await sign_in(web(), ines)
    form = {"code": "summer", "owner": "mara", "limit_total": "", "valid_until": "2099-01-01"}
    made = await submit(owner, "/admin/programs/north/codes", form)
    assert made.status_code == 303 and "SUMMER" in (await owner.get(made.headers["location"])).text
    again = await submit(owner, "/admin/programs/north/codes", form)
    assert again.status_code == 409 and "That code is taken." in again.text


async def test_an_erased_member_leaves_no_handle_in_codes_and_the_books_stay(web: Browser):
    from app.people import erase

    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    await tell(web, shop, "order.paid", bought(1, await code_of(mara)))
    await erase("mara")
    await run_jobs()
    left = await db.fetch("SELECT text || code_norm AS words FROM code WHERE owner_id = $1", mara.id)
    kept = await db.fetch("SELECT candidates::text AS words FROM attribution")
    assert left and kept and not any("mara" in row["words"].lower() for row in [*left, *kept])
    assert await standing(mara) == {("pending", "USD"): 1200}
    await tell(web, shop, "order.paid", bought(2, "mara"))
    await books_are_right()
