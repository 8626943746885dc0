"""What a post handed in for a bounty reaches is fetched by us, by and by, and judged by it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app import clock, db, people
from app.errors import Invalid
from referrals.bounties import keeping, odd, service, watching
from referrals.bounties.schemas import NewSubmission
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.platforms import World, a_world_outside, host_of, post_at
from tests.referrals.test_bounties import ADMIN, offered
from tests.referrals.test_platforms import every_platform
from tests.referrals.test_socials import proven
from tests.storefront.vendors import Said

pytestmark = pytest.mark.anyio
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def films(web: Browser, **more: str):
    """Ona's shop pays for films that 1,000 people see; her browser, and the bounty."""
    owner, browser, bounty = await offered(web, **{"metric": "views", "least": "1000", "most_awards": "3", **more})
    return owner, browser, bounty


async def a_filmer(world: World, handle: str = "kol", platform: str = "youtube") -> Person:
    kol = await a_member(handle)
    await proven(world, kol, platform)
    return kol


async def hand_in(person: Person, bounty: int, post: str = "7", who: str = "", platform: str = "youtube") -> int:
    url = post_at(platform, who or person.handle, post)
    made = await service.hand_in(person.viewer, bounty, NewSubmission(url))
    await run_jobs()
    return made


async def later(by: timedelta) -> int:
    clock.travel(by)
    return await watching.look_at_due()


async def work(submission: int):
    row = await db.fetch_one(
        """SELECT x.state AS work, x.reach, x.reason, w.* FROM bounty_submission x
             LEFT JOIN bounty_watch w ON w.submission_id = x.id WHERE x.id = $1""",
        submission,
    )
    assert row is not None
    return row


async def test_the_figure_comes_by_itself_until_it_is_reached_and_a_person_approves(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web)
    kol = await a_member("kol")
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    world.posts_now("7", "kol", views=400)
    film = {"proof_url": post_at("youtube", "kol", "7"), "reach": ""}
    refused = await submit(as_kol, page, film)
    assert refused.status_code == 422 and "Prove first that your account on YouTube is yours." in refused.text
    await proven(world, kol)
    asked = len(world.asked)
    assert (await submit(as_kol, page, film | {"reach": "99999"})).status_code == 303
    assert len(world.asked) == asked, "a request asks nobody"
    assert "We have not seen its figure yet." in (await as_kol.get(page)).text
    await run_jobs()
    shown = (await as_kol.get(page)).text
    assert "<b>400</b> / 1,000" in shown and "From YouTube, seen <time" in shown, "their own word does not count"
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert "Approve and pay" not in (await as_ona.get(ADMIN)).text
    early = await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)
    assert early.status_code == 409 and "1,000" in early.text
    assert await later(HOUR / 2) == 0 and await later(HOUR / 2 + timedelta(minutes=1)) == 1, "after an hour"
    world.posts["7"].views = 1_180
    assert await later(HOUR) == 0 and await later(DAY) == 1, "then every day"
    await run_jobs()
    assert "Reached" in (await as_ona.get(ADMIN)).text
    assert "reached what you asked for" in (await as_ona.get("/notifications")).text
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    assert await standing(kol) == {("pending", "USD"): 15_000}
    world.posts["7"].views = 5_000
    await later(DAY + HOUR)
    assert (await work(submission))["figure"] == 5_000 and (await work(submission))["reach"] == 1_180, "as approved"
    figures = (await web(token=kol.token).get(f"/api/v1/earn/bounties/submissions/{submission}/figures?limit=3")).json()
    assert [one["figure"] for one in figures["items"]] == [5_000, 1_180, 400] and figures["next"]
    assert {one["source"] for one in figures["items"]} == {"www.googleapis.com"}
    stranger = await a_member("sam")
    closed = await web(token=stranger.token).get(f"/api/v1/earn/bounties/submissions/{submission}/figures")
    assert closed.status_code == 404
    await books_are_right()


