"""Two people for what a store pays and whom it checks, where it wants that: one proposes, another one agrees."""

import asyncio
import html
import re
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, Forbidden, Gone, Invalid
from referrals.agreement import service
from referrals.campaigns.queries import access_campaign
from referrals.campaigns.service import offer
from referrals.fraud.thresholds import Thresholds, thresholds_of
from referrals.partners.changes import RateChange
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_paying_shop
from tests.referrals.test_campaigns import a_campaign, an_offer
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
HERE = "/admin/programs/north"
CHANGES = f"{HERE}/changes"


async def a_store_of_two(web: Browser, *, on: bool = True) -> tuple[Shop, Person, Person]:
    """Ona owns the shop, Ada is an admin; with `on` the shop wants two people."""
    ona, ada = await a_member("ona"), await a_member("ada", role="admin")
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", ona.id, shop.id)
    if on:
        assert (await submit(await sign_in(web(), ona), CHANGES, {})).status_code == 303
    return shop, ona, ada


async def rules_form(browser, **changes: str) -> dict[str, str]:
    """The whole form as it stands, with something changed, through the preview to the draft that is published."""
    shown = (await browser.get(f"{HERE}/rules")).text
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', shown))
    one = {k: v for k, v in fields.items() if k in ("rate", "hold_days", "window_days", "base_version")}
    seen = await submit(browser, f"{HERE}/rules/preview", one | {"model": "last"} | changes, page=f"{HERE}/rules")
    assert seen.status_code == 200, seen.text
    draft = re.search(r'name="draft" value="([^"]*)"', seen.text)
    base = re.search(r'name="base_version" value="(\d+)"', seen.text)
    assert draft and base
    return {"draft": html.unescape(draft[1]), "base_version": base[1]}


async def waiting() -> list[int]:
    return [row["id"] for row in await db.fetch("SELECT id FROM pending_change WHERE state = 'waiting' ORDER BY id")]


async def test_new_rules_count_when_a_second_person_agrees_and_not_before(web: Browser):
    _shop, ona, ada = await a_store_of_two(web)
    as_ona, as_ada = await sign_in(web(), ona), await sign_in(web(), ada)
    draft = await rules_form(as_ona, rate="15 %")
    answer = await submit(as_ona, f"{HERE}/rules", draft, page=f"{HERE}/rules")
    assert answer.status_code == 303 and answer.headers["location"] == CHANGES
    assert await db.fetch_val("SELECT max(version) FROM program_version") == 1
    (change,) = await waiting()
    door = f"{CHANGES}/{change}/agreement"
    assert (await submit(as_ona, door, {}, page=CHANGES)).status_code == 403, "not by oneself"
    assert "15 %" in (await as_ada.get(CHANGES)).text or "15%" in (await as_ada.get(CHANGES)).text
    await run_jobs()
    assert "a second person has to agree" in (await as_ada.get("/notifications")).text
    stranger = await sign_in(web(), await a_member("sam"))
    assert (await stranger.get(CHANGES)).status_code == 403
    assert (await submit(stranger, door, {}, page="/earn")).status_code == 403
    assert (await submit(as_ada, door, {}, page=CHANGES)).status_code == 303
    assert (await submit(as_ada, door, {}, page=CHANGES)).status_code == 409
    row = await db.fetch_one("SELECT version, rate_bps, by_id FROM program_version ORDER BY version DESC LIMIT 1")
    assert row is not None and tuple(row) == (2, 1500, ona.id)
    told = (await web(token=ona.token).get("/api/v1/stores/north/changes")).json()
    assert told["takes_two"] and [one["state"] for one in told["items"]] == ["agreed"]


async def test_what_waits_comes_before_what_was_decided_page_by_page(web: Browser):
    _shop, ona, ada = await a_store_of_two(web)
    as_ona, as_ada = await sign_in(web(), ona), await sign_in(web(), ada)
    until = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    for handle in ("kim", "lee", "max", "noa"):
        await a_member(handle)
        rate = {"handle": handle, "rate": "20 %", "expires_on": until}
        assert (await submit(as_ona, f"{HERE}/rates", rate)).headers["location"] == CHANGES
    changes = await waiting()
    door = f"{CHANGES}/{changes[-1]}/agreement"
    assert (await submit(as_ada, door, {}, page=CHANGES)).status_code == 303
    seen: list[tuple[str, str]] = []
    after: dict[str, str] = {}
    while True:
        asked = {"limit": "1", **after}
        told = (await web(token=ona.token).get("/api/v1/stores/north/changes", params=asked)).json()
        seen += [(one["state"], one["id"]) for one in told["items"]]
        if told["next"] is None:
            break
        after = {"after": told["next"]}
    assert [state for state, _id in seen] == ["waiting", "waiting", "waiting", "agreed"]
    assert len({one for _state, one in seen}) == 4


