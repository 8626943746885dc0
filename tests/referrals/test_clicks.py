"""What happens between the tap on a link and the page it leads to."""

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest

from app import db
from referrals.clicks import directory, spool, writer
from referrals.clicks.classify import kind_of
from referrals.clicks.service import recount
from tests.factories import Browser, a_member, run_jobs
from tests.referrals.cast import CHROME, IPHONE, a_link, a_paying_shop, click

pytestmark = pytest.mark.anyio


async def test_the_click_is_in_the_books_before_the_visitor_moves_on(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    link = await a_link(web, mara)
    answer = await web().get(
        f"/r/{link['code'].upper()}", headers={"user-agent": CHROME, "referer": "https://m.weibo.cn/x?y"}
    )
    where = urlsplit(answer.headers["location"])
    assert (answer.status_code, where.netloc, where.path) == (302, "north.example", "/p/SKU-1")
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-robots-tag"] == "noindex"
    gv = parse_qs(where.query)["gv"][0]
    cookie = answer.headers["set-cookie"]
    assert (
        cookie.startswith(f"gv={gv};")
        and "HttpOnly" in cookie
        and "SameSite=Lax" in cookie
        and "Max-Age=2592000" in cookie
    )
    row = await db.fetch_one("SELECT * FROM click WHERE id = $1", UUID(gv))
    assert row is not None and (row["kind"], row["referrer_host"]) == ("human", "m.weibo.cn")
    assert len(row["visitor_day_hash"]) == 24 and "127.0.0.1" not in str(dict(row))


async def test_a_hundred_visitors_at_once_are_a_hundred_clicks(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = web()
    ids = await asyncio.gather(*(click(browser, code) for _ in range(100)))
    assert len(set(ids)) == await db.fetch_val("SELECT count(*) FROM click") == 100
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count WHERE kind = 'human'") == 100
    await recount()
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count WHERE kind = 'human'") == 100


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("/p/x", "/p/x?gv=ID"),
        ("/p/x?a=1", "/p/x?a=1&gv=ID"),
        ("/p/x?gv=old&a=1", "/p/x?a=1&gv=ID"),
        ("/p/x?a=1&gv=old#part", "/p/x?a=1&gv=ID#part"),
        ("https://shop.example#top?no", "https://shop.example?gv=ID&afsrc=1#top?no"),
        ("/p/x?gvx=1", "/p/x?gvx=1&gv=ID"),
    ],
)
def test_the_click_id_joins_the_address_without_harm(destination: str, expected: str):
    before, after = directory.split_for_click(destination)
    assert f"{before}ID{after}" == expected


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (CHROME, "human"),
        (IPHONE, "human"),
        (IPHONE + " MicroMessenger/8.0.50", "human"),
        (CHROME + " baiduboxapp/13.1", "human"),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT X70) Chrome/142.0", "human"),
        (IPHONE + " Instagram 300.0", "human"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", "bot"),
        ("Mozilla/5.0 (compatible; AdsBot-Google)", "bot"),
        ("curl/8.5.0", "bot"),
        ("python-requests/2.32", "bot"),
        ("", "bot"),
        ("WhatsApp/2.23.20.0 A", "preview"),
        ("facebookexternalhit/1.1", "preview"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "preview"),
    ],
)
def test_people_bots_and_previews_are_told_apart(agent: str, kind: str):
    assert kind_of("GET", agent.encode(), b"", b"document") == kind


async def test_a_browser_that_looks_ahead_is_sent_on_but_not_remembered(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    for headers, kind in (
        ({"sec-purpose": "prefetch;prerender"}, "prefetch"),
        ({"x-moz": "prefetch"}, "prefetch"),
        ({"sec-fetch-dest": "image"}, "bot"),
    ):
        answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME, **headers})
        assert answer.status_code == 302 and "set-cookie" not in answer.headers
        assert await db.fetch_val("SELECT kind FROM click ORDER BY occurred_at DESC LIMIT 1") == kind
    assert (await web().head(f"/r/{code}", headers={"user-agent": CHROME})).status_code == 302
    assert await db.fetch_val("SELECT count(*) FROM click WHERE kind = 'human'") == 0


