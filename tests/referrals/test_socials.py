"""A member proves that a channel elsewhere is theirs, by a code of ours that only its owner can put there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app import clock, db, people
from app.errors import TooMany
from referrals.socials import service
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.platforms import World, a_world_outside, host_of, post_at, profile_at
from tests.referrals.test_platforms import every_platform
from tests.storefront.vendors import Said

pytestmark = pytest.mark.anyio
PAGE, API = "/earn/channels", "/api/v1/earn/channels"


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def proven(world: World, person: Person, platform: str = "youtube", who: str = "") -> int:
    """The member's channel of this name there is theirs."""
    who = who or person.handle
    account = await service.ask_for(person.viewer, profile_at(platform, who))
    code = await db.fetch_val("SELECT code FROM social_account WHERE id = $1", account)
    world.bios[who] = f"{world.bios.get(who, '')} {code}"
    await service.check(person.viewer, account)
    await run_jobs()
    return account


async def state_of(account: int) -> tuple[str, str]:
    row = await db.fetch_one("SELECT state, why FROM social_account WHERE id = $1", account)
    assert row is not None
    return row["state"], row["why"]


async def test_a_member_proves_a_channel_through_its_description(web: Browser, world: World):
    mara, browser = await a_member("mara"), web()
    await sign_in(browser, mara)
    world.bios["mara"] = "I hike."
    assert (await submit(browser, PAGE, {"address": "https://example.org/me"})).status_code == 422
    assert (await submit(browser, PAGE, {"address": profile_at("youtube", "mara")})).status_code == 303
    code = await db.fetch_val("SELECT code FROM social_account")
    assert code in (await browser.get(PAGE)).text and code.startswith("gv-")
    check = f"{PAGE}/{await db.fetch_val('SELECT id FROM social_account')}/check"
    assert (await submit(browser, check, {}, page=PAGE)).status_code == 303
    assert "We are looking" in (await browser.get(PAGE)).text and world.asked == [], "the worker asks, not the request"
    await run_jobs()
    assert "The code is not there yet" in (await browser.get(PAGE)).text
    world.bios["mara"] = f"I hike. x{code} {code}2"
    await submit(browser, check, {}, page=PAGE)
    await run_jobs()
    assert "The code is not there yet" in (await browser.get(PAGE)).text, "it is a word of its own"
    world.bios["mara"] = f"I hike. ({code.upper()})"
    await submit(browser, check, {}, page=PAGE)
    await run_jobs()
    shown = (await browser.get(PAGE)).text
    assert "Proven" in shown and "https://www.youtube.com/channel/UC-mara" in shown and code not in shown
    assert (await submit(browser, check, {}, page=PAGE)).status_code == 409


@every_platform
async def test_on_every_platform_by_its_profile_or_by_a_post(world: World, house, platform: str):
    mara, ole = await a_member("mara"), await a_member("ole")
    assert await state_of(await proven(world, mara, platform)) == ("proven", "")
    account = await service.ask_for(ole.viewer, post_at(platform, "ole", "3"))
    code = await db.fetch_val("SELECT code FROM social_account WHERE id = $1", account)
    world.posts_now("3", "ole", f"Mine: {code}")
    await service.check(ole.viewer, account)
    await run_jobs()
    assert await state_of(account) == ("proven", "")


async def test_two_members_prove_one_channel_at_once_and_one_has_it(world: World, house):
    mara, max_ = await a_member("mara"), await a_member("max")
    accounts = [await service.ask_for(one.viewer, profile_at("bluesky", "duo")) for one in (mara, max_)]
    world.bios["duo"] = " ".join([row["code"] for row in await db.fetch("SELECT code FROM social_account")])
    await db.execute("UPDATE social_account SET state = 'looking'")
    await asyncio.gather(*(service.look_at(account) for account in accounts))
    states = sorted([await state_of(account) for account in accounts])
    assert states == [("failed", "taken"), ("proven", "")]