async def test_no_door_of_rates_rules_and_limits_goes_around_it(web: Browser):
    shop, ona, _ada = await a_store_of_two(web)
    kim = await a_member("kim")
    as_ona = await sign_in(web(), ona)
    until = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    rate = {"handle": "kim", "rate": "20 %", "expires_on": until}
    assert (await submit(as_ona, f"{HERE}/rates", rate)).headers["location"] == CHANGES
    tier = {"handle": "kim", "tier": "Gold"}
    assert (await submit(as_ona, f"{HERE}/rates/tiers", tier, page=f"{HERE}/rates")).headers["location"] == CHANGES
    shown = (await as_ona.get(f"{HERE}/cases/limits")).text
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="(\d+)"', shown))
    strikes = re.findall(r'name="strikes" value="(\w+)"', shown)
    limits = {k: v for k, v in fields.items() if k != "_csrf"} | {"refund_percent": "90", "strikes": strikes}
    answer = await submit(as_ona, f"{HERE}/cases/limits", limits)
    assert answer.status_code == 303 and answer.headers["location"] == CHANGES, answer.text
    told = (await web(token=ona.token).get("/api/v1/stores/north/program")).json()
    new = {"rate_bps": 9_000, "base_version": told["version"]}
    assert (await web(token=ona.token).put("/api/v1/stores/north/program", json=new)).status_code == 409
    campaign = await access_campaign(ona.viewer, "north", await a_campaign(as_ona))
    with pytest.raises(Invalid):
        await offer(ona.viewer, campaign, an_offer("kim", rate="50 %"))
    assert await db.fetch("SELECT 1 FROM rate_override") == [] and await db.fetch("SELECT 1 FROM partner") == []
    assert await thresholds_of(shop.id) == Thresholds() and len(await waiting()) == 3
    assert (await submit(as_ona, f"{CHANGES}/alone", {}, page=CHANGES)).status_code == 303
    assert await service.asks_for_two(shop.id), "who may change everything alone again is no second person"
    ada = await a_member("eva", role="admin")
    for change in await waiting():
        await service.agree(ada.viewer, "north", change)
    assert await db.fetch_val("SELECT rate_bps FROM rate_override WHERE member_id = $1", kim.id) == 2_000
    assert await db.fetch_val("SELECT tier FROM partner WHERE member_id = $1", kim.id) == "Gold"
    assert (await thresholds_of(shop.id)).refund_percent == 90
    assert not await service.asks_for_two(shop.id)
    await submit(as_ona, f"{HERE}/rates", rate | {"rate": "21 %"})
    assert await db.fetch_val("SELECT count(*) FROM rate_override") == 2, "one is enough again"


async def test_who_gains_is_no_second_person_and_two_who_agree_at_once_do_it_once(web: Browser):
    shop, ona, ada = await a_store_of_two(web)
    eva = await a_member("eva", role="admin")
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", shop.id)
    assert store is not None
    until = clock.now() + timedelta(days=30)
    assert await service.waits(ona.viewer, store, RateChange("ada", 2_000, until))
    (change,) = await waiting()
    with pytest.raises(Forbidden):
        await service.agree(ada.viewer, "north", change)
    with pytest.raises(Invalid):
        await service.waits(ada.viewer, store, RateChange("ada", 9_000, until))
    ends = await asyncio.gather(
        *(service.agree(eva.viewer, "north", change) for _n in range(4)), return_exceptions=True
    )
    assert [end is None for end in ends].count(True) == 1
    assert all(end is None or isinstance(end, Conflict) for end in ends)
    assert await db.fetch_val("SELECT count(*) FROM rate_override") == 1


async def test_what_waited_too_long_or_was_overtaken_is_not_done(web: Browser):
    shop, ona, ada = await a_store_of_two(web)
    as_ona = await sign_in(web(), ona)
    for rate in ("15 %", "16 %"):
        await submit(as_ona, f"{HERE}/rules", await rules_form(as_ona, rate=rate), page=f"{HERE}/rules")
    first, second = await waiting()
    await service.agree(ada.viewer, "north", first)
    with pytest.raises(Conflict):
        await service.agree(ada.viewer, "north", second)
    await service.refuse(ona.viewer, "north", second, "")
    assert await db.fetch_val("SELECT state FROM pending_change WHERE id = $1", second) == "withdrawn"
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", shop.id)
    assert store is not None
    await a_member("kim")
    await service.waits(ona.viewer, store, RateChange("kim", 2_000, clock.now() + timedelta(days=300)))
    clock.travel(timedelta(days=15))
    with pytest.raises(Gone):
        await service.agree(ada.viewer, "north", (await waiting())[0])


async def test_it_is_off_unless_wanted_and_cannot_be_wanted_alone(web: Browser):
    shop = await a_paying_shop()
    ona = await a_member("ona")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", ona.id, shop.id)
    as_ona = await sign_in(web(), ona)
    assert (await submit(as_ona, CHANGES, {})).status_code == 409
    assert not await service.asks_for_two(shop.id)
    await submit(as_ona, f"{HERE}/rules", await rules_form(as_ona, rate="15 %"), page=f"{HERE}/rules")
    assert await db.fetch_val("SELECT max(version) FROM program_version") == 2 and await waiting() == []
