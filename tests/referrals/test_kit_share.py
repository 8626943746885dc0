"""The share kit: a text for every place within its limit, always labelled, and a greeting for whoever comes."""

import re
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import db, i18n
from app.db import watch_queries
from app.disclosure import MARKETS, mark
from app.money import Money
from referrals.kit.channels import CHANNELS, text_for
from referrals.kit.subjects import Offer, Subject
from referrals.programs.terms import Friend, Terms, as_json
from tests.factories import Browser, a_member, sign_in
from tests.frontend.test_disclosure import earning_links
from tests.referrals.cast import a_link, a_paying_shop, click

pytestmark = pytest.mark.anyio

CHINESE = {"Accept-Language": "zh-CN"}
ENGLISH = {"Accept-Language": "en"}
NONE = Offer()
URL = "https://community.example/r/k7m2p9x"


def texts(subject: Subject, offer: Offer = NONE, lang: str = "en", market: str = "") -> dict[str, str]:
    with i18n.speaking(lang):
        return {
            channel.name: text_for(
                channel,
                subject,
                offer,
                label=mark(lang, market),
                url=URL,
                code="k7m2p9x",
                where="community.example/hi",
            ).text
            for channel in CHANNELS
        }


def weight_on_x(text: str) -> int:
    """X's own rule, written again: any address counts 23, signs outside the Latin ranges count two."""
    count = 0
    for word in re.split(r"(https?://\S+)", text):
        count += (
            23
            if word.startswith("http")
            else sum(
                1 if ord(c) <= 4351 or 8192 <= ord(c) <= 8205 or 8208 <= ord(c) <= 8223 or 8242 <= ord(c) <= 8247 else 2
                for c in word
            )
        )
    return count


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=400),
    st.sampled_from(["en", "zh-Hans"]),
    st.sampled_from(["", *MARKETS]),
    st.booleans(),
    st.tuples(st.text(max_size=60), st.text(max_size=60)),
)
def test_every_text_begins_with_its_label_and_fits_its_channel(title, lang, market, has_gift, tags):
    offer = Offer(market, Friend("percent", rate_bps=1000), "USD") if has_gift else Offer(market)
    made = texts(Subject(title, price=Money(12_900, "USD"), tags=tags), offer, lang, market)
    label = mark(lang, market)
    limits = {"weibo": 140, "wechat": 200, "xiaohongshu": 1000, "line": 500, "whatsapp": 700}
    for name, text in made.items():
        assert text.startswith(f"{label} "), name
        assert "获得收入" in text if lang == "zh-Hans" else "I may earn" in text, name
        assert len(text) <= limits.get(name, 2000), name
        assert (URL in text) == (name not in ("wechat", "xiaohongshu")), name
        assert "k7m2p9x" in text, "where no link may be there is a code to type"
    assert weight_on_x(made["x"]) <= 280


def test_hashtags_are_written_as_each_place_wants_them():
    made = texts(Subject("Trail pack", tags=("North Peak", "背包/登山")))
    assert "#NorthPeak# #背包登山#" in made["weibo"] and "#NorthPeak #背包登山" in made["xiaohongshu"]
    assert "#NorthPeak" in made["x"] and "登山" not in made["x"] and "#North" not in made["email"]


async def test_the_kit_has_pictures_texts_and_ways_that_work_without_scripts(web: Browser):
    mara = await a_member("mara", name="Mara Keller")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = await sign_in(web(), mara)
    assert f'href="/share/{code}/kit"' in (await browser.get(f"/share/{code}", headers=ENGLISH)).text
    html = (await browser.get(f"/share/{code}/kit", headers=ENGLISH)).text
    saves = re.findall(r'<a class="button" href="([^"]+)" download="([^"]+)">', html)
    assert len(saves) == 4
    for address, name in saves:
        answer = await web().get(unescape(address))
        assert answer.headers["content-type"] == "image/png" and name.startswith(code)
    assert html.count("<textarea readonly") == len(CHANNELS) and html.count("#ad Trail pack $129.00") >= 8
    ways = {
        urlsplit(unescape(way)).netloc or "mail": unescape(way)
        for way in re.findall(r'<a class="button main" href="([^"]+)"', html)
    }
    assert set(ways) == {"service.weibo.com", "x.com", "wa.me", "social-plugins.line.me", "mail"}
    assert f"http://test.example/r/{code}" in parse_qs(urlsplit(ways["x.com"]).query)["text"][0]
    assert parse_qs(urlsplit(ways["service.weibo.com"]).query)["url"] == [f"http://test.example/r/{code}"]
    assert unquote(ways["mail"]).startswith("mailto:?subject=#ad Trail pack&body=#ad Trail pack $129.00\n")
    assert earning_links(html)