@every_platform
async def test_on_every_platform_that_shows_it(web: Browser, world: World, platform: str):
    _ona, _as_ona, bounty = await films(web, metric="likes", least="10")
    kol = await a_filmer(world, "kol", platform)
    world.posts_now("7", "kol", likes=12)
    submission = await hand_in(kol, bounty, platform=platform)
    row = await work(submission)
    assert (row["work"], row["state"], row["figure"], row["platform"]) == ("waiting", "watched", 12, platform)


async def test_what_we_cannot_ask_for_stays_told_with_proof(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world, platform="mastodon")
    with pytest.raises(Invalid, match="1,000"):
        await service.hand_in(kol.viewer, bounty, NewSubmission("https://films.example/42", reach=999))
    # Mastodon tells nobody how often a post was seen.
    url = post_at("mastodon", "kol", "7")
    made = await service.hand_in(kol.viewer, bounty, NewSubmission(url, reach=1_000))
    assert (await work(made))["id"] is None and (await work(made))["reach"] == 1_000


@pytest.mark.parametrize(
    "url",
    [
        "https://youtu.be/dQw4w9WgXcQ/x",
        "https://www.youtube.com/@kol",
        "https://gaming.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://b23.tv/abc",
        "https://space.bilibili.com/1/video",
    ],
)
async def test_what_we_can_ask_for_is_not_taken_as_told_however_it_is_written(web: Browser, world: World, url: str):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    with pytest.raises(Invalid, match="address of the post itself"):
        await service.hand_in(kol.viewer, bounty, NewSubmission(url, reach=9_999_999))
    assert await db.fetch_val("SELECT count(*) FROM bounty_submission") == 0


async def test_an_address_spelled_otherwise_is_fetched_all_the_same(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=30)
    url = "https://www.youtube.com.:443/watch?v=00000000007%20"
    made = await service.hand_in(kol.viewer, bounty, NewSubmission(url, reach=9_999_999))
    await run_jobs()
    assert ((await work(made))["figure"], (await work(made))["reach"]) == (30, 30)


async def test_a_strangers_film_an_old_one_and_one_that_is_not_there_are_declined_and_why(web: Browser, world: World):
    world.posts_now("8", "kol", views=9_999)
    clock.travel(DAY)
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "somebody", views=2_000_000)
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    for post, words in (
        ("7", "not by a channel that was proven"),
        ("8", "before the bounty was offered"),
        ("9", "not there, or not public"),
    ):
        row = await work(await hand_in(kol, bounty, post))
        assert (row["work"], row["state"], row["reach"]) == ("declined", "refused", 0), post
        assert words in (await as_kol.get(page)).text
    assert "what you handed in was declined" in (await as_kol.get("/notifications")).text
    assert await standing(kol) == {}
    world.posts_now("6", "kol", views=1_000)
    assert (await work(await hand_in(kol, bounty, "6")))["state"] == "watched", "and may come again, better"


async def test_a_post_counts_once_for_a_store_even_when_it_comes_twice_at_once(web: Browser, world: World):
    _ona, as_ona, first = await films(web)
    day = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    other = {"title": "Likes", "brief": "Thirty likes, please.", "amount": "20", "currency": "USD", "closes_on": day}
    assert (await submit(as_ona, ADMIN, other | {"metric": "likes", "least": "1"})).status_code == 303
    second = await db.fetch_val("SELECT max(id) FROM bounty")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=1_000, likes=30)
    urls = (post_at("youtube", "kol", "7"), "https://www.youtube.com/watch?v=00000000007&feature=share")
    for bounty, url in zip((first, second), urls, strict=True):
        await service.hand_in(kol.viewer, bounty, NewSubmission(url))
    watches = [row["id"] for row in await db.fetch("SELECT id FROM bounty_watch ORDER BY id")]
    await asyncio.gather(*(watching.look_at(one) for one in watches))
    states = sorted([(row["state"], row["why"]) for row in await db.fetch("SELECT state, why FROM bounty_watch")])
    assert states == [("refused", "taken"), ("watched", "")]
    # Declined, it is free again.
    kept = await db.fetch_one(
        "SELECT x.* FROM bounty_submission x JOIN bounty_watch w ON w.submission_id = x.id WHERE w.state = 'watched'"
    )
    assert kept is not None
    door = f"{ADMIN}/submissions/{kept['id']}"
    assert (await submit(as_ona, door, {"verdict": "declined", "reason": "No."}, page=ADMIN)).status_code == 303
    assert (await work(await hand_in(kol, second if kept["bounty_id"] == first else first)))["state"] == "watched"


