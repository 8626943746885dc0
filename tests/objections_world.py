"""What the JSON doors about objections find: one order that Ada may object to, and Bob's objection to another."""

from typing import Any

from app import db
from referrals.clicks.service import claim
from tests.factories import Person, a_member, run_jobs
from tests.referrals.cast import a_link, click, tell
from tests.storefront.shop import Shop, line, order


async def objections_at_north(web: Any, shop: Shop, ada: Person, bob: Person) -> dict[str, str]:
    fred = await a_member("fred-o")
    product = "product:hand-grinder-38-mm"
    late = await click(web(), (await a_link(web, fred, product))["code"])
    for number, loser in (("3001", ada), ("3002", bob)):
        buyer = await a_member(f"buyer-{number}")
        await claim(buyer.id, await click(web(), (await a_link(web, loser, product))["code"]))
        await run_jobs()
        customer = {"id": f"c{number}", "email": f"{buyer.handle}@example.org"}
        sold = order(number, gv=late, customer=customer, lines=[line(product_id="GR-38", title="Hand grinder 38 mm")])
        await tell(web, shop, "order.paid", sold)
    said = {"words": "They read my guide before; I can show the message."}
    made = await web(token=bob.token).post("/api/v1/earn/orders/3002/objection", json=said)
    assert made.status_code == 201, made.text
    mine = await db.fetch_val("SELECT min(id) FROM commission WHERE member_id = $1", ada.id)
    return {"objection_id": made.json()["id"], "number": str(mine)}
