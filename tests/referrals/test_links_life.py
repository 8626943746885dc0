"""How long a link is open, and for whom."""

import asyncio
import time
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest

from app import clock, db
from referrals.clicks import directory
from tests.factories import Browser, Person, a_member, sign_in, submit
from tests.referrals.cast import CHROME, a_link, a_paying_shop

pytestmark = pytest.mark.anyio

CURL = "curl/8.5.0"
WHATSAPP = "WhatsApp/2.25.1.75 A"


async def a_limited_link(web: Browser, person: Person, **limits: object) -> str:
    """A link to the pack with these limits; its code."""
    code = (await a_link(web, person))["code"]
    changed = await web(token=person.token).patch(f"/api/v1/links/{code}", json=limits)
    assert changed.status_code == 200, changed.text
    directory.forget(code)
    return code


async def visit(browser: httpx.AsyncClient, code: str, agent: str = CHROME, **headers: str) -> httpx.Response:
    return await browser.get(f"/r/{code}", headers={"user-agent": agent, **headers})


async def clicks() -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT kind, blocked FROM click ORDER BY occurred_at, id")
    return [(row["kind"], row["blocked"]) for row in rows]


async def test_a_link_opens_and_ends_on_its_day_and_knocking_is_kept(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    start, end = clock.now() + timedelta(days=1), clock.now() + timedelta(days=3)
    code = await a_limited_link(web, mara, starts_at=start.isoformat(), ends_at=end.isoformat())
    early = await visit(web(), code)
    assert early.status_code == 404 and "Not open yet" in early.text and "north.example" not in early.text
    clock.travel(timedelta(days=2))
    directory.forget(code)
    assert (await visit(web(), code)).status_code == 302
    clock.travel(timedelta(days=2))
    directory.forget(code)
    late = await visit(web(), code)
    assert late.status_code == 410 and "that has passed" in late.text
    assert await clicks() == [("human", "early"), ("human", ""), ("human", "expired")]
    # What was turned away is no click of the link's.
    shown = (await web(token=mara.token).get("/api/v1/links")).json()["items"]
    assert [link["clicks"] for link in shown if link["code"] == code] == [1]


async def test_switching_off_holds_everywhere_within_five_seconds_and_can_be_undone_for_a_week(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert (await visit(web(), code)).status_code == 302
    assert (await web(token=mara.token).delete(f"/api/v1/links/{code}")).status_code == 204
    # Five seconds later, in a process that had it in memory.
    real = time.monotonic
    monkeypatch.setattr(directory, "time", SimpleNamespace(monotonic=lambda: real() + 5))
    assert (await visit(web(), code)).status_code == 410
    assert (await clicks())[-1] == ("human", "disabled")
    assert (await web(token=mara.token).delete(f"/api/v1/links/{code}/closure")).status_code == 204
    directory.forget(code)
    assert (await visit(web(), code)).status_code == 302
    browser = await sign_in(web(), mara)
    await submit(browser, f"/share/{code}/closure", {}, page=f"/share/{code}")
    assert "Switch it on again" in (await browser.get(f"/share/{code}")).text
    clock.travel(timedelta(days=7, seconds=1))
    directory.forget(code)
    assert (await web(token=mara.token).delete(f"/api/v1/links/{code}/closure")).status_code == 409
    assert (await visit(web(), code)).status_code == 410


async def test_of_ten_who_come_at_once_for_three_visits_three_are_let_in(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = await a_limited_link(web, mara, most_visits=3)
    for agent in (CURL, WHATSAPP):  # Machines and previews take no place of a person.
        await visit(web(), code, agent)
    answers = await asyncio.gather(*(visit(web(), code) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [302] * 3 + [410] * 7
    assert sorted(why for kind, why in await clicks() if kind == "human") == [""] * 3 + ["used_up"] * 7
    # More places: only the difference is free.
    await web(token=mara.token).patch(f"/api/v1/links/{code}", json={"most_visits": 4})
    directory.forget(code)
    assert [(await visit(web(), code)).status_code for _ in range(2)] == [302, 410]
    await web(token=mara.token).patch(f"/api/v1/links/{code}", json={"most_visits": None})
    directory.forget(code)
    assert (await visit(web(), code)).status_code == 302


async def test_a_password_stands_before_the_link_and_before_its_preview(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = await a_limited_link(web, mara, password="alpine")
    guest = web()
    for agent in (CHROME, WHATSAPP):
        asked = await visit(guest, code, agent)
        assert asked.status_code == 200 and "asks for a password" in asked.text
        assert "Trail pack" not in asked.text and "north.example" not in asked.text
    assert {why for _kind, why in await clicks()} == {"password"}
    wrong = await guest.post(f"/r/{code}/key", data={"password": "Alpine"})
    assert wrong.status_code == 422 and "not the password" in wrong.text
    right = await guest.post(f"/r/{code}/key", data={"password": "alpine"})
    assert right.status_code == 303 and right.headers["location"] == f"/r/{code}"
    assert (await visit(guest, code)).status_code == 302
    assert (await visit(web(), code)).status_code == 200
    # Another password: whoever knew the old one is asked again.
    await web(token=mara.token).patch(f"/api/v1/links/{code}", json={"password": "valley"})
    directory.forget(code)
    assert (await visit(guest, code)).status_code == 200
    await web(token=mara.token).patch(f"/api/v1/links/{code}", json={"password": ""})
    directory.forget(code)
    assert (await visit(web(), code)).status_code == 302


async def test_guessing_a_password_has_a_pace_and_the_hash_is_shown_to_nobody(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = await a_limited_link(web, mara, password="alpine")
    guesser = web()
    tries = [(await guesser.post(f"/r/{code}/key", data={"password": f"try {n}"})).status_code for n in range(11)]
    assert tries == [422] * 10 + [429]
    shown = await web(token=mara.token).get(f"/api/v1/links/{code}")
    assert shown.json()["has_password"] is True and "argon2" not in shown.text


async def test_an_end_before_the_start_and_other_slips_change_nothing(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    client = web(token=mara.token)
    for wrong, field in (
        ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2030-01-01T00:00:00"}, "ends_at"),  # no time zone
        ({"ends_at": "9999-01-01T00:00:00Z"}, "ends_at"),
        ({"most_visits": 0}, "most_visits"),
        ({"password": "abc"}, "password"),
        ({"code": "new-name", "target": "https://evil.example/"}, "target"),
        ({"code": "new-name", "place": {"kind": "shelf", "currency": "XXX"}}, "currency"),
        ({"cde": "new-name"}, "cde"),
    ):
        answer = await client.patch(f"/api/v1/links/{code}", json=wrong)
        assert answer.status_code == 422, (wrong, answer.text)
        assert field in answer.json()["errors"][0]["field"], (wrong, answer.text)
    link = await db.fetch_one("SELECT * FROM link WHERE code = $1", code)
    assert link["ends_at"] is None and link["most_visits"] is None and link["password_hash"] == ""


async def test_only_its_owner_changes_a_link_and_never_to_another_store(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    await a_paying_shop_elsewhere()
    code = (await a_link(web, mara))["code"]
    stranger = await web(token=eve.token).patch(f"/api/v1/links/{code}", json={"target": "page:/p/"})
    missing = await web(token=eve.token).patch("/api/v1/links/no-such-link", json={"target": "page:/p/"})
    assert stranger.status_code == missing.status_code == 404
    client = web(token=mara.token)
    other = await client.patch(f"/api/v1/links/{code}", json={"target": "https://south.example/x"})
    assert other.status_code == 409
    same = await client.patch(f"/api/v1/links/{code}", json={"target": "https://north.example/sale"})
    assert same.json()["destination"] == "https://north.example/sale" and same.json()["code"] == code
    personal = await client.patch("/api/v1/links/mara", json={"target": "page:/p/"})
    assert personal.status_code == 409


async def a_paying_shop_elsewhere() -> None:
    from tests.storefront.shop import a_shop

    shop = await a_shop("south")
    await db.execute("UPDATE store SET origin = 'https://south.example' WHERE id = $1", shop.id)


async def test_the_page_changes_days_visits_password_and_place_without_javascript(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = await sign_in(web(), mara)
    told = {
        "target": "https://north.example/p/SKU-1",
        "ends_at": "2199-12-31T18:30",
        "most_visits": "40",
        "password": "alpine",
        "place_kind": "shelf",
        "location": "Third floor",
        "cost": "19.50",
        "currency": "EUR",
    }
    done = await submit(browser, f"/share/{code}/edit", told)
    assert done.status_code == 303, done.text
    link = (await web(token=mara.token).get(f"/api/v1/links/{code}")).json()
    assert link["ends_at"] == "2199-12-31T18:30:00+00:00" and link["most_visits"] == 40 and link["has_password"]
    assert link["place"] == {"kind": "shelf", "location": "Third floor", "cost": 1950, "currency": "EUR"}
    form = (await browser.get(f"/share/{code}/edit")).text
    assert 'value="2199-12-31T18:30"' in form and 'value="19.50"' in form and "alpine" not in form
    # Saving the form as it stands keeps the password; ticking the box takes it away.
    del told["password"]
    await submit(browser, f"/share/{code}/edit", told)
    assert (await web(token=mara.token).get(f"/api/v1/links/{code}")).json()["has_password"]
    await submit(browser, f"/share/{code}/edit", {**told, "no_password": "on", "place_kind": "", "ends_at": ""})
    link = (await web(token=mara.token).get(f"/api/v1/links/{code}")).json()
    assert not link["has_password"] and link["place"] is None and link["ends_at"] is None
    wrong = await submit(browser, f"/share/{code}/edit", {**told, "cost": "a lot", "most_visits": "²"})
    assert wrong.status_code == 422 and "a lot" in wrong.text
