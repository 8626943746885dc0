"""A bounty pays by itself only what nobody could have arranged; everything else waits for a person."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Invalid
from app.money import Money
from referrals.bounties import service
from referrals.bounties.schemas import BountyOffer
from referrals.socials import service as socials
from tests.factories import Browser, Person, a_member, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.platforms import World, a_world_outside, host_of
from tests.referrals.test_bounties import ADMIN
from tests.referrals.test_bounty_figures import DAY, HOUR, a_filmer, films, hand_in, later, work
from tests.referrals.test_socials import proven
from tests.storefront.vendors import Said

pytestmark = pytest.mark.anyio
NEXT = HOUR + timedelta(minutes=1)


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def refused_by(browser: Browser, submission: int) -> None:
    told = {"verdict": "declined", "reason": "Bought."}
    assert (await submit(browser, f"{ADMIN}/submissions/{submission}", told, page=ADMIN)).status_code == 303


async def another_with(world: World, handle: str, channel_of: Person) -> Person:
    """They let their channel go, and somebody else proves it."""
    account = await db.fetch_val("SELECT id FROM social_account WHERE member_id = $1", channel_of.id)
    await socials.let_go(channel_of.viewer, account)
    other = await a_member(handle)
    await proven(world, other, who=channel_of.handle)
    return other


async def test_what_grows_steadily_before_our_eyes_is_paid(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, awards_itself="on")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=800)
    submission = await hand_in(kol, bounty)
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert (await work(submission))["work"] == "approved"
    assert await standing(kol) == {("pending", "USD"): 15_000}
    await books_are_right()


async def test_a_persons_no_is_not_washed_off_by_handing_in_something_else_first(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, awards_itself="on")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=900)
    world.posts_now("8", "somebody", views=10)
    submission = await hand_in(kol, bounty, "7")
    await refused_by(as_ona, submission)
    assert (await work(await hand_in(kol, bounty, "8")))["why"] == "not_yours"
    assert await db.fetch_val("SELECT decided_by_id FROM bounty_submission") is not None
    # Even were it forgotten who decided, the post itself is known.
    await db.execute("UPDATE bounty_submission SET decided_by_id = NULL")
    await hand_in(kol, bounty, "7")
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert (await work(submission))["work"] == "waiting" and await standing(kol) == {}


async def test_a_post_that_was_declined_is_not_paid_by_itself_next_week_or_to_another(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, awards_itself="on", period="week")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=900)
    await refused_by(as_ona, await hand_in(kol, bounty))
    clock.travel(7 * DAY)
    again = await hand_in(kol, bounty)
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert ((await work(again))["work"], (await work(again))["figure"]) == ("waiting", 1_000)
    await refused_by(as_ona, again)
    world.posts["7"].views = 900
    bob = await another_with(world, "bob", kol)
    bobs = await hand_in(bob, bounty, who="kol")
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert ((await work(bobs))["work"], (await work(bobs))["figure"]) == ("waiting", 1_000)
    assert await db.fetch_val("SELECT count(*) FROM commission") == 0


async def test_a_figure_that_was_there_at_the_first_look_waits_for_a_person(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web, awards_itself="on")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=900_000)
    submission = await hand_in(kol, bounty)
    await later(NEXT)
    assert (await work(submission))["work"] == "waiting" and await standing(kol) == {}
    assert "reached what you asked for" in (await as_ona.get("/notifications")).text
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_ona, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    await books_are_right()


async def test_all_the_likes_within_an_hour_are_a_jump_though_they_are_few(web: Browser, world: World):
    _ona, _as_ona, bounty = await films(web, awards_itself="on", metric="likes")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", likes=0)
    submission = await hand_in(kol, bounty)
    world.posts["7"].likes = 1_000
    await later(NEXT)
    row = await work(submission)
    assert (row["work"], row["jump_from"], row["jump_to"]) == ("waiting", 0, 1_000)


async def test_a_channel_is_one_members_in_a_bounty(web: Browser, world: World):
    _ona, as_ona, bounty = await films(web)
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=100)
    world.posts_now("8", "kol", views=100)
    first = await hand_in(kol, bounty)
    bob = await another_with(world, "bob", kol)
    row = await work(await hand_in(bob, bounty, "8", who="kol"))
    assert (row["work"], row["why"]) == ("declined", "taken")
    # Declined, the channel is free again.
    await refused_by(as_ona, first)
    assert (await work(await hand_in(bob, bounty, "8", who="kol")))["state"] == "watched"


@pytest.mark.parametrize("who", ["admin", "offered it", "owner"])
async def test_the_shops_own_people_are_not_paid_without_a_person(web: Browser, world: World, who: str):
    _ona, _as_ona, bounty = await films(web, awards_itself="on")
    kol = await a_filmer(world)
    statement = {
        "admin": "UPDATE member SET role = 'admin' WHERE id = $1",
        "offered it": "UPDATE bounty SET by_id = $1",
        "owner": "UPDATE store SET owner_id = $1",
    }[who]
    await db.execute(statement, kol.id)
    world.posts_now("7", "kol", views=900)
    submission = await hand_in(kol, bounty)
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert ((await work(submission))["work"], (await work(submission))["figure"]) == ("waiting", 1_000)


async def test_who_is_shut_out_is_not_paid_without_a_person(web: Browser, world: World):
    ona, _as_ona, bounty = await films(web, awards_itself="on")
    kol = await a_filmer(world)
    world.posts_now("7", "kol", views=900)
    submission = await hand_in(kol, bounty)
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', $3)",
        kol.id,
        ona.id,
        clock.now(),
    )
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert ((await work(submission))["work"], (await work(submission))["figure"]) == ("waiting", 1_000)


async def test_no_offer_is_for_longer_than_can_be_reckoned_with(web: Browser, world: World):
    ona, as_ona, bounty = await films(web, awards_itself="on")
    day = "9999-12-31"
    typed = {"title": "A talk", "brief": "At the fair, please.", "amount": "9", "currency": "USD", "closes_on": day}
    answer = await submit(as_ona, ADMIN, typed)
    assert answer.status_code == 422 and "two years" in answer.text
    long_ago = clock.now().replace(year=1)
    new = BountyOffer("A talk", "At the fair, please.", Money(900, "USD"), clock.now() + DAY, opens_at=long_ago)
    with pytest.raises(Invalid, match="two years"):
        await service.offer(ona.viewer, "north", new)
    # One from before there was a limit is looked at and paid all the same.
    await db.execute("UPDATE bounty SET closes_at = '9999-12-31T23:59:59Z'")
    kol, bob = await a_filmer(world), await a_filmer(world, "bob")
    world.posts_now("7", "kol", views=900)
    submission = await hand_in(kol, bounty)
    world.posts["7"].views = 1_000
    await later(NEXT)
    assert (await work(submission))["work"] == "approved"
    world.trouble[host_of("youtube")] = Said({}, 500)
    assert (await work(await hand_in(bob, bounty, "8")))["failures"] == 1
