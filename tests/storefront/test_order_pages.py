"""What a store's owner sees of orders in doubt and messages left over, and what they can do about it."""

import pytest

from app import db
from app.db import watch_queries
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import tell
from tests.storefront.shop import a_shop, line, order, send

pytestmark = pytest.mark.anyio
HERE = "/admin/programs/north/orders"


async def test_the_owner_clears_an_order_and_reads_a_message_again(web: Browser):
    ines = await a_member("ines")
    shop = await a_shop(owner_id=ines.id)
    browser = await sign_in(web(), ines)
    shown = (await browser.get(HERE)).text
    assert "None." in shown and "Every message was applied." in shown and "none yet" in shown
    await tell(web, shop, "order.paid", order(total=99_999))
    await tell(web, shop, "order.paid", order("<i>evil</i>", lines=[line(gross=-1)]))
    shown = (await browser.get(HERE)).text
    assert "#1001" in shown and "999.99" in shown and "contradicts itself" in shown and "<i>evil" not in shown
    await tell(web, shop, "order.paid", order("1002", total=99_999))
    bells = await db.fetch("SELECT kind, url FROM notification WHERE member_id = $1", ines.id)
    assert [tuple(bell) for bell in bells] == [("store_doubts", HERE)]  # once a day is enough
    assert "do not add up" in (await browser.get("/notifications")).text
    order_id = await db.fetch_val("SELECT id FROM orders WHERE external_id = '1001'")
    answer = await submit(browser, f"{HERE}/{order_id}/clearance", {"note": "a gift card"}, page=HERE)
    assert answer.status_code == 303 and "counts from now on" in (await browser.get(HERE)).text
    cleared = await db.fetch_one("SELECT member_id, note FROM doubt_clearance")
    assert tuple(cleared) == (ines.id, "a gift card")
    inbox_id = await db.fetch_val("SELECT id FROM inbox WHERE state = 'flagged'")
    assert (await submit(browser, f"{HERE}/messages/{inbox_id}/replay", {}, page=HERE)).status_code == 303
    assert await db.fetch_val("SELECT state FROM inbox WHERE id = $1", inbox_id) == "received"
    await run_jobs()
    assert (await submit(browser, f"{HERE}/messages/replay", {}, page=HERE)).status_code == 303
    assert await run_jobs() == 1
    chinese = (await browser.get(HERE + "?lang=zh-Hans")).text
    assert "存疑" in chinese and "Orders in doubt" not in chinese


async def test_strangers_and_other_owners_stay_outside(web: Browser):
    ines, otto = await a_member("ines"), await a_member("otto")
    shop = await a_shop(owner_id=ines.id)
    await a_shop("south", owner_id=otto.id)
    await tell(web, shop, "order.paid", order(total=1))
    order_id, inbox_id = await db.fetch_val("SELECT id FROM orders"), await db.fetch_val("SELECT id FROM inbox")
    assert (await web().get(HERE)).status_code in (303, 401)
    browser = await sign_in(web(), otto)
    assert (await browser.get(HERE)).status_code == 403
    south = "/admin/programs/south/orders"
    for path in (f"{HERE}/{order_id}/clearance", f"{HERE}/messages/{inbox_id}/replay", f"{HERE}/pull"):
        assert (await submit(browser, path, {}, page=south)).status_code == 403
    for path in (f"{south}/{order_id}/clearance", f"{south}/messages/{inbox_id}/replay"):
        assert (await submit(browser, path, {}, page=south)).status_code == 404
    assert await db.fetch_val("SELECT doubt FROM orders") != ""
    for door in ("held-orders", "messages"):
        assert (await web(token=otto.token).get(f"/api/v1/stores/north/{door}")).status_code == 403


async def test_the_same_by_api(web: Browser):
    ines = await a_member("ines")
    shop = await a_shop(owner_id=ines.id)
    for number in range(3):
        await tell(web, shop, "order.paid", order(f"{number}", total=99_999))
        await send(web(), shop, "nobody.knows", {})
    await run_jobs()
    client, base = web(token=ines.token), "/api/v1/stores/north"
    first = (await client.get(f"{base}/held-orders?limit=2")).json()
    rest = (await client.get(f"{base}/held-orders?limit=2&after={first['next']}")).json()
    assert [item["ref"] for item in first["items"] + rest["items"]] == ["2", "1", "0"] and rest["next"] is None
    answer = await client.put(f"{base}/orders/1/clearance", json={"note": "seen"})
    assert answer.json()["doubt"] == "" and await db.fetch_val("SELECT count(*) FROM orders WHERE doubt <> ''") == 2
    assert (await client.put(f"{base}/orders/1/clearance", json={})).status_code == 200
    assert (await client.put(f"{base}/orders/none/clearance", json={})).status_code == 404
    kept = (await client.get(f"{base}/messages")).json()["items"]
    assert [item["state"] for item in kept] == ["kept"] * 3 and kept[0]["note"]
    answer = await client.post(f"{base}/messages/replays", json={"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (202, {"queued": 3})


async def test_the_page_costs_the_same_however_much_waits(web: Browser):
    ines = await a_member("ines")
    shop = await a_shop(owner_id=ines.id)
    browser, counts = await sign_in(web(), ines), []
    for start in (0, 1, 9):
        for number in range(start, start * 2 + 1):
            await tell(web, shop, "order.paid", order(f"{number}", total=99_999))
            await tell(web, shop, "nobody.knows", {})
        with watch_queries() as seen:
            assert (await browser.get(HERE)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] == counts[2] <= 14, counts
