"""How long posts handed in for bounties are looked at, what was seen is kept, and whose trouble a trouble is."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app import clock, db
from referrals.bounties import keeping, watching
from tests.factories import Browser, sign_in, submit
from tests.referrals.cast import books_are_right
from tests.referrals.platforms import World, a_world_outside, host_of
from tests.referrals.test_bounties import ADMIN
from tests.referrals.test_bounty_figures import DAY, HOUR, a_filmer, films, hand_in, later, work
from tests.storefront.vendors import Said

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def test_what_the_terms_take_away_leaves_that_it_jumped_and_what_it_had_reached(web: Browser, world: World):
    closes = f"{clock.now() + timedelta(days=90):%Y-%m-%d}"
    ona, as_ona, bounty = await films(web, closes_on=closes, least="50000")
    kol, bob = await a_filmer(world), await a_filmer(world, "bob")
    world.posts_now("7", "kol", views=120)
    world.posts_now("8", "bob", views=80_000)
    submission, declined = await hand_in(kol, bounty), await hand_in(bob, bounty, "8")
    door = f"{ADMIN}/submissions/{declined}"
    await submit(as_ona, door, {"verdict": "declined", "reason": "Bought."}, page=ADMIN)
    world.posts["7"].views = 90_000
    await later(HOUR + timedelta(minutes=1))
    clock.travel(20 * DAY)
    world.posts["7"].views = 61_000
    await watching.look_at_due()
    clock.travel(11 * DAY)
    await keeping.sweep()
    row = await work(submission)
    assert (row["figure"], row["top"], row["jump_from"], row["jump_to"]) == (61_000, 61_000, None, None)
    assert (await work(declined))["reach"] == 0
    as_ona = await sign_in(web(), ona)
    told = (await web(token=kol.token).get(f"/api/v1/earn/bounties/{bounty}")).json()["mine"]["watch"]["jump"]
    assert (told["before"], told["after"]) == (None, None) and told["at"]
    clock.travel(20 * DAY)
    await keeping.sweep()
    shown = (await (await sign_in(web(), ona)).get(ADMIN)).text
    assert (await work(submission))["figure"] is None
    assert "It grew suddenly, seen on" in shown and "<b>61,000</b> / 50,000" in shown and "Reached" in shown


async def test_a_platform_that_stays_down_keeps_no_person_from_deciding(web: Browser, world: World):
    ona, as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.trouble[host_of("youtube")] = Said({}, 500)
    submission = await hand_in(kol, bounty)
    door = f"{ADMIN}/submissions/{submission}"
    for _time in range(3):
        await later(2 * DAY)
    as_ona = await sign_in(web(), ona)
    assert "Approve and pay" not in (await as_ona.get(ADMIN)).text
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 409
    await later(2 * DAY)
    shown = (await as_ona.get(ADMIN)).text
    assert "Approve and pay" in shown and "We could never look at this post" in shown
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    await books_are_right()


async def test_nobody_looks_for_ever_at_what_was_paid_or_cannot_be_any_more(web: Browser, world: World):
    closes = f"{clock.now() + timedelta(days=300):%Y-%m-%d}"
    _ona, as_ona, bounty = await films(web, closes_on=closes, most_awards="1")
    kol, bob = await a_filmer(world), await a_filmer(world, "bob")
    world.posts_now("7", "kol", views=1_000)
    world.posts_now("8", "bob", views=10)
    paid, too_late = await hand_in(kol, bounty), await hand_in(bob, bounty, "8")
    door = f"{ADMIN}/submissions/{paid}"
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    assert await later(DAY) == 2
    assert (await work(paid))["next_at"] and (await work(too_late))["state"] == "ended"
    assert await later(30 * DAY) == 1
    assert (await work(paid))["state"] == "ended" and await later(2 * DAY) == 0
    clock.travel(timedelta(days=401))
    await keeping.sweep()
    assert await db.fetch_val("SELECT count(*) FROM bounty_figure") == 0


async def test_who_says_when_to_come_again_is_left_alone_until_then_for_all_their_posts(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, metric="likes", least="10")
    for number in range(1, 4):
        kol = await a_filmer(world, f"kol{number}")
        world.posts_now(str(number), kol.handle)
        await hand_in(kol, bounty, str(number))
    blue = await a_filmer(world, "blue", "bluesky")
    world.posts_now("9", "blue", likes=3)
    await hand_in(blue, bounty, "9", platform="bluesky")
    world.trouble[host_of("youtube")] = Said({}, 429, {"Retry-After": "18000"})
    before = world.times_asked(host_of("youtube"))
    assert await later(HOUR + timedelta(minutes=1)) == 2, "one of theirs, and Bluesky's"
    del world.trouble[host_of("youtube")]
    for _hour in range(4):
        assert await later(HOUR + timedelta(minutes=5)) == 0
    assert world.times_asked(host_of("youtube")) == before + 1
    assert await later(HOUR) == 3


async def test_one_posts_own_trouble_is_not_its_platforms(web: Browser, world: World, monkeypatch: pytest.MonkeyPatch):
    _ona, _as_ona, bounty = await films(web)
    for number in range(1, 5):
        kol = await a_filmer(world, f"kol{number}")
        world.posts_now(str(number), kol.handle, views=number)
        await hand_in(kol, bounty, str(number))
    watches = [row["id"] for row in await db.fetch("SELECT id FROM bounty_watch ORDER BY id")]
    said: dict[int, str] = {watches[0]: "refused"}
    asked: list[int] = []

    async def look_at(watch_id: int) -> str:
        asked.append(watch_id)
        return said.get(watch_id, "")

    monkeypatch.setattr(watching, "look_at", look_at)
    assert await later(HOUR + timedelta(minutes=1)) == 4 and asked == watches
    said |= dict.fromkeys(watches, "unreachable")
    asked.clear()
    assert await later(2 * HOUR) == 2 and asked == watches[:2]


async def test_when_we_look_again_the_shop_alone_is_told(web: Browser, world: World):
    ona, as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=10)
    await hand_in(kol, bounty)
    assert "Next look:" in (await as_ona.get(ADMIN)).text
    as_kol = await sign_in(web(), kol)
    mine = (await as_kol.get(f"/earn/bounties/{bounty}")).text
    assert "From YouTube, seen" in mine and "Next look:" not in mine
    told = (await web(token=kol.token).get(f"/api/v1/earn/bounties/{bounty}")).json()["mine"]["watch"]
    shops = (await web(token=ona.token).get("/api/v1/stores/north/bounties/submissions")).json()["items"][0]["watch"]
    assert told["next_at"] is None and shops["next_at"]
