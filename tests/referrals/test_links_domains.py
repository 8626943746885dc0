"""A store's own short domains, and the further hosts it vouches for."""

from datetime import timedelta

import pytest

from app import clock, db
from referrals.clicks import directory
from referrals.links import dns, domains
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, a_link, a_paying_shop
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio

GO = "go.north.example"
API = "/api/v1/stores/north"


@pytest.fixture
async def records(monkeypatch: pytest.MonkeyPatch):
    """What DNS says: a dict of names to texts."""
    known: dict[str, list[str]] = {}

    async def lookup(name: str) -> list[str]:
        if name not in known:
            raise dns.NoAnswer("NXDOMAIN")
        return known[name]

    monkeypatch.setattr(dns, "texts_of", lookup)
    await domains.refresh()
    yield known
    monkeypatch.undo()
    await db.execute("DELETE FROM short_domain")
    await domains.refresh()


async def a_store(owner: Person) -> Shop:
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    return shop


async def a_proven_domain(web: Browser, owner: Person, records: dict, host: str = GO) -> None:
    added = await web(token=owner.token).put(f"{API}/domains/{host}")
    assert added.status_code == 200, added.text
    records[added.json()["txt_name"]] = ["v=spf1 -all", added.json()["txt_value"]]
    await run_jobs()


async def test_a_domain_serves_once_dns_says_that_it_is_theirs(web: Browser, records: dict):
    owner, mara = await a_member("owner"), await a_member("mara")
    await a_store(owner)
    code = (await a_link(web, mara))["code"]
    added = (await web(token=owner.token).put(f"{API}/domains/{GO}")).json()
    assert added["txt_name"] == f"_grapevine.{GO}" and added["txt_value"].startswith("grapevine=")
    await run_jobs()
    (waiting,) = (await web(token=owner.token).get(f"{API}/domains")).json()["items"]
    assert not waiting["proven"] and waiting["problem"] == "NXDOMAIN"
    assert (await web(token=owner.token).put(f"{API}/domains/{GO}/use")).status_code == 409
    records[added["txt_name"]] = ["grapevine=somebody-elses"]
    assert await domains.due_for_a_look()
    for domain_id in await domains.due_for_a_look():
        assert not await domains.prove(domain_id)
    records[added["txt_name"]].append(added["txt_value"])
    for domain_id in await domains.due_for_a_look():
        assert await domains.prove(domain_id)
    (link,) = [one for one in (await web(token=mara.token).get("/api/v1/links")).json()["items"] if one["code"] == code]
    assert link["url"] == f"http://{GO}/{code}"
    came = await web().get(f"http://{GO}/{code}", headers={"user-agent": CHROME})
    assert came.status_code == 302 and came.headers["location"].startswith("https://north.example/p/SKU-1?gv=")
    # A link of no store has our own address.
    assert (await a_link(web, mara, "page:/p/"))["url"].startswith("http://test.example/r/")


async def test_on_a_stores_domain_only_its_links_live(web: Browser, records: dict):
    owner, mara = await a_member("owner"), await a_member("mara")
    await a_store(owner)
    await a_proven_domain(web, owner, records)
    guest = web()
    own_page = (await a_link(web, mara, "page:/guides/?a=1"))["code"]
    came = await guest.get(f"http://{GO}/{own_page}", headers={"user-agent": CHROME})
    assert came.headers["location"].startswith("http://test.example/guides/?a=1&gv=")
    for path, leads in (
        ("/", "/"),
        ("/login?next=/x", "/login?next=/x"),
        ("/p/alder", "/p/alder"),
        ("/@mara", "/@mara"),
    ):
        sent = await guest.get(f"http://{GO}{path}")
        assert sent.status_code == 302 and sent.headers["location"] == "http://test.example" + leads, path
    assert (await guest.get(f"http://{GO}/no-such-code")).status_code == 404
    # Another store's link does not borrow this name.
    south = await a_paying_shop_in_the_south()
    theirs = (await a_link(web, mara, "https://south.example/x"))["code"]
    directory.forget(theirs)
    assert (await guest.get(f"http://{GO}/{theirs}", headers={"user-agent": CHROME})).status_code == 404
    assert (await guest.get(f"/r/{theirs}", headers={"user-agent": CHROME})).status_code == 302
    assert south and await db.fetch_val("SELECT count(*) FROM click") == 2
    preview = await guest.get(f"http://{GO}/{own_page}", headers={"user-agent": "WhatsApp/2.25.1.75 A"})
    assert preview.status_code == 200 and "og:title" in preview.text