async def test_a_look_that_sees_nothing_loses_nothing_and_comes_less_often(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=700)
    submission = await hand_in(kol, bounty)
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    world.trouble[host_of("youtube")] = Said({}, 429, {"Retry-After": "18000"})
    await later(HOUR)
    row = await work(submission)
    assert (row["figure"], row["why"], row["failures"]) == (700, "too_fast", 1)
    assert row["next_at"] > clock.now() + 4 * HOUR, "they said five hours"
    shown = (await as_kol.get(page)).text
    assert "<b>700</b> / 1,000" in shown and "asked us to come later" in shown
    world.trouble[host_of("youtube")] = Said("x" * 50_000_000)
    waits = []
    for _time in range(7):
        await later(2 * DAY)
        row = await work(submission)
        waits.append(row["next_at"] - clock.now())
    assert row["figure"] == 700 and row["why"] == "too_large" and row["failures"] == 8
    assert [round(wait / HOUR) for wait in waits] == [2, 4, 8, 16, 24, 24, 24], "never less often than daily"
    del world.trouble[host_of("youtube")]
    world.posts["7"].is_public = False
    await later(2 * DAY)
    assert (await work(submission))["why"] == "gone" and (await work(submission))["figure"] == 700
    world.posts["7"].is_public, world.posts["7"].views = True, 800
    await later(2 * DAY)
    row = await work(submission)
    assert (row["figure"], row["why"], row["failures"]) == (800, "", 0)


async def test_when_its_time_is_over_we_look_once_more_and_a_person_decides(web: Browser, world: World):
    ona, _as_ona, bounty = await films(web)
    kol, blind = await a_filmer(world), await a_filmer(world, "blind")
    world.posts_now("7", "kol", views=700)
    submission = await hand_in(kol, bounty)
    world.posts["7"].views = 990
    closes = await db.fetch_val("SELECT closes_at FROM bounty")
    clock.travel(closes - clock.now() - DAY / 2)
    await watching.look_at_due()
    assert (await work(submission))["next_at"] == closes and (await work(submission))["figure"] == 990
    world.trouble[host_of("youtube")] = Said({}, 500)
    never_seen = await hand_in(blind, bounty, "8")
    for _time in range(3):
        await later(2 * DAY)
    assert (await work(submission))["state"] == (await work(never_seen))["state"] == "ended"
    as_ona = await sign_in(web(), ona)
    shown = (await as_ona.get(ADMIN)).text
    assert "We could never look at this post" in shown and "Nobody looks any more" in shown
    assert await later(DAY) == 0
    for one in (submission, never_seen):
        answer = await submit(as_ona, f"{ADMIN}/submissions/{one}", {"verdict": "approved"}, page=ADMIN)
        assert answer.status_code == 303
    assert await standing(kol) == {("pending", "USD"): 15_000}
    await books_are_right()


