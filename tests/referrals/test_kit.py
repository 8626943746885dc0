"""Sharing: posters that can be scanned and say what they are, texts that fit, a greeting for whoever comes."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import segno
from PIL import Image

from app import clock, db
from app.errors import Unavailable
from community.media import storage
from referrals.kit import jobs, posters
from referrals.kit.posters import SHAPES
from tests.content.people import say
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop

pytestmark = pytest.mark.anyio

CHINESE = {"Accept-Language": "zh-CN"}


async def fetch(web: Browser, code: str, shape: str = "poster", lang: str = "en", **headers: str):
    if shape == "card":
        return await web().get(f"/r/{code}/card.jpg", params={"in": lang}, headers=headers)
    return await web().get(f"/r/{code}/poster.png", params={"shape": shape, "in": lang}, headers=headers)


async def printed(web: Browser, code: str, shape: str = "poster", lang: str = "en") -> Image.Image:
    answer = await fetch(web, code, shape, lang)
    assert answer.status_code == 200 and answer.headers["content-type"] == (
        "image/jpeg" if shape == "card" else "image/png"
    ), answer.text
    return Image.open(io.BytesIO(answer.content))


def code_on(poster: Image.Image, url: str) -> bool:
    """Whether the poster holds exactly the QR code of an address: each module looked at in its middle."""
    wanted = ["".join("1" if dark else "0" for dark in row) for row in segno.make(url, error="q", micro=False).matrix]
    shown = poster.convert("L").point(lambda light: 0 if light < 40 else 255)
    # The card of the code: black on pure white in the lower right corner.
    area = shown.crop((poster.width // 2 + 100, poster.height - 330, poster.width - 40, poster.height - 10))
    left, top, right, bottom = Image.eval(area, lambda light: 255 - light).getbbox()
    module = (right - left) / len(wanted)
    read = [
        "".join(
            "1" if area.getpixel((int(left + (x + 0.5) * module), int(top + (y + 0.5) * module))) < 128 else "0"
            for x in range(len(wanted))
        )
        for y in range(len(wanted))
    ]
    return right - left == bottom - top and read == wanted


async def a_picture(colour: str = "red") -> str:
    out = io.BytesIO()
    Image.new("RGB", (600, 600), colour).save(out, "WEBP")
    key = f"pictures/{colour}.webp"
    await storage.put(key, out.getvalue())
    return f"/media/{key}"


async def a_shared_pack(web: Browser, handle: str = "mara") -> tuple[Person, dict]:
    mara = await a_member(handle, name="Mara Keller")
    await a_paying_shop()
    await db.execute("UPDATE product SET picture = $1", await a_picture())
    return mara, await a_link(web, mara)


def share_of(picture: Image.Image, colour: tuple[int, int, int], near: int = 24) -> float:
    """How much of a picture is (nearly) of one colour."""
    raw = picture.convert("RGB").resize((90, 120), Image.Resampling.NEAREST).tobytes()
    pixels = list(zip(raw[::3], raw[1::3], raw[2::3], strict=True))
    return sum(all(abs(a - b) <= near for a, b in zip(pixel, colour, strict=True)) for pixel in pixels) / len(pixels)


async def test_a_poster_shows_the_picture_and_a_code_that_leads_to_the_link(web: Browser):
    _mara, link = await a_shared_pack(web)
    scan = await db.fetch_val("SELECT coalesce(scan_code, code) FROM link WHERE code = $1", link["code"])
    for shape, (width, height, is_scanned) in SHAPES.items():
        poster = await printed(web, link["code"], shape)
        assert poster.size == (width, height)
        assert share_of(poster, (254, 0, 0)) > 0.1, f"the product's picture on {shape}"
        if is_scanned:
            assert code_on(poster, f"http://test.example/r/{scan}"), shape
    assert await db.fetch_val("SELECT count(*) FROM click") == 0


async def test_the_face_of_whoever_shares_is_on_it_or_their_initials(web: Browser):
    _mara, link = await a_shared_pack(web)
    foot = (50, 1140, 160, 1250)
    initials = (await printed(web, link["code"])).crop(foot)
    await a_picture("blue")
    await db.execute("UPDATE member SET avatar_key = 'pictures/blue.webp'")
    face = (await printed(web, link["code"])).crop(foot)
    assert share_of(face, (0, 0, 254)) > 0.4 > 0.01 > share_of(initials, (0, 0, 254))
    assert share_of(initials, (255, 253, 252)) > 0.02


async def test_everything_that_can_be_shared_has_a_poster(web: Browser):
    mara, _link = await a_shared_pack(web)
    await run_jobs()
    group = await a_group(mara, name="Tea table")
    client = web(token=mara.token)
    topic = await client.post(
        f"/api/v1/groups/{group}/topics", json={"title": "Which cup?", "body": "The blue one?", "kind": "discussion"}
    )
    review_id = await say(mara, "trail-pack", 2, "The zip sticks.")
    room = (await client.get(f"/api/v1/groups/{group}")).json()["room_id"]
    guide = {"title": "Packs", "summary": "Tried.", "lang": "en", "source": "[[product:trail-pack]]\nGood."}
    await submit(await sign_in(web(), mara), "/guides/new", guide)
    for target, title, quote in (
        (f"topic:{topic.json()['id']}", "Which cup?", "The blue one?"),
        (f"group:{group}", "Tea table", "A place."),
        (f"room:{room}", "Tea table", "A place."),
        (f"review:{review_id}", "Trail pack", "The zip sticks."),
        ("guide:packs", "Packs", "Tried."),
        ("page:/p/", "Come and talk about what you buy", "Word of mouth, credited."),
        ("https://north.example/sale", "North", "Word of mouth, credited."),
    ):
        code = (await a_link(web, mara, target))["code"]
        row = await db.fetch_one("SELECT * FROM link WHERE code = $1", code)
        sheet = await posters.sheet_of(row, "poster", "en")
        assert (sheet.title, sheet.quote) == (title, quote), target
        assert (await printed(web, code)).size == (1080, 1440)
    assert (await printed(web, "mara")).size == (1080, 1440), "the personal link, made when she joined"


async def test_a_house_without_built_letters_still_prints(
    web: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    _mara, link = await a_shared_pack(web)
    monkeypatch.setattr(posters, "LETTERS", tmp_path)
    assert (await printed(web, link["code"], lang="zh-Hans")).size == (1080, 1440)


async def test_a_poster_without_a_label_cannot_be_printed(web: Browser):
    _mara, link = await a_shared_pack(web)
    row = await db.fetch_one("SELECT * FROM link WHERE code = $1", link["code"])
    for shape in SHAPES:
        sheet = await posters.sheet_of(row, shape, "en")
        assert (sheet.mark, sheet.disclosure) == ("#ad", "I may earn from this link.")
        for bare in ({"mark": ""}, {"mark": "  "}, {"disclosure": ""}):
            with pytest.raises(Unavailable):
                await posters._print(msgspec.structs.replace(sheet, **bare))
    assert (await posters.sheet_of(row, "poster", "zh-Hans")).mark == "广告 #ad"


async def test_the_label_is_really_on_the_picture(web: Browser):
    """The grape pill with the label lies on the picture's corner: another label, another picture."""
    _mara, link = await a_shared_pack(web)
    corner = (60, 60, 340, 160)
    english = (await printed(web, link["code"])).crop(corner)
    chinese = (await printed(web, link["code"], lang="zh-Hans")).crop(corner)
    for shown in (english, chinese):
        assert share_of(shown, (109, 42, 99)) > 0.1 and share_of(shown, (255, 253, 252), 40) > 0.02
    assert english.tobytes() != chinese.tobytes()