async def a_paying_shop_in_the_south() -> int:
    from tests.storefront.shop import a_shop

    shop = await a_shop("south")
    await db.execute("UPDATE store SET origin = 'https://south.example' WHERE id = $1", shop.id)
    return shop.id


async def test_one_press_swaps_a_blocked_domain_in_all_links_and_the_old_one_still_leads(web: Browser, records: dict):
    owner, mara = await a_member("owner"), await a_member("mara")
    await a_store(owner)
    code = (await a_link(web, mara))["code"]
    for host in (GO, "kurz.example", "third.example"):
        await a_proven_domain(web, owner, records, host)
    browser = await sign_in(web(), owner)
    at = "/admin/programs/north/links"
    assert GO in (await browser.get(at)).text
    swapped = await submit(browser, f"{at}/domains/{GO}/block", {}, page=at)
    assert swapped.status_code == 303
    client = web(token=mara.token)
    assert (await client.get(f"/api/v1/links/{code}")).json()["url"] == f"http://kurz.example/{code}"
    assert (await web().get(f"http://{GO}/{code}", headers={"user-agent": CHROME})).status_code == 302
    await submit(browser, f"{at}/domains/third.example/use", {}, page=at)
    assert (await client.get(f"/api/v1/links/{code}")).json()["url"] == f"http://third.example/{code}"
    # The blocked one is never chosen by itself again.
    for host in ("third.example", "kurz.example"):
        await web(token=owner.token).put(f"{API}/domains/{host}/block")
    assert (await client.get(f"/api/v1/links/{code}")).json()["url"] == f"http://test.example/r/{code}"
    assert await db.fetch_val("SELECT count(*) FROM short_domain WHERE in_use_at IS NOT NULL") == 0


async def test_a_domain_whose_proof_is_gone_for_a_week_serves_no_more(web: Browser, records: dict):
    owner, mara = await a_member("owner"), await a_member("mara")
    await a_store(owner)
    await a_proven_domain(web, owner, records)
    code = (await a_link(web, mara))["code"]
    records.clear()
    clock.travel(timedelta(days=2))
    for domain_id in await domains.due_for_a_look():
        await domains.prove(domain_id)
    assert domains.store_behind(GO) is not None  # A hiccup of DNS costs nobody their links.
    clock.travel(timedelta(days=6))
    for domain_id in await domains.due_for_a_look():
        await domains.prove(domain_id)
    assert domains.store_behind(GO) is None
    assert (await web(token=mara.token).get(f"/api/v1/links/{code}")).json()["url"] == f"http://test.example/r/{code}"


async def test_a_noted_but_unproven_domain_keeps_its_true_owner_out_of_nothing(web: Browser, records: dict):
    owner, eve = await a_member("owner"), await a_member("eve")
    await a_store(owner)
    south = await a_paying_shop_in_the_south()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", eve.id, south)
    assert (await web(token=eve.token).put(f"/api/v1/stores/south/domains/{GO}")).status_code == 200
    await a_proven_domain(web, owner, records)
    assert (await web(token=eve.token).put(f"/api/v1/stores/south/domains/{GO}")).status_code == 404
    assert domains.store_behind(GO) != south


