"""QR codes, the places they hang at, and the cards that chats show."""

import io

import pytest
import segno
from PIL import Image

from app import db
from app.db import watch_queries
from referrals.clicks import directory
from referrals.links import qr
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, a_link, a_paying_shop, books_are_right, click, tell
from tests.storefront.shop import order

pytestmark = pytest.mark.anyio

URL = "http://test.example/r/abcdefghj"
PREVIEWS = {
    "wechat": "WeChatShareExtensionNew/8.0.49.33 CFNetwork/1568.200.51 Darwin/24.1.0",
    "whatsapp": "WhatsApp/2.25.1.75 A",
    "line": "facebookexternalhit/1.1;line-poker/1.0",
    "x": "Twitterbot/1.0",
    "xiaohongshu": "discover/9.2 (iPhone; iOS 18.1; Scale/3.00) Resolution/1179*2556 Version/9.2",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "telegram": "TelegramBot (like TwitterBot)",
    "slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
}


def modules_of_png(picture: bytes) -> list[list[bool]]:
    """Dark or light, module by module, as a camera would see it."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    size = segno.make(URL, error="h", micro=False, boost_error=False).symbol_size(border=qr.BORDER)[0]
    unit = image.width / size
    return [
        [image.getpixel((int((x + 0.5) * unit), int((y + 0.5) * unit))) < 128 for x in range(size)] for y in range(size)
    ]


def test_a_png_is_the_code_of_the_url_and_the_mark_covers_less_than_the_level_bears():
    code = segno.make(URL, error="h", micro=False, boost_error=False)
    wanted = [[bool(dark) for dark in row] for row in code.matrix_iter(border=qr.BORDER)]
    assert modules_of_png(qr.draw(URL, "png", "h")) == wanted
    for seen in (qr.draw(URL, "png", "l", logo=True), qr.draw(URL, "png", "l", face=a_red_face())):
        the_mark_is_bearable(code, wanted, modules_of_png(seen))


def the_mark_is_bearable(code: segno.QRCode, wanted: list[list[bool]], seen: list[list[bool]]) -> None:
    off = [(x, y) for y, row in enumerate(wanted) for x, dark in enumerate(row) if seen[y][x] != dark]
    start, side = qr.field_of(code)
    assert off and all(start - 1 < x < start + side and start - 1 < y < start + side for x, y in off)
    # Level H restores 30 % of the words; the mark spoils less than a fifth of that, and no corner or timing line.
    assert len(off) < 0.06 * code.symbol_size(border=0)[0] ** 2


def a_red_face() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


async def test_a_kol_puts_her_own_face_into_her_code_and_it_still_reads(web: Browser):
    mara = await a_member("mara")
    plain = (await web().get("/r/mara/qr.png?level=h")).content
    assert (await web().get("/r/mara/qr.png?level=h&logo=face")).content == plain, "without a picture, none is drawn"
    browser = await sign_in(web(), mara)
    await submit(browser, "/settings/avatar", {}, page="/settings/profile", files={"avatar": ("me.png", a_red_face())})
    png = (await web().get("/r/mara/qr.png?logo=face")).content
    image = Image.open(io.BytesIO(png)).convert("RGB")
    r, g, b = image.getpixel((image.width // 2, image.height // 2))
    assert r > 150 and g < 80 and b < 80
    svg = (await web().get("/r/mara/qr.svg?logo=face")).text
    assert 'href="data:image/jpeg;base64,' in svg and "<script" not in svg
    pdf = (await web().get("/r/mara/qr.pdf?logo=face")).content
    assert pdf.count(b" obj\n") == 5 and b"/DCTDecode" in pdf and b"/Face Do" in pdf


def test_svg_and_pdf_are_pictures_without_anything_that_runs():
    for logo in (False, True):
        svg = qr.draw(URL, "svg", "q", logo).decode()
        assert (svg.startswith("<svg") and svg.endswith("</svg>\n")) or svg.strip().endswith("</svg>")
        assert not any(word in svg for word in ("<script", "style=", "onload", "href"))
        pdf = qr.draw(URL, "pdf", "q", logo)
        assert pdf.startswith(b"%PDF-1.4") and pdf.endswith(b"%%EOF\n") and b"/JS" not in pdf
        start = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
        assert pdf[start:].startswith(b"xref\n0 5\n")
        for number in range(1, 5):
            place = int(pdf[start:].split(b"\n")[2 + number].split()[0])
            assert pdf[place:].startswith(b"%d 0 obj" % number)
        length = int(pdf.split(b"/Length ")[1].split()[0])
        assert pdf.split(b"stream\n", 1)[1][length:].startswith(b"\nendstream")
    dark = sum(map(sum, segno.make(URL, error="q", micro=False, boost_error=False).matrix_iter(border=0)))
    assert qr.draw(URL, "pdf", "q").count(b"1.02 1.02 re") == dark


async def test_each_format_is_served_and_an_unknown_level_or_link_is_not(web: Browser):
    await a_member("mara")
    for kind, media in qr.MEDIA.items():
        got = await web().get(f"/r/mara/qr.{kind}?level=h&logo=1&download=1")
        assert got.status_code == 200 and got.headers["content-type"].startswith(media)
        assert got.headers["content-disposition"] == f'attachment; filename="mara.{kind}"'
    assert (await web().get("/r/mara/qr.svg?level=x")).status_code == 422
    assert (await web().get("/r/nobody-here/qr.svg")).status_code == 404
    assert (await web().get("/r/mara/qr.exe")).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM click") == 0


async def test_a_scan_is_known_by_the_code_that_only_paper_shows(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    link = await a_link(web, mara)
    scan_code = await db.fetch_val("SELECT scan_code FROM link WHERE code = $1", link["code"])
    assert scan_code not in (await web(token=mara.token).get("/api/v1/links")).text
    drawn = segno.make(f"http://test.example/r/{scan_code}", error="q", micro=False, boost_error=False)
    picture = (await web().get(f"/r/{link['code']}/qr.png")).content
    image = Image.open(io.BytesIO(picture)).convert("L")
    unit = image.width / drawn.symbol_size(border=qr.BORDER)[0]
    for y, row in enumerate(drawn.matrix_iter(border=qr.BORDER)):
        assert [image.getpixel((int((x + 0.5) * unit), int((y + 0.5) * unit))) < 128 for x in range(len(row))] == [
            bool(dark) for dark in row
        ]
    await click(web(), link["code"])
    await click(web(), scan_code)
    # Saying so in the address makes no scan.
    await web().get(f"/r/{link['code']}?qr=1&trigger=qr", headers={"user-agent": CHROME})
    came = (await web(token=mara.token).get(f"/api/v1/links/{link['code']}/report")).json()
    assert (came["people"], came["scans"]) == (3, 1)


async def test_what_a_customer_cost_at_each_place(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    shop = await a_paying_shop()
    client = web(token=mara.token)
    codes = []
    for name, cost in (("shelf north", 1001), ("flyer spring", 5000)):
        link = await a_link(web, mara, placement=name)
        codes.append(link["code"])
        place = {"kind": name.split()[0], "location": "Hall 3", "cost": cost, "currency": "USD"}
        assert (await client.patch(f"/api/v1/links/{link['code']}", json={"place": place})).status_code == 200
    scan_code = await db.fetch_val("SELECT scan_code FROM link WHERE code = $1", codes[0])
    for number in range(3):
        gv = await click(web(), scan_code)
        await tell(web, shop, "order.paid", order(f"100{number}", gv=gv))
    await click(web(), codes[1])
    await tell(web, shop, "order.cancelled", {"id": "1002", "currency": "USD", "cancelled_at": "2026-11-22T12:00:00Z"})
    await run_jobs()
    listed = (await client.get("/api/v1/placements")).json()["items"]
    assert [(one["name"], one["clicks"], one["scans"]) for one in listed] == [
        ("flyer spring", 1, 0),
        ("shelf north", 3, 3),
    ]
    assert listed[0]["per_order"] is None and listed[0]["cost"] == {"amount": 5000, "currency": "USD"}
    # Of three orders one was cancelled; 10.01 over two is 5.01, rounded up.
    assert listed[1]["orders"] == 2 and listed[1]["per_order"] == {"amount": 501, "currency": "USD"}
    assert (await web(token=eve.token).get("/api/v1/placements")).json() == {"items": [], "next": None}
    page = (await (await sign_in(web(), mara)).get("/share/placements")).text
    assert "shelf north" in page and "Hall 3" in page and "$50.00" in page
    await books_are_right()


async def test_an_order_that_pays_nothing_is_a_customer_all_the_same(web: Browser):
    mara = await a_member("mara")
    shop = await a_paying_shop(rate_bps=0)
    code = (await a_link(web, mara))["code"]
    await tell(web, shop, "order.paid", order("1001", gv=await click(web(), code)))
    came = (await web(token=mara.token).get(f"/api/v1/links/{code}/report")).json()
    assert came["orders"] == 1


async def test_the_list_of_places_costs_the_same_however_long_it_is(web: Browser):
    mara = await a_member("mara")
    client = web(token=mara.token)
    counts = []
    for number in range(12):
        code = (await a_link(web, mara, f"page:/p/{number}"))["code"]
        await client.patch(f"/api/v1/links/{code}", json={"place": {"kind": "poster"}})
        if number in (0, 11):
            with watch_queries() as asked:
                page = (await client.get("/api/v1/placements?limit=5")).json()
            counts.append(len(asked))
    assert counts[0] == counts[1]
    following = (await client.get(f"/api/v1/placements?limit=100&after={page['next']}")).json()
    assert len(page["items"]) == 5 and len(following["items"]) == 7 and following["next"] is None


@pytest.mark.parametrize("app", PREVIEWS)
async def test_a_chat_that_previews_a_link_sees_its_card_and_is_no_click(web: Browser, app: str):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    card = await web().get(f"/r/{code}", headers={"user-agent": PREVIEWS[app]})
    assert card.status_code == 200 and "location" not in card.headers and "set-cookie" not in card.headers
    assert 'property="og:title" content="Trail pack"' in card.text
    assert "may earn" in card.text and "noindex" in card.headers["x-robots-tag"]
    assert [row["kind"] for row in await db.fetch("SELECT kind FROM click")] == ["preview"]
    (link,) = [
        link for link in (await web(token=mara.token).get("/api/v1/links")).json()["items"] if link["code"] == code
    ]
    assert link["clicks"] == 0 and link["bots"] == 1


async def test_links_are_found_by_a_piece_of_what_one_remembers(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    await a_link(web, mara, "page:/p/50%25_off", placement="Poster 100%")
    await a_link(web, mara, code="pack-alder")
    client = web(token=mara.token)
    for piece, many in (("ALDER", 1), ("100%", 1), ("_", 1), ("north.example", 1), ("nothing", 0), ("\\", 0)):
        found = (await client.get("/api/v1/links", params={"q": piece})).json()["items"]
        assert len(found) == many, piece
    browser = await sign_in(web(), mara)
    shown = (await browser.get("/earn/links?find=alder")).text
    assert "pack-alder" in shown and "Poster 100%" not in shown
    assert "No link of yours holds this" in (await browser.get("/earn/links?find=nothing")).text


async def test_every_page_of_a_link_stands_in_both_languages(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = await sign_in(web(), mara)
    for path in ("", "/edit", "/routes"):
        for lang in ("en", "zh-Hans"):
            shown = await browser.get(f"/share/{code}{path}?lang={lang}")
            assert shown.status_code == 200 and f'lang="{lang}"' in shown.text
            assert "%(" not in shown.text
    stranger = await submit(web(), f"/share/{code}/edit", {}, page="/login")
    assert stranger.status_code in (303, 401)
    directory.forget(code)
