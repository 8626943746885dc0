"""Links that another program keeps, by its own ids."""

import asyncio
import json

import pytest

from app import db
from tests.factories import Browser, a_member
from tests.referrals.cast import a_paying_shop

pytestmark = pytest.mark.anyio


async def test_the_same_id_is_the_same_link_however_often_it_is_sent(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    client = web(token=mara.token)
    body = {"target": "product:trail-pack", "placement": "spring", "ends_at": "2199-01-01T00:00:00Z"}
    first = await client.put("/api/v1/links/ext/spring-1", json=body)
    again = await client.put("/api/v1/links/ext/spring-1", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() and first.json()["external_id"] == "spring-1"
    # What is left out is plain again; the code stays.
    changed = await client.put("/api/v1/links/ext/spring-1", json={"target": "https://north.example/sale"})
    assert changed.status_code == 200 and changed.json()["code"] == first.json()["code"]
    assert changed.json()["ends_at"] is None and changed.json()["destination"] == "https://north.example/sale"
    # Another id is another link, also to the same target.
    other = await client.put("/api/v1/links/ext/spring-2", json={"target": "https://north.example/sale"})
    assert other.status_code == 201 and other.json()["code"] != first.json()["code"]


async def test_eight_who_send_a_new_id_at_once_make_one_link(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    client = web(token=mara.token)
    answers = await asyncio.gather(
        *(client.put("/api/v1/links/ext/once", json={"target": "product:trail-pack"}) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["code"] for answer in answers}) == 1


async def test_ids_are_the_owners_own(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    codes = set()
    for person in (mara, eve):
        answer = await web(token=person.token).put("/api/v1/links/ext/1", json={"target": "page:/p/"})
        assert answer.status_code == 201
        codes.add(answer.json()["code"])
    assert len(codes) == 2
    assert (await web().put("/api/v1/links/ext/1", json={"target": "page:/p/"})).status_code == 401


async def test_a_hundred_at_once_and_the_same_hundred_again(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    client = web(token=mara.token)
    many = [{"external_id": f"n{n}", "target": "product:trail-pack", "placement": f"p{n}"} for n in range(100)]
    first = (await client.put("/api/v1/links/ext", json={"links": many})).json()
    again = (await client.put("/api/v1/links/ext", json={"links": many})).json()
    assert (first["created"], first["changed"]) == (100, 0) and (again["created"], again["changed"]) == (0, 100)
    assert [link["code"] for link in first["items"]] == [link["code"] for link in again["items"]]
    too_many = await client.put("/api/v1/links/ext", json={"links": [*many, many[0] | {"external_id": "n100"}]})
    assert too_many.status_code == 422


async def test_one_that_is_wrong_leaves_none_of_them_and_is_named(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    client = web(token=mara.token)
    before = await db.fetch_val("SELECT count(*) FROM link")
    good = {"external_id": "a", "target": "product:trail-pack"}
    for wrong, field in (
        ({"external_id": "b", "target": "https://evil.example/"}, "links[1].target"),
        ({"external_id": "b", "target": "page:/p/", "code": "admin"}, "links[1].code"),
        ({"external_id": "b", "target": "page:/p/", "rules": [{"when": {}, "to": "page:/"}]}, "links[1].rules[0].when"),
        (good, "links"),
    ):
        answer = await client.put("/api/v1/links/ext", json={"links": [good, wrong]})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field, answer.text
    missing = await client.put("/api/v1/links/ext", json={"links": [good, {"external_id": "b", "target": "topic:99"}]})
    assert missing.status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM link") == before


async def test_what_no_person_would_type_gets_a_clear_answer(web: Browser):
    owner = await a_member("owner")
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    client = web(token=owner.token)
    odd = ["%00", "%ff", "a%00b", "%E2%80%AE", "9" * 3000, "%F0%9F%92%A9", "..%2f..", "%0d%0aX-Evil:1"]
    answers = []
    for text in odd:
        for method, path in (
            ("GET", f"/links?q={text}"),
            ("GET", f"/links/{text}"),
            ("GET", f"/links/{text}/report"),
            ("GET", f"/links/owner/route?agent={text}&language={text}&country={text}"),
            ("GET", f"/links/owner/route?at={text}"),
            ("GET", f"/placements?after={text}"),
            ("PUT", f"/links/ext/{text}"),
            ("PATCH", f"/links/{text}"),
            ("DELETE", f"/links/{text}/closure"),
            ("PUT", f"/stores/north/hosts/{text}"),
            ("DELETE", f"/stores/north/hosts/{text}"),
            ("PUT", f"/stores/north/domains/{text}"),
            ("PUT", f"/stores/north/domains/{text}/use"),
            ("PUT", f"/stores/north/domains/{text}/block"),
            ("DELETE", f"/stores/north/domains/{text}"),
        ):
            body = {"json": {"target": "page:/p/"}} if method in ("PUT", "PATCH") and "links" in path else {}
            answers.append((method, path, (await client.request(method, f"/api/v1{path}", **body)).status_code))
        answers.append(("GET", text, (await web().get(f"/.well-known/grapevine-domain?domain={text}")).status_code))
        answers.append(("GET", text, (await web().get(f"/r/{text}/qr.png?level={text}&logo={text}")).status_code))
    for target in ("product:\0", "guide:\0", "group:\ud800", "page:/\0", "https://north.example/\0", "topic:\0"):
        for told in (
            {"target": target},
            {"target": "page:/p/", "code": target[-5:]},
            {"target": "page:/p/", "placement": target},
        ):
            body = json.dumps(told)
            answers.append(("POST", str(told), (await client.post("/api/v1/links", content=body)).status_code))
    assert [answer for answer in answers if answer[2] >= 500] == []


async def test_whoever_is_erased_leaves_no_name_on_their_links(web: Browser):
    from app import people

    mara = await a_member("mara")
    await a_paying_shop()
    client = web(token=mara.token)
    for number, placement in enumerate(("my blog", "my kitchen", "")):
        body = {"target": "product:trail-pack", "placement": placement, "place": {"kind": "shelf", "location": "Home"}}
        assert (await client.put(f"/api/v1/links/ext/mara-{number}", json=body)).status_code == 201
        plain = {"target": "product:trail-pack", "placement": placement}
        assert (await client.post("/api/v1/links", json=plain)).status_code == 201
    await client.patch("/api/v1/links/mara", json={"code": "mara-walks"})
    assert len((await client.get("/api/v1/links")).json()["items"]) == 7
    await people.erase("mara")
    rows = await db.fetch("SELECT code, placement, external_id, disabled_at FROM link")
    assert len(rows) == 7 and all(row["disabled_at"] for row in rows)
    told = " ".join(f"{row['code']} {row['placement']} {row['external_id']}" for row in rows)
    assert "mara" not in told and "blog" not in told and "kitchen" not in told
    assert not await db.fetch("SELECT 1 FROM link_former_code")
    assert not await db.fetch("SELECT 1 FROM link_placement WHERE location <> '' OR removed_at IS NULL")
    assert await db.fetch_val("SELECT count(*) FROM link_closure WHERE closed_by_id IS NULL") == 7