async def test_the_price_is_todays_and_a_poster_is_printed_once(web: Browser, monkeypatch: pytest.MonkeyPatch):
    _mara, link = await a_shared_pack(web)
    prints: list[str] = []
    press = posters._print

    async def counted(sheet: posters.Sheet) -> bytes:
        prints.append(sheet.price)
        return await press(sheet)

    monkeypatch.setattr(posters, "_print", counted)
    first = await fetch(web, link["code"])
    assert (await fetch(web, link["code"])).content == first.content and prints == ["$129.00"]
    known = await fetch(web, link["code"], **{"If-None-Match": first.headers["etag"]})
    assert known.status_code == 304 and known.content == b""
    await db.execute("UPDATE product SET price = 9900")
    changed = await fetch(web, link["code"], **{"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200 and prints == ["$129.00", "$99.00"] and changed.content != first.content
    (row,) = await db.fetch("SELECT digest FROM poster")
    with pytest.raises(Exception, match=r".*"):
        await storage.get(f"posters/{first.headers['etag'].strip(chr(34))}.png")
    assert await storage.get(f"posters/{row['digest']}.png") == changed.content


async def test_a_poster_lost_from_the_storage_is_printed_again(web: Browser):
    _mara, link = await a_shared_pack(web)
    before = await fetch(web, link["code"])
    await storage.forget(f"posters/{await db.fetch_val('SELECT digest FROM poster')}.png")
    again = await fetch(web, link["code"])
    assert again.status_code == 200 and again.content == before.content


async def test_many_who_look_at_once_get_the_same_picture_and_cause_one_print(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    _mara, link = await a_shared_pack(web)
    prints: list[str] = []
    press = posters._ask

    async def counted(order: bytes) -> bytes | None:
        prints.append("one")
        return await press(order)

    monkeypatch.setattr(posters, "_ask", counted)
    answers = await asyncio.gather(*(fetch(web, link["code"]) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200} and len({answer.content for answer in answers}) == 1
    assert prints == ["one"]
    assert await db.fetch_val("SELECT count(*) FROM poster") == 1


@pytest.mark.parametrize(
    "title",
    [
        "山径 28 升徒步背包：轻量、防水、背负舒适，三季露营与长线穿越都够用（2026 新款）Ultralight Edition " * 4,
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenbandknopf" * 3,
        "🎒😀👨‍👩‍👧‍👦",
        "ไทย العربية עברית Ελληνικά Кириллица",
        "\u202etrick\x00",
        "a",
    ],
)
async def test_any_title_finds_its_place(web: Browser, title: str):
    _mara, link = await a_shared_pack(web)
    await db.execute("UPDATE product SET title = $1", title.replace("\x00", ""))
    await db.execute("UPDATE member SET name = $1", title.replace("\x00", "")[:60])
    for shape in ("poster", "square", "card"):
        await printed(web, link["code"], shape, "zh-Hans")


async def test_a_broken_picture_leaves_its_place_to_words(web: Browser):
    _mara, link = await a_shared_pack(web)
    await storage.put("pictures/broken.webp", b"RIFF????WEBPnonsense")
    for picture in (
        "/media/pictures/broken.webp",
        "/media/pictures/gone.webp",
        "https://evil.example/x.png",
        "/media/../x",
    ):
        await db.execute("UPDATE product SET picture = $1", picture)
        assert (await printed(web, link["code"])).size == (1080, 1440)


async def test_what_a_stranger_may_not_read_has_no_poster_and_no_greeting(web: Browser):
    mara = await a_member("mara")
    slug = await a_group(mara, visibility="secret", name="Wine cellar heist")
    topic = await web(token=mara.token).post(
        f"/api/v1/groups/{slug}/topics", json={"title": "The plan", "body": "At noon.", "kind": "discussion"}
    )
    for target in (f"topic:{topic.json()['id']}", f"group:{slug}"):
        code = (await a_link(web, mara, target))["code"]
        for path in (f"/r/{code}/poster.png", f"/r/{code}/card.jpg", f"/hi/{code}"):
            answer = await web().get(path)
            assert answer.status_code == 404 and "heist" not in answer.text and "plan" not in answer.text
        told = await (await sign_in(web(), mara)).get(f"/share/{code}/kit", headers={"Accept-Language": "en"})
        assert told.status_code == 404 and "Not everybody may see this" in told.text
    open_group = await a_group(mara, name="Tea table")
    code = (await a_link(web, mara, f"group:{open_group}"))["code"]
    assert (await fetch(web, code)).status_code == 200 and "Tea table" in (await web().get(f"/hi/{code}")).text


async def test_closed_and_unknown_links_have_none_either(web: Browser):
    mara, link = await a_shared_pack(web)
    await web(token=mara.token).delete(f"/api/v1/links/{link['code']}")
    for path in (f"/r/{link['code']}/poster.png", f"/hi/{link['code']}"):
        assert (await web().get(path)).status_code == 410
    for path in (
        "/r/nothing/poster.png",
        "/hi/nothing",
        "/hi/..%2f",
        "/r/mara/poster.png?shape=huge",
        "/r/mara/poster.png?in=xx",
    ):
        assert (await web().get(path)).status_code == 404, path


async def test_what_is_behind_a_password_is_on_no_poster(web: Browser):
    _mara, link = await a_shared_pack(web)
    open_one = (await fetch(web, link["code"])).content
    await db.execute("UPDATE link SET password_hash = 'x' WHERE code = $1", link["code"])
    greeting = (await web().get(f"/hi/{link['code']}")).text
    assert "Trail pack" not in greeting and "$129.00" not in greeting
    locked = await fetch(web, link["code"])
    assert locked.status_code == 200 and locked.content != open_one
    assert share_of(Image.open(io.BytesIO(locked.content)), (254, 0, 0)) < 0.01


async def test_one_visitor_cannot_keep_the_press_busy(web: Browser):
    _mara, _link = await a_shared_pack(web)
    link_id = await db.fetch_val("SELECT id FROM link WHERE target_kind = 'product'")
    asked = 0
    for number in range(70):
        await db.execute("UPDATE product SET price = $1", 1000 + number)
        code = await db.fetch_val("SELECT code FROM link WHERE id = $1", link_id)
        answer = await fetch(web, code, "card")
        if answer.status_code == 429:
            break
        asked += 1
    assert asked == 60 and int(answer.headers["retry-after"]) > 0


async def test_a_person_who_left_is_on_no_poster(web: Browser):
    from app.people import erase

    _mara, link = await a_shared_pack(web)
    await fetch(web, link["code"])
    digest = await db.fetch_val("SELECT digest FROM poster")
    await erase("mara")
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM poster") == 0
    assert not await is_kept(digest)


async def test_a_poster_nobody_wants_any_more_is_thrown_away(web: Browser):
    _mara, link = await a_shared_pack(web)
    await fetch(web, link["code"])
    digest = await db.fetch_val("SELECT digest FROM poster")
    clock.travel(timedelta(days=29))
    await jobs.take_down_old_posters()
    assert await is_kept(digest)
    clock.travel(timedelta(days=2))
    await jobs.take_down_old_posters()
    assert not await is_kept(digest)
    assert (await fetch(web, link["code"])).status_code == 200


async def is_kept(digest: str) -> bool:
    from app.errors import NotFound

    try:
        return bool(await storage.get(f"posters/{digest}.png"))
    except NotFound:
        return False