async def test_anothers_code_an_old_code_and_a_code_asked_anew_prove_nothing(world: World, house):
    mara, thief = await a_member("mara"), await a_member("thief")
    hers = await service.ask_for(mara.viewer, profile_at("youtube", "mara"))
    stolen = await service.ask_for(thief.viewer, profile_at("youtube", "mara"))
    code = await db.fetch_val("SELECT code FROM social_account WHERE id = $1", hers)
    world.bios["mara"] = code
    await service.check(thief.viewer, stolen)
    await run_jobs()
    assert await state_of(stolen) == ("failed", "no_code")
    assert await service.ask_for(mara.viewer, profile_at("youtube", "mara")) == hers, "asked anew, it is another code"
    await service.check(mara.viewer, hers)
    await run_jobs()
    assert await state_of(hers) == ("failed", "no_code")
    world.bios["mara"] = await db.fetch_val("SELECT code FROM social_account WHERE id = $1", hers)
    clock.travel(timedelta(days=8))
    await service.check(mara.viewer, hers)
    await run_jobs()
    assert await state_of(hers) == ("failed", "too_late")


async def test_a_platform_that_says_nothing_is_said_so_and_may_be_tried_again(web: Browser, world: World):
    mara = await a_member("mara")
    world.trouble[host_of("youtube")] = Said({}, 302, {"Location": "http://127.0.0.1/"})
    account = await proven(world, mara)
    assert await state_of(account) == ("failed", "redirected")
    shown = (await (await sign_in(web(), mara)).get(PAGE)).text
    assert "sent us elsewhere" in shown
    del world.trouble[host_of("youtube")]
    await service.check(mara.viewer, account)
    await run_jobs()
    assert await state_of(account) == ("proven", "")


async def test_programs_prove_a_channel_too_and_strangers_see_none_of_it(web: Browser, world: World):
    mara, sam = await a_member("mara"), await a_member("sam")
    as_mara, as_sam = web(token=mara.token), web(token=sam.token)
    made = await as_mara.post(API, json={"address": profile_at("mastodon", "mara")})
    assert made.status_code == 201 and made.json()["state"] == "asked"
    door = f"{API}/{made.json()['id']}"
    for answer in (await as_sam.get(door), await as_sam.post(f"{door}/check"), await as_sam.delete(door)):
        assert answer.status_code == 404
    assert (await web().get(API)).status_code == 401
    world.bios["mara"] = made.json()["code"]
    assert (await as_mara.post(f"{door}/check")).json()["state"] == "looking"
    await run_jobs()
    told = (await as_mara.get(API)).json()
    assert told["items"][0]["state"] == "proven" and "mastodon" in told["platforms"]
    assert (await as_mara.post(f"{door}/check")).status_code == 409
    assert (await as_mara.post(API, json={"address": profile_at("mastodon", "mara")})).status_code == 409
    assert (await as_sam.get(API)).json()["items"] == []
    assert (await as_mara.delete(door)).status_code == 204 and (await as_mara.get(door)).status_code == 404


async def test_let_go_or_erased_somebody_else_may_prove_it(world: World, house):
    mara, ole = await a_member("mara"), await a_member("ole")
    await service.let_go(mara.viewer, await proven(world, mara, who="shared"))
    assert await state_of(await proven(world, ole, who="shared")) == ("proven", "")
    assert await state_of(await proven(world, mara, who="shared")) == ("failed", "taken")
    await people.erase("ole")
    await service.check(mara.viewer, await db.fetch_val("SELECT id FROM social_account"))
    await run_jobs()
    assert [tuple(row) for row in await db.fetch("SELECT member_id, state FROM social_account")] == [
        (mara.id, "proven")
    ]
    kinds = [row["type"] for row in await db.fetch("SELECT type FROM event WHERE type LIKE 'Account%' ORDER BY id")]
    assert kinds.count("AccountProven") == 3 and "AccountLetGo" in kinds


async def test_the_worker_is_sent_to_look_twenty_times_a_day(world: World, monkeypatch: pytest.MonkeyPatch):
    mara, sam = await a_member("mara"), await a_member("sam")
    account = await service.ask_for(mara.viewer, profile_at("youtube", "mara"))
    for _time in range(20):
        await service.check(mara.viewer, account)
    with pytest.raises(TooMany):
        await service.check(mara.viewer, account)
    # And all members together so often, whoever they are.
    monkeypatch.setattr(service, "MOST_CHECKS", 20)
    with pytest.raises(TooMany):
        await service.check(sam.viewer, await service.ask_for(sam.viewer, profile_at("youtube", "sam")))
