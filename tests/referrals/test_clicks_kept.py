"""What is kept of a visit and what is not: days, evidence, consent, and who is counted as a person."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from app import clock, db, ids
from referrals.clicks import days, queries, visitors
from referrals.clicks.classify import SCORE_VERSION, judge, kind_of
from referrals.clicks.rescore import rescore
from referrals.clicks.service import recount
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import CHROME, IPHONE, a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import order

pytestmark = pytest.mark.anyio

GPC = {"sec-gpc": "1"}
A_DAY = timedelta(days=1)


async def the_link(web: Browser, handle: str = "mara") -> tuple[Person, str]:
    person = await a_member(handle)
    await a_paying_shop()
    return person, (await a_link(web, person))["code"]


async def the_row(gv: str) -> asyncpg.Record:
    row = await db.fetch_one(f"SELECT c.*, tableoid::regclass::text AS place FROM click c WHERE {IS}", UUID(gv))
    assert row is not None
    return row


IS = queries.is_click("c", "$1::uuid")


# Days


async def test_a_click_lies_in_its_day_and_is_found_there_by_its_id_alone(web: Browser):
    _mara, code = await the_link(web)
    await days.make_ahead()
    gv = await click(web(), code)
    assert (await the_row(gv))["place"] == f"click_{clock.now():%Y_%m_%d}"
    plan = await db.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT 1 FROM click c WHERE {IS}", UUID(gv))
    read = [row[0] for row in plan if " on click_" in row[0] and "never executed" not in row[0]]
    # Two seconds of slack: at midnight the day before is looked at as well.
    assert 1 <= len(read) <= 2, plan


async def test_a_click_of_a_day_without_a_partition_is_kept_and_moved_there_later(web: Browser):
    _mara, code = await the_link(web)
    clock.travel(timedelta(days=40))
    try:
        gv = await click(web(), code)
        assert (await the_row(gv))["place"] == "click_default"
        assert await days.make_ahead() > 0
        assert (await the_row(gv))["place"] == f"click_{clock.now():%Y_%m_%d}"
        assert await queries.counted_wrongly() == []
    finally:
        await db.execute("DELETE FROM click")
        for name in [row["name"] for row in await days._partitions() if row["day"] > clock.now().date() - 20 * A_DAY]:
            await db.execute(f"DROP TABLE {name}")


async def test_old_days_are_dropped_but_never_what_somebody_may_still_earn_by(web: Browser):
    mara, code = await the_link(web)
    then = clock.now() - timedelta(days=400)
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    claimed, forgotten = ids.new_click_id(then), ids.new_click_id(then)
    for one in (claimed, forgotten):
        await db.execute(
            "INSERT INTO click (id, link_id, occurred_at, kind) VALUES ($1, $2, $3, 'human')", one, link_id, then
        )
    await db.execute(
        "INSERT INTO click_claim (click_id, member_id, claimed_at) VALUES ($1, $2, $3)", claimed, mara.id, then
    )
    await recount()
    await days.make_ahead()
    done = await days.drop_before((then + A_DAY).date())
    assert (done.dropped, done.kept) == (1, 1)
    assert await db.fetch_val("SELECT array_agg(id) FROM click") == [claimed]
    await recount()
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count") == 2, "what was counted stays counted"
    assert await days.make_ahead() == 0 and await queries.counted_wrongly() == []
    with pytest.raises(ValueError):
        await days.drop_before(clock.now().date())


async def test_an_id_from_elsewhere_is_nobodys_click(web: Browser):
    await the_link(web)
    for given in (uuid4().hex, ids.new_click_id(clock.now()).hex, "f" * 32, "0" * 32, "x"):
        assert await queries.click(given) is None


# Evidence


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"user-agent": IPHONE + " MicroMessenger/8.0.50"}, "", {"in_app": "wechat", "ua_class": "phone"}),
        ({"user-agent": CHROME}, "?gclid=secret", {"paid_click_param": "gclid", "ua_class": "desktop"}),
        ({"user-agent": CHROME}, "?x=1&MSCLKID=1", {"paid_click_param": "msclkid"}),
        ({"user-agent": CHROME}, "?gclid=", {"paid_click_param": ""}),
        ({"user-agent": CHROME}, "?a=gclid", {"paid_click_param": ""}),
        (
            {
                "user-agent": CHROME,
                "sec-fetch-site": "cross-site",
                "sec-fetch-dest": "document",
                "sec-fetch-user": "?1",
            },
            "",
            {"fetch_site": "cross-site", "fetch_dest": "document", "kind": "human"},
        ),
        ({"user-agent": CHROME, "sec-fetch-dest": "iframe"}, "", {"fetch_dest": "iframe", "kind": "bot"}),
        ({"user-agent": CHROME, "sec-fetch-site": "'; DROP"}, "", {"fetch_site": ""}),
    ],
)
async def test_a_visit_leaves_its_evidence(web: Browser, headers: dict, path: str, expected: dict):
    _mara, code = await the_link(web)
    answer = await web().get(f"/r/{code}{path}", headers={"accept-language": "en", **headers})
    assert answer.status_code == 302
    row = await db.fetch_one("SELECT * FROM click")
    assert row is not None and {name: row[name] for name in expected} == expected
    assert row["trigger"] == "link" and row["score_version"] == SCORE_VERSION and "secret" not in str(dict(row))


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Version/4.0 Chrome/142.0 Mobile Instagram 350.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 WhatsApp/24.1.2",
        "Mozilla/5.0 (Linux; Android 14; CUBOT_X70) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36 baiduboxapp/13.1 (Baidu)",
        "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36 XiaoHongShu/8.60",
        "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/142 Safari/537.36 Teams/25.1 msteams-desktop",
    ],
)
def test_whoever_reads_in_an_app_is_a_person(agent: str):
    assert kind_of("GET", agent.encode(), b"", b"document") == "human"


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Macintosh) AppleWebKit/601.2.4 Version/9.0 Safari/601.2.4 facebookexternalhit/1.1 Twitterbot/1.0",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 Chrome/99 Safari/537.36 SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)",
    ],
)
def test_a_preview_in_the_dress_of_a_browser_is_a_preview(agent: str):
    assert kind_of("GET", agent.encode(), b"", b"document") == "preview"


async def test_a_better_score_is_given_to_old_clicks_but_moves_no_money(web: Browser, monkeypatch: pytest.MonkeyPatch):
    _mara, code = await the_link(web)
    bob = await a_member("bob")
    robot = "Mozilla/5.0 (X11; Linux x86_64) TidyFetcher/2.0"
    seen = [await click(web(), code, agent=robot) for _ in range(3)]
    from referrals.clicks.service import claim

    assert await claim(bob.id, seen[0])
    assert await rescore() == 0, "nothing to do for a version that is everywhere"
    monkeypatch.setattr("referrals.clicks.rescore.agent", lambda given: _Tidy())
    assert await rescore(version=SCORE_VERSION + 1) == 3 and await rescore(version=SCORE_VERSION + 1) == 0
    kinds = {row["id"].hex: (row["kind"], row["bot_score"]) for row in await db.fetch("SELECT * FROM click")}
    assert [kinds[gv] for gv in seen] == [("human", 100), ("bot", 100), ("bot", 100)]
    assert await queries.counted_wrongly() == []
    counts = {row["kind"]: row["n"] for row in await db.fetch(COUNTS)}
    assert counts == {"human": 1, "bot": 2}


COUNTS = "SELECT kind, sum(clicks)::int AS n FROM click_count GROUP BY kind"


class _Tidy:
    kind = "bot"


def test_a_score_grows_with_what_speaks_against_a_person():
    scores = [judge("human", bits)[1] for bits in (0, 8, 8 | 16, 8 | 16 | 32, 1)]
    assert scores == sorted(scores) and scores[0] == 0 and scores[-1] == 100
    assert judge("human", 8 | 16 | 32)[0] == "human", "a browser that hides much is still a person"


# People and visits


async def test_a_person_who_comes_back_within_the_hour_is_one_person(web: Browser):
    mara, code = await the_link(web)
    since = clock.now()
    phone, desk = web(), web()
    for _ in range(3):
        await click(phone, code, agent=IPHONE)
    await click(desk, code, agent=CHROME)
    clock.travel(timedelta(minutes=61))
    await click(phone, code, agent=IPHONE)
    same_day = clock.now().date() == since.date()
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    assert await queries.people_by_link([link_id], since) == {link_id: 3}
    assert await queries.people_of(mara.id, since) == 3
    await db.execute(
        """INSERT INTO program_version
                  (program_id, version, rate_bps, hold_days, window_days, model, policy, published_at)
           SELECT program_id, 2, rate_bps, hold_days, window_days, model, '{"unique_minutes": 120}', $1
             FROM program_version""",
        clock.now(),
    )
    assert await queries.people_by_link([link_id], since) == {link_id: 2 if same_day else 3}
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count") == 5, "the visits stay five"


async def test_after_three_days_nobody_can_make_a_visitors_hash_again(web: Browser):
    _mara, code = await the_link(web)
    visitors.forget()
    await visitors.learn_salts()
    salt = await db.fetch_val("SELECT salt FROM visitor_salt WHERE day = $1", clock.now().date())
    row = await the_row(await click(web(), code))
    assert salt and row["visitor_day_hash"] == visitors.hash_of(clock.now(), "127.0.0.1", CHROME.encode())
    visitors.forget()  # another process, the same day: the same salt
    await visitors.learn_salts()
    assert row["visitor_day_hash"] == visitors.hash_of(clock.now(), "127.0.0.1", CHROME.encode())
    clock.travel(timedelta(hours=71))
    await visitors.delete_old_salts()
    assert await db.fetch_val("SELECT count(*) FROM visitor_salt WHERE salt = $1", salt) == 1
    clock.travel(timedelta(hours=26))
    await visitors.delete_old_salts()
    assert await db.fetch_val("SELECT count(*) FROM visitor_salt WHERE salt = $1", salt) == 0
    assert row["visitor_day_hash"] != visitors.hash_of(clock.now(), "127.0.0.1", CHROME.encode())
    visitors.forget()


# Consent


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (GPC, ""),
        ({"dnt": "1"}, ""),
        ({"cookie": "gv_consent=denied"}, ""),
        ({}, "?gv_consent=denied"),
    ],
)
async def test_whoever_denies_is_counted_and_nothing_else(web: Browser, headers: dict, path: str):
    _mara, code = await the_link(web)
    answer = await web().get(
        f"/r/{code}{path}", headers={"user-agent": CHROME, "referer": "https://t.example/", **headers}
    )
    assert answer.status_code == 302 and answer.headers["location"] == "https://north.example/p/SKU-1"
    assert "set-cookie" not in answer.headers
    row = await db.fetch_one("SELECT * FROM click")
    assert row is not None and row["consent"] == "denied"
    assert (row["visitor_day_hash"], row["referrer_host"], row["agent_hash"], row["ua_class"]) == ("", "", None, "")
    assert (row["occurred_at"].minute, row["occurred_at"].second) == (0, 0), "not even the minute is kept"
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count WHERE kind = 'human'") == 1


async def test_ones_own_yes_is_louder_than_the_browsers_no(web: Browser):
    _mara, code = await the_link(web)
    answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME, "cookie": "gv_consent=granted", **GPC})
    assert "gv=" in answer.headers["location"]
    assert await db.fetch_val("SELECT consent FROM click") == "granted"


async def test_a_denied_click_leaves_what_a_sign_in_had_claimed_before(web: Browser):
    """The shop's order names bob, who once signed in with mara's click: that is his own word, and still counts."""
    mara, code = await the_link(web)
    bob = await a_member("bob")
    browser: httpx.AsyncClient = web()
    await click(browser, code)
    await sign_in(browser, bob)
    denied = await web().get(f"/r/{code}", headers={"user-agent": CHROME, **GPC})
    assert "gv=" not in denied.headers["location"]
    shop = await _shop()
    await tell(web, shop, "order.paid", order())
    assert await standing(mara) == {("pending", "USD"): 1_200}
    await books_are_right()


async def _shop():  # type: ignore[no-untyped-def]
    from tests.storefront.shop import Shop

    row = await db.fetch_one("SELECT * FROM store WHERE slug = 'north'")
    assert row is not None
    return Shop(row["id"], row["slug"], row["secret"], row["publishable_key"], row["origin"])


# A member's own browser


async def test_a_click_in_a_members_own_browser_is_recognised_on_the_same_day(web: Browser):
    mara, code = await the_link(web)
    bob = await a_member("bob")
    await visitors.learn_salts()
    browser = web(**{"user-agent": CHROME})
    gv = UUID(await click(browser, code))
    await sign_in(browser, mara)
    await browser.get("/earn")
    await sign_in(other := web(**{"user-agent": IPHONE}), bob)
    await other.get("/earn")
    await visitors.note_members()
    assert await queries.visitor_is_member(gv, mara.id)
    assert not await queries.visitor_is_member(gv, bob.id)


async def test_a_member_who_denied_is_not_recognised(web: Browser):
    mara, _code = await the_link(web)
    await visitors.learn_salts()
    browser = web(**{"user-agent": CHROME, **GPC})
    await sign_in(browser, mara)
    await browser.get("/earn")
    await visitors.note_members()
    assert await db.fetch_val("SELECT count(*) FROM member_visitor") == 0