async def test_the_shop_sees_what_fell_what_jumped_and_what_was_changed(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", "Our hike. #ad", views=120)
    submission = await hand_in(kol, bounty)
    world.posts["7"].views = 90_000
    await later(HOUR)
    world.posts["7"].views, world.posts["7"].text = 61_000, "Our hike."
    await later(DAY)
    shown = (await as_ona.get(ADMIN)).text
    assert "from 120 to 90,000" in shown and "it was 90,000 at most" in shown and "Its words changed" in shown
    mine = (await (await sign_in(web(), kol)).get(f"/earn/bounties/{bounty}")).text
    assert "it was 90,000 at most" in mine and "A person has to look at that" in mine
    told = (await web(token=kol.token).get(f"/api/v1/earn/bounties/{bounty}")).json()["mine"]["watch"]
    assert told["jump"] == {"before": 120, "after": 90_000, "at": told["jump"]["at"]} and told["top"] == 90_000
    # Approved, it is still looked at: what is changed afterwards is seen too.
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    world.posts["7"].is_public = False
    await later(DAY)
    assert "not there, or not public" in (await as_ona.get(ADMIN)).text


@pytest.mark.parametrize(
    ("before", "after", "hours", "age", "times", "least", "is_sudden"),
    [
        (120, 90_000, 1, 2, 10, 0, True),
        (120, 90_000, 1, 2, 0, 0, False),  # the shop does not want to be told
        (300, 3_000, 1, 0, 10, 0, False),  # handed in as soon as it was there
        (300, 3_500, 1, 0, 10, 0, True),
        (0, 1_000, 1, 1, 10, 0, False),  # a film nobody saw yet may well
        (0, 1_001, 1, 1, 10, 0, True),
        (0, 250, 1, 1, 10, 1_000, False),  # a quarter of what is paid for
        (0, 1_000, 1, 1, 10, 1_000, True),
        (0, 10, 1, 1, 10, 10, False),  # of so few nobody can say
        (0, 1_000, 1, 1, 10, 1_000_000, False),
        (0, 1_000, 1, 1, 0, 1_000, False),
        (10_000, 30_000, 24, 48, 10, 0, False),  # four times as fast
        (10_000, 70_000, 24, 240, 10, 0, True),  # sixty times
        (90_000, 61_000, 24, 48, 10, 0, False),
    ],
)
def test_a_jump_is_faster_than_before_by_so_many_times(before, after, hours, age, times, least, is_sudden):
    span, lived = hours * 3600, age * 3600
    assert odd.is_jump(before, after, seconds=span, age=lived, times=times, least=least) is is_sudden


async def test_an_offer_that_pays_by_itself_does_as_often_as_it_said(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, awards_itself="on", most_awards="1")
    kol, second = await a_filmer(world), await a_filmer(world, "second")
    world.posts_now("7", "kol", views=999)
    world.posts_now("8", "second", views=3_000)
    submission = await hand_in(kol, bounty)
    assert await standing(kol) == {}
    late = await service.hand_in(second.viewer, bounty, NewSubmission(post_at("youtube", "second", "8")))
    world.posts["7"].views = 1_000
    clock.travel(HOUR)
    watch = (await work(submission))["id"]
    # Two workers at once, and the first of the other member's: one award was offered.
    await asyncio.gather(watching.look_at(watch), watching.look_at(watch))
    await run_jobs()
    assert (await work(submission))["work"] == "approved" and (await work(late))["work"] == "waiting"
    assert await standing(kol) == {("pending", "USD"): 15_000} and await standing(second) == {}
    who = await db.fetch_one("SELECT actor_id, data FROM event WHERE type = 'BountyDecided'")
    assert who is not None and who["actor_id"] is None, "it says that no person did"
    refused = await submit(as_ona, f"{ADMIN}/submissions/{late}", {"verdict": "approved"}, page=ADMIN)
    assert refused.status_code == 409
    await books_are_right()


async def test_what_is_odd_is_never_paid_without_a_person(web: Browser, world: World):
    ona, as_ona, bounty = await films(web, awards_itself="on")
    jumper, editor, again = [await a_filmer(world, name) for name in ("jumper", "editor", "again")]
    await proven(world, ona)
    for number, person in enumerate((jumper, editor, again, ona), 1):
        world.posts_now(str(number), person.handle, views=10)
        await hand_in(person, bounty, str(number))
    door = (
        f"{ADMIN}/submissions/{await db.fetch_val('SELECT id FROM bounty_submission WHERE member_id = $1', again.id)}"
    )
    assert (await submit(as_ona, door, {"verdict": "declined", "reason": "Dull."}, page=ADMIN)).status_code == 303
    world.posts["3"].views = 1_000
    await hand_in(again, bounty, "3")
    world.posts["1"].views = 900_000
    world.posts["2"].views, world.posts["2"].text = 1_000, "Buy something else"
    world.posts["4"].views = 1_000
    await later(HOUR)
    await run_jobs()
    assert {row["state"] for row in await db.fetch("SELECT state FROM bounty_submission")} == {"waiting"}
    assert await db.fetch_val("SELECT count(*) FROM bounty_watch WHERE figure >= 1000") == 4
    assert await db.fetch_val("SELECT count(*) FROM commission") == 0


async def test_what_waits_for_a_person_stands_before_what_still_grows(web: Browser, world: World):
    ona, as_ona, bounty = await films(web)
    handed_in = {}
    for handle, views in (("decided", 5_000), ("ready", 2_000), ("growing", 10), ("told", 0)):
        kol = await a_filmer(world, handle)
        world.posts_now(str(len(handed_in) + 1), handle, views=views)
        handed_in[handle] = (
            await hand_in(kol, bounty, str(len(handed_in) + 1))
            if views
            else await service.hand_in(kol.viewer, bounty, NewSubmission("https://a.example/1", reach=1_000))
        )
    await submit(as_ona, f"{ADMIN}/submissions/{handed_in['decided']}", {"verdict": "approved"}, page=ADMIN)
    door, seen, after = "/api/v1/stores/north/bounties/submissions?limit=1", [], ""
    while after is not None:
        found = (await web(token=ona.token).get(f"{door}&after={after}")).json()
        seen += [one["member"] for one in found["items"]]
        after = found["next"]
    assert seen == ["told", "ready", "growing", "decided"]


async def test_a_code_that_is_taken_out_again_is_no_change_and_a_handle_that_moves_is_no_other_post(
    web: Browser, world: World
):
    _ona, _as_ona, bounty = await films(web, metric="likes", least="10")
    kol = await a_filmer(world, platform="bluesky")
    world.posts_now("7", "kol", "Our hike (gv-abcdefgh23) up there", likes=3)
    submission = await hand_in(kol, bounty, platform="bluesky")
    assert (await work(submission))["key"] == "did:plc:kol/7", "as it stays"
    world.posts["7"].text = "Our hike  up there"
    await later(HOUR + timedelta(minutes=1))
    assert (await work(submission))["changed_at"] is None
    world.posts["7"].text = "Our hike up here"
    await later(DAY + HOUR)
    assert (await work(submission))["changed_at"] is not None


async def test_a_fault_of_ours_with_one_post_keeps_nobody_elses_from_being_looked_at(
    web: Browser, world: World, monkeypatch: pytest.MonkeyPatch
):
    _ona, _as_ona, bounty = await films(web)
    for number in (1, 2):
        kol = await a_filmer(world, f"kol{number}")
        world.posts_now(str(number), kol.handle, views=number)
        await hand_in(kol, bounty, str(number))
    first = await db.fetch_val("SELECT min(id) FROM bounty_watch")
    honest = watching.look_at

    async def at_fault(watch_id: int) -> str:
        if watch_id == first:
            raise RuntimeError("a fault of ours")
        return await honest(watch_id)

    monkeypatch.setattr(watching, "look_at", at_fault)
    world.posts["2"].views = 20
    assert await later(HOUR + timedelta(minutes=1)) == 2
    assert await db.fetch_val("SELECT max(figure) FROM bounty_watch") == 20


async def test_what_was_reached_when_it_was_over_waits_for_a_person(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, awards_itself="on", jump_times="0")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=900)
    submission = await hand_in(kol, bounty)
    world.trouble[host_of("youtube")] = Said({}, 500)
    clock.travel(await db.fetch_val("SELECT closes_at FROM bounty") - clock.now() + timedelta(minutes=1))
    await watching.look_at_due()
    del world.trouble[host_of("youtube")]
    world.posts["7"].views = 1_000
    await later(2 * DAY)
    row = await work(submission)
    assert (row["figure"], row["work"], row["state"]) == (1_000, "waiting", "ended")


