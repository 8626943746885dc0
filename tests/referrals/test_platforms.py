"""The platforms we ask: which addresses are theirs, what is believed of their answers, and what is not."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from app import clock
from app.http import Answer
from app.settings import BadSetting, Settings, load
from referrals.socials.platforms import ask, known
from referrals.socials.platforms.seen import CannotSee, Place, Seen
from tests.referrals.platforms import SETTINGS, World, a_world_outside, host_of, number_of, post_at, profile_at
from tests.storefront.vendors import Said

pytestmark = pytest.mark.anyio
PLATFORMS = ("youtube", "bilibili", "mastodon", "bluesky")
every_platform = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def look(url: str) -> Seen:
    place = known.place_of(url)
    assert place is not None, url
    return await known.look(place)


async def why_not(url: str) -> str:
    with pytest.raises(CannotSee) as blind:
        await look(url)
    return blind.value.why


@every_platform
async def test_a_post_says_whose_it_is_what_it_says_and_what_it_reached(world: World, platform: str):
    world.posts_now("7", "mara", "Up the hill &amp; down" if platform == "mastodon" else "Up the hill & down")
    world.posts["7"].views, world.posts["7"].likes, world.posts["7"].comments = 1_200, 34, 5
    seen = await look(post_at(platform, "mara", "7"))
    ids = {"youtube": "UC-mara", "bilibili": str(number_of("mara")), "bluesky": "did:plc:mara"}
    assert seen.account == ids.get(platform, f"{number_of('mara')}@mastodon.social")
    assert seen.published_at and abs((seen.published_at - world.posts["7"].at).total_seconds()) < 1
    assert "Up the hill & down" in seen.text and "<p>" not in seen.text
    told = {"likes": 34, "comments": 5} | ({"views": 1_200} if platform in ("youtube", "bilibili") else {})
    assert dict(seen.figures) == told and set(told) == set(known.ALL[platform].figures)
    assert seen.source == host_of(platform) and seen.post


@every_platform
async def test_a_profile_says_who_it_is_for_ever_and_what_stands_in_it(world: World, platform: str):
    world.bios["mara"] = "Hikes. gv-abc"
    world.posts_now("7", "mara")
    profile = await look(profile_at(platform, "mara"))
    assert profile.account == (await look(post_at(platform, "mara", "7"))).account
    assert "gv-abc" in profile.text and profile.url.startswith("https://") and not profile.figures
    assert await why_not(profile_at(platform, "nobody")) == "gone"


@every_platform
async def test_what_is_deleted_or_private_is_gone(world: World, platform: str):
    assert await why_not(post_at(platform, "mara", "9")) == "gone"
    world.posts_now("7", "mara")
    world.posts["7"].is_public = False
    assert await why_not(post_at(platform, "mara", "7")) == "gone"


@every_platform
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said({}, 302, {"Location": "http://169.254.169.254/"}), "redirected"),
        (Said({}, 429, {"Retry-After": "120"}), "too_fast"),
        (Said({}, 500), "unreachable"),
        (Said("x" * 50_000_000), "too_large"),
        (Said(msgspec.Raw(b"<html>nothing</html>")), "unreadable"),
        (Said(msgspec.Raw(b"[" * 20_000)), "unreadable"),
        (Said([]), "unreadable"),
    ],
    ids=["redirect", "too fast", "broken", "50 MB", "a page", "a deep one", "a list"],
)
async def test_an_answer_that_is_none_is_not_believed(world: World, platform: str, said: Said, why: str):
    world.posts_now("7", "mara")
    world.trouble[host_of(platform)] = said
    assert await why_not(post_at(platform, "mara", "7")) == why


@every_platform
@pytest.mark.parametrize("number", [-1, 1.5, "many", True, 10**13, msgspec.Raw(b"NaN"), msgspec.Raw(b"1e999")])
async def test_a_figure_that_is_no_number_of_people_is_none(world: World, platform: str, number: object):
    world.posts_now("7", "mara")
    world.posts["7"].likes = number
    assert await why_not(post_at(platform, "mara", "7")) == "unreadable"


@pytest.mark.parametrize("platform", ["bilibili", "mastodon", "bluesky"])
async def test_a_number_as_text_is_believed_of_nobody_but_youtube(world: World, platform: str):
    world.posts_now("7", "mara", likes="34")
    assert await why_not(post_at(platform, "mara", "7")) == "unreadable"
    assert (await look(post_at("youtube", "mara", "7"))).figures["likes"] == 34


async def test_what_youtube_hides_is_left_out_and_its_key_is_in_no_address(world: World):
    world.posts_now("7", "mara", views=3)
    world.posts["7"].likes = world.posts["7"].comments = None
    assert dict((await look(post_at("youtube", "mara", "7"))).figures) == {"views": 3}
    assert SETTINGS.youtube_key not in str([(one.path, one.query) for one in world.asked])
    world.trouble[host_of("youtube")] = Said({"error": {"errors": [{"reason": "quotaExceeded"}]}}, 403)
    assert await why_not(post_at("youtube", "mara", "7")) == "too_fast"


async def test_bilibili_says_in_its_code_that_it_has_enough_of_us(world: World):
    world.trouble[host_of("bilibili")] = Said({"code": -412, "message": "request was banned", "ttl": 1})
    assert await why_not(post_at("bilibili", "mara", "7")) == "too_fast"
    world.trouble[host_of("bilibili")] = Said({"code": 87008, "message": "?", "ttl": 1})
    assert await why_not(post_at("bilibili", "mara", "7")) == "refused"


async def test_a_mastodon_server_is_believed_about_its_own_people_alone(world: World):
    world.posts_now("7", "mara@elsewhere.example", likes=900)
    assert await why_not("https://mastodon.social/@mara/000000000000000007") == "gone"
    assert known.place_of("https://mastodon.social/@mara@elsewhere.example/7") is None
    assert known.place_of("https://my-own-server.example/@mara/7") is None
    with pytest.raises(CannotSee):
        await known.look(Place("mastodon", "post", "127.0.0.1/7"))
    assert world.times_asked("mastodon.social") == 1


async def test_bluesky_is_asked_by_the_did_and_its_writers_own_date_is_not_believed(world: World):
    world.posts_now("3kabc", "mara", likes=2)
    seen = await look("https://bsky.app/profile/mara.bsky.social/post/3kabc")
    assert seen.post == "did:plc:mara/3kabc" == (await look("https://bsky.app/profile/did:plc:mara/post/3kabc")).post
    assert seen.published_at and seen.published_at <= clock.now(), "it says it was written in 2099"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=4", ("youtube", "post", "dQw4w9WgXcQ")),
        ("http://m.youtube.com/shorts/dQw4w9WgXcQ", ("youtube", "post", "dQw4w9WgXcQ")),
        ("https://youtu.be/dQw4w9WgXcQ?si=x", ("youtube", "post", "dQw4w9WgXcQ")),
        ("https://www.youtube.com:443/watch?v=dQw4w9WgXcQ", ("youtube", "post", "dQw4w9WgXcQ")),
        ("https://www.youtube.com./watch?v=dQw4w9WgXcQ%20", ("youtube", "post", "dQw4w9WgXcQ")),
        ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", ("youtube", "post", "dQw4w9WgXcQ")),
        ("https://ｙoutube.com/shorts/dQw4w9WgXcQ", ("youtube", "post", "dQw4w9WgXcQ")),
        ("http://www.youtube.com:443/watch?v=dQw4w9WgXcQ", None),
        ("https://youtu.be/dQw4w9WgXcQ/x", None),
        ("https://www.youtube.com/@%00", None),
        ("https://www.youtube.com/@" + "a" * 400, None),
        ("https://www.youtube.com/@mara/videos", ("youtube", "account", "@mara")),
        ("https://www.youtube.com/watch?v=../../x", None),
        ("https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ", None),
        ("https://user@www.youtube.com/watch?v=dQw4w9WgXcQ", None),
        ("https://www.youtube.com:8443/watch?v=dQw4w9WgXcQ", None),
        ("https://www.bilibili.com/video/BV1xx411c7mD/?p=2", ("bilibili", "post", "BV1xx411c7mD")),
        ("https://www.bilibili.com/video/av170001", ("bilibili", "post", "av170001")),
        ("https://www.bilibili.com/video/av١٢", None),
        ("https://b23.tv/abc", None),
        ("https://mastodon.social/users/mara/statuses/11", ("mastodon", "post", "mastodon.social/11")),
        ("https://mastodon.social/@mara/../../admin", None),
        ("https://bsky.app/profile/mara.example", ("bluesky", "account", "mara.example")),
        ("https://bsky.app/profile/mara.example/post/3k%2F..", None),
        ("https://www.reddit.com/r/hiking/comments/1abc/x/", None),
        ("javascript:alert(1)", None),
        ("https://[", None),
        ("", None),
    ],
)
async def test_an_address_is_of_a_platform_or_of_none(world: World, url: str, place: tuple[str, str, str] | None):
    assert known.place_of(url) == (Place(*place) if place else None)  # type: ignore[arg-type]
    assert world.asked == [], "nobody was asked for it"


@pytest.mark.parametrize(
    "body", [b'{"name":"\xff\xfe"}', b"[" * 200_000 + b"]" * 200_000], ids=["no UTF-8", "a deep one"]
)
async def test_what_bilibili_wraps_is_not_believed_either(monkeypatch: pytest.MonkeyPatch, body: bytes):
    async def fetch(*_args: object, **_more: object) -> Answer:
        return Answer(200, {}, b'{"code":0,"data":' + body + b"}")

    monkeypatch.setattr(ask, "fetch", fetch)
    assert await why_not("https://www.bilibili.com/video/BV1xx411c7mD") == "unreadable"


async def test_a_boost_is_nobodys_own_post(world: World):
    boost = {
        "id": "7", "created_at": f"{clock.now():%Y-%m-%dT%H:%M:%S.000Z}", "visibility": "public", "content": "gv-abc",
        "account": {"id": "1", "acct": "mara", "url": "https://mastodon.social/@mara"}, "favourites_count": 5,
        "replies_count": 0, "reblog": None,
    }  # fmt: skip
    world.trouble["mastodon.social"] = Said(boost)
    assert (await look(post_at("mastodon", "mara", "7"))).figures["likes"] == 5
    world.trouble["mastodon.social"] = Said(boost | {"reblog": {"id": "99", "content": "a star's"}})
    assert await why_not(post_at("mastodon", "mara", "7")) == "gone"


async def test_whom_the_operator_takes_out_is_asked_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch):
    world.posts_now("7", "mara")
    place = known.place_of(post_at("youtube", "mara", "7"))
    assert place and (await known.look(place)).account
    monkeypatch.setattr(known, "settings", lambda: msgspec.structs.replace(SETTINGS, figures_from=()))
    asked = len(world.asked)
    with pytest.raises(CannotSee, match="refused"):
        await known.look(place)
    assert len(world.asked) == asked


async def test_the_operator_says_who_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known, "settings", lambda: Settings(figures_from=("bluesky", "youtube")))
    assert [one.name for one in known.in_use()] == ["bluesky"], "YouTube has no key"
    assert known.place_of("https://www.bilibili.com/video/BV1xx411c7mD") is None
    read = load({"GRAPEVINE_FIGURES_FROM": "-", "GRAPEVINE_MASTODON_HOSTS": "Mas.To, hachyderm.io"})
    assert read.figures_from == () and read.mastodon_hosts == ("mas.to", "hachyderm.io")
    for name, wrong in (("FIGURES_FROM", "myspace"), ("MASTODON_HOSTS", "http://x.example"), ("MASTODON_HOSTS", "x")):
        with pytest.raises(BadSetting):
            load({f"GRAPEVINE_{name}": wrong})