async def test_language_and_market_of_the_readers_choose_the_label(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop(currency="CNY")
    code = (await a_link(web, mara))["code"]
    client = web(token=mara.token)
    told = {
        (lang, market): (await client.get(f"/api/v1/links/{code}/kit?language={lang}&market={market}")).json()
        for lang, market in (("en", ""), ("zh-Hans", ""), ("en", "DE"), ("zh-Hans", "US"), ("xx", "yy"))
    }
    assert [kit["label"] for kit in told.values()] == ["#ad 广告", "广告", "#ad Anzeige", "广告 #ad", "#ad 广告"]
    assert all(text["text"].startswith(kit["label"]) for kit in told.values() for text in kit["texts"])
    assert told["zh-Hans", ""]["disclosure"] != told["en", ""]["disclosure"]
    assert all(poster["url"].endswith("in=zh-Hans") for poster in told["zh-Hans", ""]["posters"])
    looked = await (await sign_in(web(), mara)).get(f"/share/{code}/kit?in=zh-Hans&market=DE")
    assert "gv_lang" not in looked.headers.get("set-cookie", ""), "their language is not that of whoever shares"


async def test_a_kit_is_its_owners_alone(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert (await web(token=eve.token).get(f"/api/v1/links/{code}/kit")).status_code == 404
    assert (await web().get(f"/api/v1/links/{code}/kit")).status_code == 401
    assert (await (await sign_in(web(), eve)).get(f"/share/{code}/kit")).status_code == 404
    await web(token=mara.token).delete(f"/api/v1/links/{code}")
    assert (await web(token=mara.token).get(f"/api/v1/links/{code}/kit")).status_code == 410


async def test_a_greeting_says_who_what_and_what_one_gets(web: Browser):
    mara = await a_member("mara", name="Mara Keller")
    await a_paying_shop()
    link = await a_link(web, mara)
    page = await web().get(f"/hi/{link['code']}", headers=ENGLISH)
    assert page.headers["x-robots-tag"] == "noindex" and '<meta name="robots" content="noindex">' in page.text
    for said in ("Mara Keller tells you about this", "Trail pack", "$129.00", "at North", "may earn from this link"):
        assert said in page.text
    (way,) = earning_links(page.text)
    assert way["href"] == f"/r/{link['code']}"
    assert f"/r/{link['code']}/card.jpg?in=en" in unescape(page.text)
    assert "gives you" not in page.text and await db.fetch_val("SELECT count(*) FROM click") == 0
    assert "set-cookie" not in page.headers
    for friend, gift in (
        (Friend("percent", rate_bps=1000), "Mara Keller gives you 10%"),
        (Friend("flat", amount=500), "Mara Keller gives you $5.00"),
    ):
        await db.execute(
            "INSERT INTO program_version"
            " (program_id, version, rate_bps, hold_days, window_days, model, terms, published_at)"
            " SELECT program_id, max(version) + 1, 1000, 14, 30, 'last', $1, now() - interval '1 second'"
            " FROM program_version GROUP BY 1",
            as_json(Terms(currency="USD", friend=friend)),
        )
        page = await web().get(f"/hi/{link['code']}", headers=ENGLISH)
        assert f"<h1>{gift}</h1>" in page.text and f'og:title" content="{gift}"' in page.text
    kit = (await web(token=mara.token).get(f"/api/v1/links/{link['code']}/kit")).json()
    assert "You get $5.00 back" in next(text["text"] for text in kit["texts"] if text["channel"] == "whatsapp")
    chinese = (await web().get(f"/hi/{link['code']}", headers=CHINESE)).text
    assert "广告" in chinese and "gives you" not in chinese
    assert await click(web(), link["code"])


async def test_a_code_that_was_told_is_typed_and_leads_on(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert 'name="code"' in (await web().get("/hi")).text
    answer = await web().get(f"/hi?code=%20{code.upper()}%20")
    assert answer.status_code == 303 and answer.headers["location"] == f"/hi/{code}"
    for wrong in ("//evil.example", "<script>", "a b", "x" * 61, "é"):
        answer = await web().get("/hi", params={"code": wrong})
        assert answer.status_code == 200 and "location" not in answer.headers and "<script>alert" not in answer.text


async def test_guessing_codes_soon_ends_but_a_crowd_at_one_poster_is_welcome(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    stranger = web()
    crowd = [(await stranger.get(f"/hi/{code}")).status_code for _ in range(80)]
    assert set(crowd) == {200}
    answers = [(await stranger.get(f"/hi/guess{number}")).status_code for number in range(62)]
    assert answers[:60] == [404] * 60 and answers[60:] == [429, 429]


async def test_the_greeting_costs_the_same_whatever_it_shows(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    with watch_queries() as queries:
        await web().get(f"/hi/{code}")
    assert len(queries) <= 5