async def test_only_a_stores_owner_sees_and_changes_its_domains_and_hosts(web: Browser, records: dict):
    owner, eve = await a_member("owner"), await a_member("eve")
    await a_store(owner)
    for client, statuses in ((web(token=eve.token), (403, 404)), (web(), (401,))):
        for method, path in (("PUT", f"/domains/{GO}"), ("PUT", "/hosts/blog.north.example"), ("GET", "/domains")):
            assert (await client.request(method, API + path)).status_code in statuses, (method, path)
    for wrong in (
        "test.example",
        "sub.test.example",
        "localhost",
        "10.0.0.1",
        "a b.example",
        "x.example:8443",
        "-a.de",
    ):
        answer = await web(token=owner.token).put(f"{API}/domains/{wrong}")
        assert answer.status_code in (404, 422), wrong
    assert await db.fetch_val("SELECT count(*) FROM short_domain") == 0


async def test_a_proxy_gets_a_certificate_only_for_a_proven_domain(web: Browser, records: dict):
    owner = await a_member("owner")
    await a_store(owner)
    ask = "/.well-known/grapevine-domain?domain="
    assert (await web().get(ask + GO)).status_code == 404
    await a_proven_domain(web, owner, records)
    assert (await web().get(ask + GO)).status_code == 200
    assert (await web().get(ask + "evil.example")).status_code == 404


async def test_links_may_lead_to_a_host_the_store_vouches_for_until_it_no_longer_does(web: Browser):
    owner, mara = await a_member("owner"), await a_member("mara")
    await a_store(owner)
    client, as_owner = web(token=mara.token), web(token=owner.token)
    blog = "https://blog.north.example/why?x=1"
    assert (await client.post("/api/v1/links", json={"target": blog})).status_code == 422
    assert (await as_owner.put(f"{API}/hosts/Blog.North.Example")).json() == {"host": "blog.north.example"}
    link = await a_link(web, mara, blog)
    assert link["destination"] == blog
    routed = (await a_link(web, mara))["code"]
    rule = {"rules": [{"when": {"device": ["phone"]}, "to": blog}]}
    assert (await client.patch(f"/api/v1/links/{routed}", json=rule)).status_code == 200
    plain = (await a_link(web, mara, "https://north.example/x"))["code"]
    for other in (
        "http://blog.north.example/",
        "https://blog.north.example:8443/",
        "https://blog.north.example.evil.example/",
        "https://blog.north.example@evil.example/",
        "https://xblog.north.example/",
    ):
        assert (await client.post("/api/v1/links", json={"target": other})).status_code == 422, other
    assert (await as_owner.delete(f"{API}/hosts/blog.north.example")).status_code == 204
    closed = {row["code"] for row in await db.fetch("SELECT code FROM link WHERE disabled_at IS NOT NULL")}
    assert closed == {link["code"], routed} and plain not in closed
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'LinkClosed'") == 2


async def test_a_store_owner_does_all_of_it_on_the_page(web: Browser, records: dict):
    owner = await a_member("owner")
    await a_store(owner)
    browser = await sign_in(web(), owner)
    at = "/admin/programs/north/links"
    await submit(browser, f"{at}/hosts", {"host": "blog.north.example"}, page=at)
    await submit(browser, f"{at}/domains", {"domain": "https://GO.north.example/"}, page=at)
    wrong = await submit(browser, f"{at}/domains", {"domain": "not a host"}, page=at)
    assert wrong.status_code == 422 and "not a host" in wrong.text
    shown = (await browser.get(at)).text
    proof = await db.fetch_val("SELECT proof FROM short_domain")
    assert "blog.north.example" in shown and f"_grapevine.{GO}" in shown and proof in shown
    records[f"_grapevine.{GO}"] = [proof]
    await submit(browser, f"{at}/domains/{GO}/look", {}, page=at)
    await run_jobs()
    assert "in use" in (await browser.get(at)).text
    await submit(browser, f"{at}/hosts/blog.north.example/removal", {}, page=at)
    await submit(browser, f"{at}/domains/{GO}/removal", {}, page=at)
    assert await db.fetch_val("SELECT (SELECT count(*) FROM store_host) + (SELECT count(*) FROM short_domain)") == 0