async def test_only_a_figure_can_pay_by_itself(web: Browser, world: World):
    _ona, as_ona, _bounty = await films(web)
    day = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    typed = {"title": "A talk", "brief": "At the fair, please.", "amount": "9", "currency": "USD", "closes_on": day}
    for metric, least in (("", ""), ("views", ""), ("orders", "3")):
        answer = await submit(as_ona, ADMIN, typed | {"awards_itself": "on", "metric": metric, "least": least})
        assert answer.status_code == 422 and "can award by themselves" in answer.text


async def test_a_platform_that_has_enough_of_us_is_asked_once_and_the_others_all_the_same(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, metric="likes", least="10")
    for number in range(1, 4):
        kol = await a_filmer(world, f"kol{number}")
        world.posts_now(str(number), kol.handle)
        await hand_in(kol, bounty, str(number))
    blue = await a_filmer(world, "blue", "bluesky")
    world.posts_now("9", "blue", likes=3)
    await hand_in(blue, bounty, "9", platform="bluesky")
    world.trouble[host_of("youtube")] = Said({}, 429)
    before = world.times_asked(host_of("youtube"))
    world.posts["9"].likes = 4
    assert await later(HOUR + timedelta(minutes=1)) == 2
    assert world.times_asked(host_of("youtube")) == before + 1
    assert await db.fetch_val("SELECT figure FROM bounty_watch WHERE platform = 'bluesky'") == 4


