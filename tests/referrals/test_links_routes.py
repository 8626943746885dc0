"""Where a link leads whom: rules in their order, the split, and the dry run that tells beforehand."""

from collections import Counter
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from app.db import watch_queries
from referrals.clicks import directory
from referrals.links.agents import agent_of
from referrals.links.routing import Branch, Routes, Rule, Visit, When, choose, preferred
from referrals.links.trying import SAMPLES
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, IPHONE, a_link, a_paying_shop, click, tell
from tests.storefront.shop import order

pytestmark = pytest.mark.anyio

PHONE, HOME, SALE = "page:/guides/", "https://north.example/p/SKU-1", "https://north.example/sale"


async def a_routed_link(web: Browser, person: Person, **routes: object) -> str:
    code = (await a_link(web, person))["code"]
    changed = await web(token=person.token).patch(f"/api/v1/links/{code}", json=routes)
    assert changed.status_code == 200, changed.text
    directory.forget(code)
    return code


async def leads(browser: httpx.AsyncClient, code: str, agent: str = CHROME, **headers: str) -> str:
    """Where a visitor is sent, without the click's id."""
    answer = await browser.get(f"/r/{code}", headers={"user-agent": agent, **headers})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].partition("?gv=")[0]


@pytest.mark.parametrize(
    ("sample", "device", "os", "browser", "in_app"),
    [
        ("iphone", "phone", "ios", "safari", ""),
        ("android", "phone", "android", "chrome", ""),
        ("desktop", "desktop", "windows", "chrome", ""),
        ("wechat", "phone", "ios", "safari", "wechat"),
        ("xiaohongshu", "phone", "ios", "safari", "xiaohongshu"),
        ("weibo", "phone", "android", "chrome", "weibo"),
        ("instagram", "phone", "ios", "safari", "instagram"),
        ("line", "phone", "ios", "safari", "line"),
        ("facebook", "phone", "android", "chrome", "facebook"),
    ],
)
def test_an_agent_says_what_it_is(sample: str, device: str, os: str, browser: str, in_app: str):
    seen = agent_of(SAMPLES[sample].encode())
    assert (seen.device, seen.os, seen.browser, seen.in_app) == (device, os, browser, in_app)


def test_other_agents_too():
    for agent, device, os, browser in (
        ("Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", "tablet", "ios", "safari"),
        ("Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit Chrome/142 Safari/537", "tablet", "android", "chrome"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Firefox/140.0", "desktop", "macos", "firefox"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "desktop", "windows", "edge"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Mobile ArkWeb/4.1", "phone", "harmony", "other"),
        ("", "desktop", "other", "other"),
        ("\xff" * 3000, "desktop", "other", "other"),
    ):
        seen = agent_of(agent.encode("latin-1"))
        assert (seen.device, seen.os, seen.browser) == (device, os, browser), agent
    # A word inside another app's name is no app.
    assert agent_of(b"Mozilla/5.0 (Linux; Android 15) Chrome/142 Mobile Offline/3 Safari/537.36").in_app == ""


def test_the_language_asked_for_first_counts_and_scripts_are_known():
    assert preferred("en;q=0.5, zh-TW, *;q=0.1") == "zh-TW"
    assert preferred("") == "" and preferred("*") == "" and preferred("q=x;;,") in ("q=x;;", "")

    def goes(rule: str, asked: str) -> bool:
        routes = Routes([Rule(When(language=[rule]), "", "there")])
        visit = Visit(agent_of(b""), asked, "", clock.now())
        return choose(routes, "here", visit, 1).destination == "there"

    assert goes("zh", "zh-TW") and goes("zh-Hant", "zh-HK") and goes("zh-Hans", "zh-CN") and goes("en", "en-GB")
    assert not goes("zh-Hans", "zh-TW") and not goes("en", "de") and not goes("en", "eng") and not goes("en-GB", "en")