async def test_a_chat_app_gets_a_card_that_says_who_may_earn(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    answer = await web().get(f"/r/{code}", headers={"user-agent": "WhatsApp/2.23.20.0 A"})
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert re.search(r'og:title" content="[^"]*Trail pack', answer.text)
    assert "I may earn from this link" in answer.text and answer.headers["x-robots-tag"] == "noindex"
    assert await db.fetch_val("SELECT kind FROM click") == "preview"


async def test_the_card_of_a_secret_group_says_nothing_of_it(web: Browser):
    from tests.factories import a_group

    mara = await a_member("mara")
    slug = await a_group(mara, visibility="secret", name="Surprise for Bob")
    code = (await a_link(web, mara, f"group:{slug}"))["code"]
    answer = await web().get(f"/r/{code}", headers={"user-agent": "Twitterbot/1.0"})
    assert answer.status_code == 200 and "Surprise" not in answer.text


async def test_an_unknown_code_is_a_page_and_never_a_redirect(web: Browser):
    for code in ("nobody", "x" * 300, "%00", "a%2F..%2Fb", "%0d%0aset-cookie:x"):
        answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME})
        assert answer.status_code == 404 and "location" not in answer.headers
        peeked = await web().head(f"/r/{code}", headers={"user-agent": CHROME})
        assert peeked.status_code == 404 and peeked.content == b""
    assert await db.fetch_val("SELECT count(*) FROM click") == 0


async def test_a_closed_link_is_gone_within_seconds(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    await click(web(), code)
    assert (await web(token=mara.token).delete(f"/api/v1/links/{code}")).status_code == 204
    assert directory.FRESH_SECONDS <= 5
    directory.forget(code)  # what the passing of those seconds does
    answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME})
    assert answer.status_code == 410 and "location" not in answer.headers and "set-cookie" not in answer.headers
    rows = await db.fetch("SELECT blocked FROM click ORDER BY occurred_at")
    assert [row["blocked"] for row in rows] == ["", "disabled"], "who came in vain is known, and not counted"
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count") == 1


async def test_a_link_that_vanished_under_the_redirect_harms_no_other_click(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    stays, goes = (await a_link(web, mara))["code"], (await a_link(web, mara, "page:/p/"))["code"]
    browser = web()
    await click(browser, stays)
    await click(browser, goes)
    for table in ("click", "click_count"):
        await db.execute(f"DELETE FROM {table} WHERE link_id = (SELECT id FROM link WHERE code = $1)", goes)
    await db.execute("DELETE FROM link WHERE code = $1", goes)
    asked = [browser.get(f"/r/{code}", headers={"user-agent": CHROME}) for code in (stays, goes, stays, goes)]
    assert [answer.status_code for answer in await asyncio.gather(*asked)] == [302, 404, 302, 404]


async def test_a_click_waits_on_disk_while_the_database_is_away(web: Browser, broken_database: None):
    code = await a_followed_link(web)
    broken()
    answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME})
    assert answer.status_code == 302 and len(spool.waiting()) == 1
    mended()
    assert await db.fetch_val("SELECT count(*) FROM click") == 1
    await writer.come_back()
    assert spool.waiting() == [] and await db.fetch_val("SELECT count(*) FROM click") == 2
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count") == 2


async def test_when_neither_database_nor_disk_takes_the_click_nobody_is_sent_on(
    web: Browser, broken_database: None, monkeypatch: pytest.MonkeyPatch
):
    code = await a_followed_link(web)
    broken()

    def full(_records: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(spool, "append", full)
    answer = await web().get(f"/r/{code}", headers={"user-agent": CHROME})
    assert answer.status_code == 503 and "location" not in answer.headers
    mended()
    await writer.come_back()
    await click(web(), code)
    assert await db.fetch_val("SELECT count(*) FROM click") == 2


async def a_followed_link(web: Browser) -> str:
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    await click(web(), code)
    return code


_mend = pytest.MonkeyPatch()


@pytest.fixture
def broken_database() -> Iterator[None]:
    yield
    mended()
    for file in spool.waiting():
        file.unlink()


def broken() -> None:
    async def away(*_: object) -> int:
        raise asyncpg.ConnectionDoesNotExistError("the server went away")

    _mend.setattr(writer.db, "execute", away)
    _mend.setattr(writer.db, "fetch_val", away)


def mended() -> None:
    _mend.undo()


async def test_nobody_brings_themselves_and_a_made_up_click_brings_nobody(web: Browser):
    await a_paying_shop()
    for number, gv in enumerate(("", "x", "0" * 32, "not-a-uuid' OR 1=1", "ffffffff-ffff-ffff-ffff-ffffffffffff"), 1):
        body = {"handle": f"new{number}", "email": f"n{number}@example.org", "password": "correct horse", "gv": gv}
        assert (await web().post("/api/v1/members", json=body)).status_code == 201
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM signup_referral") == 0
    assert await db.fetch_val("SELECT count(*) FROM click_claim") == 0


async def test_a_click_belongs_to_the_first_who_signs_in_with_it(web: Browser):
    from referrals.clicks.service import claim

    mara, bob, eve = await a_member("mara"), await a_member("bob"), await a_member("eve")
    await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    won = await asyncio.gather(*(claim(one.id, gv) for one in (bob, eve, bob, eve)))
    assert sum(won) == 1 and await db.fetch_val("SELECT count(*) FROM click_claim") == 1
