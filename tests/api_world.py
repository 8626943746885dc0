"""A small community in which every example of the OpenAPI document can be sent, and the check that answers are true."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
from jsonschema import Draft202012Validator

from app import clock, db
from community.phones.codes import ask, code_of
from community.sessions.service import make_token
from referrals.clicks import directory
from referrals.credit import lots
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from storefront.stores.queries import store_by_slug
from storefront.stores.service import give_access
from tests.chat_world import chat_at_coffee
from tests.crediting_world import crediting_at_north
from tests.direct_world import direct_at_coffee
from tests.factories import Person, a_group, a_member
from tests.hooks_world import hooks_at_coffee_and_north
from tests.live_world import live_of, places_at
from tests.objections_world import objections_at_north
from tests.portal_world import portal_at_north
from tests.referrals.cast import a_paying_shop, click, tell
from tests.referrals.payees import money_at_south
from tests.storefront.shop import Shop, a_product, line, order

API = "/api/v1"


class World(msgspec.Struct):
    """Ada runs the shop "north", owns the group "coffee" and wrote its topic; Bob joined, answered and bought."""

    ada: Person
    bob: Person
    shop: Shop
    topic: str
    post: str
    room: str
    message: str
    question: str
    review: str
    product: str
    guide: str
    payout: str
    method: str
    crediting: dict[str, str]
    live: dict[str, dict[str, str]]

    def path(self, template: str) -> str:
        """The address with what stands at each place of it here."""
        places = {
            "topic_id": self.topic,
            "post_id": self.post,
            "room_id": self.room,
            "message_id": self.message,
            "question_id": self.question,
            "review_id": self.review,
            "payout_id": self.payout,
            "method_id": self.method,
            "month": f"{clock.now():%Y-%m}",
            "emoji": "👍",
            "external_id": "GR-38",
            "ref": "1001",
            "customer": "c1",
            "code": "ada-here",
            "store": "north",
            "currency": "USD",
            "host": "go.shop.example",
            **self.crediting,
        }
        if template.startswith(f"{API}/stores/"):
            places["webhook_id"] = places.get("store_webhook_id", "")
        slugs = {"groups": "coffee", "products": "hand-grinder-38-mm", "stores": "north", "guides": self.guide}
        slugs |= {"stores": "shelf"} if template.endswith(("/shop-codes", "/pulls")) else {}
        places["slug"] = next((slug for kind, slug in slugs.items() if f"/{kind}/{{slug}}" in template), "")
        if "/messages/{message_id}/" in template:
            places["message_id"] = self.crediting["marked_id"]  # the other one is deleted before its parts are
        if template.endswith("/away"):
            places["room_id"] = self.crediting["circle_id"]
        if template.endswith("/orders/{ref}/objection"):
            places["ref"] = "3001"
        if "/blocks/" in template:
            places["handle"] = self.crediting["other_handle"]
        if template.startswith((f"{API}/rooms/{{room_id}}/bots", f"{API}/rooms/{{room_id}}/webhooks")):
            places |= {key: self.crediting[f"kept_{key}"] for key in ("room_id", "bot_id", "webhook_id")}
        if "/rooms/{room_id}/files/" in template:
            places["file_id"] = self.crediting["chat_file_id"]
        return template.format(**{**places, **places_at(template, self.live)})

    def body(self, example: Any) -> Any:
        """The example, naming what exists here."""
        text = msgspec.json.encode(example).decode()
        text = text.replace('"post:41"', f'"post:{self.post}"').replace('"product":"5"', f'"product":"{self.product}"')
        tomorrow = f"{clock.now() + timedelta(days=1):%Y-%m-%dT18:00:00Z}"
        text = text.replace('"2026-03-14T18:00:00Z"', f'"{tomorrow}"')
        text = text.replace('"segments":["3"]', f'"segments":["{self.live["is-on"]["kept_segment"]}"]')
        text = text.replace('"481290"', f'"{self.crediting["phone_code"]}"')
        return msgspec.json.decode(text)


async def a_world(web: Any) -> World:
    ada, bob = await a_member("ada-o"), await a_member("bob-o")
    shop = await a_paying_shop("north")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", ada.id, shop.id)
    await a_product(shop, "GR-38", title="Hand grinder 38 mm")
    await a_group(ada, "coffee")
    as_ada, as_bob = web(token=ada.token), web(token=bob.token)
    room = (await as_bob.put(f"{API}/groups/coffee/membership")).json()["room_id"]
    topic = await made(as_ada, "/groups/coffee/topics", {"title": "Which grinder?", "body": "Mine clogs."})
    post = await made(as_bob, f"/topics/{topic}/posts", {"body": "Two steps coarser."})
    said = {"client_id": "0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e50", "body": "Hello"}
    message = await made(as_ada, f"/rooms/{room}/messages", said)
    banned = {"kind": "ban", "member": (await a_member("carl-o")).handle, "reason": "Sells watches."}
    measure = await made(as_ada, f"/rooms/{room}/measures", banned)
    product = "hand-grinder-38-mm"
    question = await made(as_bob, f"/products/{product}/questions", {"body": "Does the handle come off?"})
    review = await made(as_bob, f"/products/{product}/reviews", {"rating": 5, "body": "Even grounds every morning."})
    guide = {"title": "Grinders that do not clog", "blocks": [{"type": "text", "markdown": "One of them, really."}]}
    guide_slug = (await as_bob.post(f"{API}/guides", json=guide)).json()["slug"]
    await made(as_ada, "/links", {"target": f"product:{product}", "code": "ada-here"}, "code")
    await db.execute(
        """INSERT INTO short_domain (store_id, host, proof, created_at, proven_at, answer)
           VALUES ($1, 'go.shop.example', 'grapevine=7x2kq8vm', now(), now(), '')""",
        shop.id,
    )
    directory.forget("ada-here")  # an earlier test may have found nothing there
    line_bought = line(product_id="GR-38", title="Hand grinder 38 mm")
    await tell(web, shop, "order.paid", order("1001", gv=await click(web(), "ada-here"), lines=[line_bought]))
    product_id = (await as_ada.get(f"{API}/products/{product}")).json()["id"]
    await a_shop_with_a_till(ada)
    await credit_at(web, shop, ada)
    payout, method = await money_at_south(web, ada)
    await db.execute(
        "INSERT INTO identity_request (store_id, member_id, asked_at) VALUES ($1, $2, now())", shop.id, bob.id
    )
    crediting = await crediting_at_north(web, shop, ada, bob)
    crediting |= {"check_id": await a_case(shop, ada, "own_card"), "case_id": await a_case(shop, bob, "own_address")}
    crediting |= await portal_at_north(ada, bob) | await objections_at_north(web, shop, ada, bob)
    crediting |= await hooks_at_coffee_and_north(ada) | {"token_id": await a_token_id(ada)}
    crediting |= await direct_at_coffee(ada, bob) | {"phone_code": await a_code_for(ada)}
    crediting |= {"measure_id": measure, "member_id": str(bob.id)} | await chat_at_coffee(web, ada, room)
    live = await live_of(ada, product)
    return World(
        *(ada, bob, shop, topic, post, room, message, question, review, product_id, guide_slug, payout, method),
        crediting=crediting,
        live=live,
    )


async def a_code_for(person: Person) -> str:
    """The code on its way to their phone."""
    await ask(person.viewer, "+49 160 7654321", address="10.0.0.1")
    row = await db.fetch_one("SELECT * FROM phone_code WHERE member_id = $1", person.id)
    assert row is not None
    return code_of(row)


async def a_token_id(person: Person) -> str:
    """Another token of theirs, to be revoked."""
    await make_token(person.id, ["read"])
    return str(await db.fetch_val("SELECT max(id) FROM api_token WHERE member_id = $1", person.id))


async def a_shop_with_a_till(owner: Person) -> None:
    """A shop of a kind that codes can be written into, with its key."""
    shop = await a_paying_shop("shelf")
    await db.execute("UPDATE store SET owner_id = $1, provider = 'woocommerce' WHERE id = $2", owner.id, shop.id)
    await give_access(await store_by_slug("shelf"), "https://shelf.example", "ck_1:cs_2")


async def credit_at(web: Any, shop: Shop, owner: Person) -> None:
    """A buyer who may spend something at the shop, and has."""
    customer_id = await db.fetch_val("SELECT id FROM customer WHERE store_id = $1 AND external_id = 'c1'", shop.id)
    credit = AccountName("customer", customer_id, "store_credit", "USD")
    legs = [Leg(AccountName("store", shop.id, "reward_expense", "USD"), 900), Leg(credit, -900)]
    async with db.transaction():
        await post("accrue", "friend_reward", 0, 1, legs, reason="friend_reward")
        lot = {"store_id": shop.id, "customer_id": customer_id, "currency": "USD", "amount": 900}
        await lots.grant_all([lots.Grant(source="friend_reward:0", **lot, active_at=clock.now(), expires_at=None)])
    use = {"id": "GR-38", "customer": "c1", "amount": {"amount": 50, "currency": "USD"}}
    await made(web(token=owner.token), "/stores/north/credit/uses", use)


async def a_case(shop: Shop, about: Person, rule: str) -> str:
    """A rule struck at the shop; the id of the case about this member."""
    from referrals.fraud import cases
    from referrals.fraud.rules import Hit

    async with db.transaction():
        await cases.report(shop.id, about.id, Hit(rule, {"orders": 1}), source="commission:0", concerned=[])
    return str(await db.fetch_val("SELECT id FROM fraud_case WHERE member_id = $1 AND rule = $2", about.id, rule))


async def made(client: httpx.AsyncClient, door: str, body: dict[str, Any], key: str = "id") -> str:
    answer = await client.post(API + door, json=body)
    assert answer.status_code == 201, (door, answer.text)
    return answer.json()[key]


async def the_document(web: Any) -> dict[str, Any]:
    return (await web().get("/schema")).json()


def fault_in(document: dict[str, Any], schema: dict[str, Any], value: Any) -> str:
    """What in the value does not fit its schema, or nothing."""
    whole = {**schema, "components": document["components"]}
    faults = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    return "; ".join(f"{fault.json_path}: {fault.message}" for fault in faults)


def lie_in(document: dict[str, Any], method: str, template: str, answer: httpx.Response) -> str:
    """What the document said otherwise of this answer, or nothing."""
    said = document["paths"][template][method.lower()]["responses"].get(str(answer.status_code))
    if said is None:
        return f"{method} {template} answered {answer.status_code}, which is not documented: {answer.text[:300]}"
    if "$ref" in said:
        said = document["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
    if "content" not in said:
        return "" if not answer.content else f"{method} {template}: a body where none is documented"
    media = answer.headers["content-type"].partition(";")[0]
    if media not in said["content"]:
        return f"{method} {template}: {media} is not documented"
    fault = fault_in(document, said["content"][media]["schema"], answer.json())
    if answer.status_code >= 400 and not fault:
        kind = answer.json()["type"].rsplit("/", 1)[1]
        if kind not in said["content"][media]["examples"]:
            fault = f"the problem {kind} is not documented"
    return f"{method} {template} {answer.status_code}: {fault}" if fault else ""