async def test_the_browser_inside_wechat_is_led_elsewhere_and_the_first_rule_that_holds_decides(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = await a_routed_link(
        web,
        mara,
        rules=[
            {"when": {"in_app": ["wechat", "weibo"]}, "to": PHONE},
            {"when": {"device": ["phone"], "language": ["de", "fr"]}, "to": SALE},
            {"when": {"device": ["phone"]}, "to": "page:/p/"},
        ],
    )
    assert await leads(web(), code, SAMPLES["wechat"]) == "/guides/"
    assert await leads(web(), code, SAMPLES["iphone"], **{"accept-language": "fr-CH,en;q=0.8"}) == SALE
    assert await leads(web(), code, SAMPLES["iphone"]) == "/p/"
    assert await leads(web(), code) == HOME
    assert await db.fetch_val("SELECT count(*) FROM click WHERE blocked = '' AND kind = 'human'") == 4


async def test_a_rule_holds_from_its_start_until_its_end(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    start, end = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    when = {"since": start.isoformat(), "until": end.isoformat()}
    code = await a_routed_link(web, mara, rules=[{"when": when, "to": SALE}])
    seen = []
    for _hour in range(3):
        seen.append(await leads(web(), code))
        clock.travel(timedelta(hours=1, seconds=1))
    assert seen == [HOME, SALE, HOME]


async def test_a_country_is_believed_only_of_the_proxy_we_named(web: Browser, monkeypatch: pytest.MonkeyPatch):
    import msgspec

    from app.settings import settings
    from referrals.links import passing

    mara = await a_member("mara")
    await a_paying_shop()
    code = await a_routed_link(web, mara, rules=[{"when": {"country": ["de", "AT"]}, "to": SALE}])
    assert await leads(web(), code, **{"cf-ipcountry": "DE"}) == HOME
    named = msgspec.structs.replace(settings(), country_header="CF-IPCountry")
    monkeypatch.setattr(passing, "settings", lambda: named)
    assert await leads(web(), code, **{"cf-ipcountry": "DE"}) == SALE
    assert await leads(web(), code, **{"cf-ipcountry": "US"}) == HOME


async def test_a_rule_leads_only_where_a_link_may(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    await a_shop_in_the_south()
    code = (await a_link(web, mara))["code"]
    client = web(token=mara.token)
    for to in ("https://evil.example/", "javascript:alert(1)", "//evil.example", "page:/r/mara", "group:none"):
        for routes in (
            {"rules": [{"when": {"device": ["phone"]}, "to": to}]},
            {"split": [{"name": "a", "weight": 1, "to": to}, {"name": "b", "weight": 1, "to": "page:/p/"}]},
        ):
            answer = await client.patch(f"/api/v1/links/{code}", json=routes)
            assert answer.status_code == 422 and answer.json()["errors"][0]["field"].endswith("[0].to"), (to, routes)
    south = {"rules": [{"when": {"device": ["phone"]}, "to": "https://south.example/x"}]}
    assert (await client.patch(f"/api/v1/links/{code}", json=south)).status_code == 422
    for wrong in (
        {"rules": [{"when": {}, "to": PHONE}]},
        {"rules": [{"when": {"device": ["toaster"]}, "to": PHONE}]},
        {"rules": [{"when": {"devices": ["phone"]}, "to": PHONE}]},
        {"split": [{"name": "a", "weight": 1, "to": PHONE}]},
        {"split": [{"name": "a", "weight": 1, "to": PHONE}, {"name": "a", "weight": 1, "to": SALE}]},
        {"split": [{"name": "a", "weight": 0, "to": PHONE}, {"name": "b", "weight": 1, "to": SALE}]},
        {"rules": [{"when": {"device": ["phone"]}, "to": PHONE}] * 21},
    ):
        assert (await client.patch(f"/api/v1/links/{code}", json=wrong)).status_code == 422, wrong
    assert await db.fetch_val("SELECT count(*) FROM link WHERE routes <> '{}'") == 0


async def a_shop_in_the_south() -> None:
    from tests.storefront.shop import a_shop

    shop = await a_shop("south")
    await db.execute("UPDATE store SET origin = 'https://south.example' WHERE id = $1", shop.id)


def test_a_split_keeps_its_weights_and_each_visitor_keeps_their_side():
    split = Routes(split=[Branch("a", 3, "", "/a"), Branch("b", 1, "", "/b")])
    people = [Visit(agent_of(b""), "", "", clock.now(), who=b"visitor %d" % n) for n in range(4000)]
    first = [choose(split, "/", person, 7).variant for person in people]
    assert first == [choose(split, "/", person, 7).variant for person in people]
    assert 2850 < Counter(first)["a"] < 3150
    # At another link the same people are shuffled anew.
    other = [choose(split, "/", person, 8).variant for person in people]
    assert 0.55 < sum(one == two for one, two in zip(first, other, strict=True)) / len(people) < 0.70


async def test_a_visitor_stays_on_their_side_from_another_address_too(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    split = [{"name": f"s{n}", "weight": 1, "to": f"https://north.example/{n}"} for n in range(8)]
    code = await a_routed_link(web, mara, split=split)
    guest = web()
    first = await leads(guest, code, IPHONE)
    # The cookie decides, whatever the browser says of itself by now.
    assert {await leads(guest, code, f"{IPHONE} Version/{n}") for n in range(12)} == {first}
    assert len({await leads(web(), code, f"{IPHONE} Version/{n}") for n in range(12)}) > 1
    # A side that is gone, or made up, is chosen anew; who denies consent gets no cookie.
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    assert (await leads(web(), code, cookie=f"gv_side_{link_id}=evil")).startswith("https://north.example/")
    denied = await web().get(f"/r/{code}", headers={"user-agent": IPHONE, "sec-gpc": "1"})
    assert denied.status_code == 302 and "set-cookie" not in denied.headers


async def test_the_side_is_kept_on_the_click_so_orders_are_counted_by_side(web: Browser):
    mara = await a_member("mara")
    shop = await a_paying_shop()
    split = [{"name": "short", "weight": 1, "to": SALE}, {"name": "long", "weight": 1, "to": HOME}]
    code = await a_routed_link(web, mara, split=split)
    sides = {}
    for number in range(12):
        agent = f"{IPHONE} Reader/{number}"
        side = await leads(web(), code, agent)
        assert await leads(web(), code, agent) == side
        sides[agent] = "short" if side == SALE else "long"
    assert set(sides.values()) == {"short", "long"}
    buyer = next(agent for agent, side in sides.items() if side == "short")
    await tell(web, shop, "order.paid", order("1001", gv=await click(web(), code, buyer)))
    await run_jobs()
    came = (await web(token=mara.token).get(f"/api/v1/links/{code}/report")).json()
    by_side = {side["name"]: side for side in came["sides"]}
    many = Counter(sides.values())
    assert by_side["short"] == {"name": "short", "people": 2 * many["short"] + 1, "orders": 1}
    assert by_side["long"] == {"name": "long", "people": 2 * many["long"], "orders": 0}
    assert came["people"] == 25 and came["orders"] == 1


async def test_the_dry_run_says_what_will_happen_and_counts_nothing(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    rules = [
        {"when": {"in_app": ["wechat"], "language": ["zh"]}, "to": PHONE},
        {"when": {"device": ["desktop"]}, "to": SALE},
    ]
    code = await a_routed_link(web, mara, rules=rules)
    client = web(token=mara.token)
    for agent, language in ((SAMPLES["wechat"], "zh-CN"), (SAMPLES["wechat"], "en"), (CHROME, "zh-CN")):
        asked = {"agent": agent, "language": language}
        told = (await client.get(f"/api/v1/links/{code}/route", params=asked)).json()
        happens = await leads(web(), code, agent, **{"accept-language": language})
        assert told["destination"] == happens, (agent, language)
    assert told["rule"] == 2 and [rule["holds"] for rule in told["rules"]] == [False, True]
    assert told["rules"][0]["checks"][0] == {"part": "in_app", "wanted": "wechat", "seen": "none", "holds": False}
    assert await db.fetch_val("SELECT count(*) FROM click") == 3
    assert (await web(token=eve.token).get(f"/api/v1/links/{code}/route")).status_code == 404
    assert (await client.get(f"/api/v1/links/{code}/route", params={"at": "soon"})).status_code == 422
    browser = await sign_in(web(), mara)
    shown = (await browser.get(f"/share/{code}/routes?try=wechat&language=zh-CN")).text
    assert "because rule 1 holds" in shown and "wants WeChat 微信, sees WeChat 微信" in shown


async def test_rules_are_added_moved_and_removed_on_the_page(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = await sign_in(web(), mara)
    at = f"/share/{code}/routes"
    await submit(browser, at, {"in_app": "wechat", "to": PHONE})
    await submit(browser, at, {"language": "de, fr", "until": "2199-01-01T00:00", "to": SALE})
    wrong = await submit(browser, at, {"device": "phone", "to": "https://evil.example/"})
    assert wrong.status_code == 422 and "https://evil.example/" in wrong.text
    assert (await submit(browser, at, {"to": PHONE})).status_code == 422
    await submit(browser, f"{at}/2/rise", {}, page=at)
    client = web(token=mara.token)
    rules = (await client.get(f"/api/v1/links/{code}")).json()["rules"]
    assert [rule["destination"] for rule in rules] == [SALE, "/guides/"]
    assert rules[0]["when"] == {"language": ["de", "fr"], "until": "2199-01-01T00:00:00Z"}
    await submit(browser, f"{at}/1/removal", {}, page=at)
    assert (await submit(browser, f"{at}/9/removal", {}, page=at)).status_code == 404
    await submit(
        browser, f"{at}/split", {"name": ["a", "b", "c"], "weight": ["1", "3", "1"], "to": [HOME, SALE, ""]}, page=at
    )
    link = (await client.get(f"/api/v1/links/{code}")).json()
    assert [rule["destination"] for rule in link["rules"]] == ["/guides/"]
    assert [(side["name"], side["weight"]) for side in link["split"]] == [("a", 1), ("b", 3)]
    assert "75 %" in (await browser.get(at)).text
    await submit(browser, f"{at}/split", {"name": ["a", "b"], "weight": ["1", "3"], "to": ["", ""]}, page=at)
    assert (await client.get(f"/api/v1/links/{code}")).json()["split"] == []


async def test_a_plain_link_is_redirected_without_a_look_at_rules(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    way = await directory.look_up(code)
    assert way is not None and way.turns is None
    monkeypatch.setattr(directory, "pass_by", None)
    await leads(web(), code)
    with watch_queries() as asked:
        assert await directory.look_up(code) is not None
    assert len(asked) <= 1