async def test_a_figure_that_is_hidden_is_said_to_be(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, metric="likes", least="10")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=100)
    world.posts["7"].likes = None
    row = await work(await hand_in(kol, bounty))
    assert (row["state"], row["figure"], row["why"]) == ("watched", None, "hidden")
    assert "does not show this figure" in (await (await sign_in(web(), kol)).get(f"/earn/bounties/{bounty}")).text
    assert await later(HOUR + timedelta(minutes=1)) == 1 and await later(HOUR * 2) == 0


async def test_work_for_which_nothing_is_asked_is_judged_once_it_was_seen_to_be_theirs(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, metric="likes", least="")
    kol = await a_filmer(world)
    world.posts_now("7", "kol")
    world.posts["7"].likes = None
    made = await service.hand_in(kol.viewer, bounty, NewSubmission(post_at("youtube", "kol", "7")))
    door = f"{ADMIN}/submissions/{made}"
    early = await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)
    assert early.status_code == 409 and "Nobody has looked at this post yet" in early.text
    await run_jobs()
    assert "Approve and pay" in (await as_ona.get(ADMIN)).text
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303


async def test_youtubes_figures_are_kept_for_thirty_days_and_what_was_approved_for_ever(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, metric="likes", least="1")
    kol, blue = await a_filmer(world), await a_filmer(world, "blue", "bluesky")
    world.posts_now("7", "kol", likes=5)
    world.posts_now("8", "blue", likes=6)
    made = [await hand_in(kol, bounty), await hand_in(blue, bounty, "8", platform="bluesky")]
    for one in made:
        await submit(as_ona, f"{ADMIN}/submissions/{one}", {"verdict": "approved"}, page=ADMIN)
    await db.execute("UPDATE bounty_watch SET next_at = NULL, state = 'ended'")
    clock.travel(timedelta(days=31))
    await keeping.sweep()
    assert [(await work(one))["figure"] for one in made] == [None, 6]
    assert [(await work(one))["reach"] for one in made] == [5, 6]
    assert await db.fetch_val("SELECT count(*) FROM bounty_figure") == 1


async def test_a_member_takes_along_what_was_seen_and_erased_leaves_no_address(web: Browser, world: World, tmp_path):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=1_500)
    submission = await hand_in(kol, bounty)
    rows = await people.export("kol", tmp_path / "kol")
    assert rows["social_accounts"] == rows["bounty_figures"] == 1
    assert "UC-kol" in (tmp_path / "kol" / "social_accounts.json").read_text()
    await people.erase("kol")
    row = await work(submission)
    assert (row["key"], row["state"], row["next_at"], row["figure"]) == ("", "ended", None, 1_500)
    assert await later(2 * DAY) == 0
    # Come back under another name, they cannot be paid for the same film again.
    back = await a_member("back")
    await proven(world, back, who="kol")
    assert (await work(await hand_in(back, bounty, who="kol")))["why"] == "taken"


async def test_the_shops_list_costs_the_same_however_much_came_in(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web)
    counts = []
    for number in range(1, 5):
        kol = await a_filmer(world, f"kol{number}")
        world.posts_now(str(number), kol.handle, views=number)
        await hand_in(kol, bounty, str(number))
        with db.watch_queries() as asked:
            assert (await as_ona.get(ADMIN)).text.count("From YouTube, seen") == number
        counts.append(len(asked))
    assert counts[1] == counts[-1]
