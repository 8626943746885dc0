"""The kinds of conversions a programme declares: their fields, what is refused, what is kept without pay and told."""

from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Invalid
from referrals.programs.editor import as_form, as_rules
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import EventField, EventKind, EventPay, Terms
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_shop_that_pays

pytestmark = pytest.mark.anyio
TRIAL = EventKind(
    "trial_started",
    ["value"],
    [
        EventField("plan", one_of=["basic", "pro"], required=True),
        EventField("seats", "whole"),
        EventField("yearly", "yes_no"),
        EventField("begins", "day"),
        EventField("source"),
    ],
)
DECLARED = Terms(currency="USD", events=[EventPay("trial_started", amount=200)], kinds=[TRIAL], unknown_kinds="refuse")
GOOD = {"kind": "trial_started", "value": {"amount": 900, "currency": "USD"}, "fields": {"plan": "pro"}}


async def a_telling_shop(web: Browser, terms: Terms) -> tuple[Person, Person, str]:
    """Its owner, a member who shares, and a click on that member's link."""
    owner, kol = await a_member("ona"), await a_member("kol")
    shop = await a_shop_that_pays(terms)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    return owner, kol, await a_click(web, kol, shop)


async def test_a_declared_kind_with_its_fields_is_kept_and_paid_once(web: Browser):
    owner, kol, gv = await a_telling_shop(web, DECLARED)
    fields = {"plan": "pro", "seats": 3, "yearly": False, "begins": "2026-11-30", "source": "ad  b"}
    told = GOOD | {"store": "north", "id": "e1", "gv": gv, "fields": fields, "quantity": 2}
    as_owner = web(token=owner.token)
    answers = [await as_owner.post("/api/v1/conversions", json=told) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["fields"] == fields | {"source": "ad b"} and answers[0].json()["is_known"] is True
    other = await as_owner.post("/api/v1/conversions", json=told | {"fields": fields | {"seats": 4}})
    assert other.status_code == 409, "the same id with another field is another fact"
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 400}
    await books_are_right()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "trial_stopped"}, "kind"),
        ({"value": None}, "value"),
        ({"fields": {}}, "fields.plan"),
        ({"fields": {"plan": "gold"}}, "fields.plan"),
        ({"fields": {"plan": "pro", "colour": "red"}}, "fields.colour"),
        ({"fields": {"plan": "pro", "seats": "3"}}, "fields.seats"),
        ({"fields": {"plan": "pro", "seats": True}}, "fields.seats"),
        ({"fields": {"plan": "pro", "yearly": 1}}, "fields.yearly"),
        ({"fields": {"plan": "pro", "begins": "30.11.2026"}}, "fields.begins"),
        ({"fields": {"plan": "pro", "source": 7}}, "fields.source"),
    ],
)
async def test_what_is_not_as_declared_is_refused_by_its_field_and_leaves_nothing(web: Browser, changed, field: str):
    owner, kol, gv = await a_telling_shop(web, DECLARED)
    told = GOOD | {"store": "north", "id": "e1", "gv": gv} | changed
    answer = await web(token=owner.token).post("/api/v1/conversions", json=told)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    if field == "kind":
        assert "they name: trial_started" in answer.text
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM conversion") == 0 and await standing(kol) == {}
    await books_are_right()


async def test_fields_are_bounded_whoever_declares_nothing(web: Browser):
    owner, _kol, gv = await a_telling_shop(web, Terms())
    as_owner = web(token=owner.token)
    too_much = [
        {f"f{n}": 1 for n in range(21)}, {"Not A Name": 1}, {"x": "y" * 201}, {"x": [1]}, {"x": 1.5}, {"x": 10**13},
        {"x": None},
    ]  # fmt: skip
    for fields in too_much:
        told = {"store": "north", "id": "e1", "kind": "anything", "gv": gv, "fields": fields}
        assert (await as_owner.post("/api/v1/conversions", json=told)).status_code in (400, 422), fields
    kept = await as_owner.post(
        "/api/v1/conversions", json={"store": "north", "id": "e1", "kind": "anything", "fields": {"x": 1, "y": "ü"}}
    )
    assert kept.status_code == 201 and kept.json()["is_known"] is True, "rules that name no kinds know every kind"


async def test_an_unknown_kind_is_kept_without_pay_and_told_to_the_server_and_the_owner(web: Browser):
    terms = Terms(currency="USD", events=[EventPay("call", amount=50)], kinds=[TRIAL])
    owner, kol, gv = await a_telling_shop(web, terms)
    as_owner = web(token=owner.token)
    told = {"store": "north", "gv": gv}
    answer = await as_owner.post("/api/v1/conversions", json=told | {"id": "1", "kind": "webinar", "fields": {"a": 1}})
    assert answer.status_code == 201 and answer.json()["is_known"] is False
    assert "do not name “webinar”" in answer.json()["words"]
    for n, kind in enumerate(("call", "order", "signup")):
        known = await as_owner.post("/api/v1/conversions", json=told | {"id": f"k{n}", "kind": kind})
        assert known.status_code == 201 and known.json()["is_known"] is True, kind
    await run_jobs()
    assert await standing(kol) == {("pending", "USD"): 50}
    at = "/admin/programs/north/conversions"
    browser = await sign_in(web(), owner)
    shown = (await browser.get(at)).text
    assert shown.count("not named: kept, pays nothing") == 1 and "webinar" in shown
    assert "未列出：已保留，不付佣金" in (await browser.get(f"{at}?lang=zh-Hans")).text
    assert (await (await sign_in(web(), kol)).get(at)).status_code == 403
    assert (await web().get(at)).status_code in (302, 303, 401)
    clock.travel(timedelta(days=31))
    later = (await (await sign_in(web(), owner)).get(at)).text
    assert "Nothing was told yet" in later and "webinar" not in later
    await books_are_right()


async def test_rules_that_change_meanwhile_do_not_make_a_second_telling_wrong(web: Browser):
    owner, _kol, gv = await a_telling_shop(web, Terms())
    as_owner = web(token=owner.token)
    told = {"store": "north", "id": "e1", "kind": "webinar", "gv": gv}
    first = await as_owner.post("/api/v1/conversions", json=told)
    await publish_rules("north", terms=DECLARED)
    again = await as_owner.post("/api/v1/conversions", json=told)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert (await as_owner.post("/api/v1/conversions", json=told | {"id": "e2"})).status_code == 422


@pytest.mark.parametrize("kinds", [[], [TRIAL], [EventKind("call"), EventKind("demo", ["gv", "customer_id"])]])
def test_what_the_form_shows_of_kinds_is_what_it_sends(kinds: list[EventKind]):
    rules, terms = Rules(1000), Terms(kinds=kinds, unknown_kinds="refuse")
    assert as_rules(as_form(rules, terms, 1)) == (rules, terms)


async def test_the_owner_declares_kinds_on_the_page(web: Browser):
    owner, _kol, _gv = await a_telling_shop(web, Terms())
    browser, page = await sign_in(web(), owner), "/admin/programs/north/rules"
    typed = "trial_started: plan! basic|pro, seats whole, value!\ncall"
    form = {"rate": "10 %", "base_version": "2", "kinds": typed, "unknown_kinds": "refuse"}
    shown = await submit(browser, f"{page}/preview", form, page=page)
    assert shown.status_code == 200 and "nothing but: call, trial_started." in shown.text
    assert "Your server tells of: trial_started: plan! basic|pro, seats whole, value!." in shown.text
    answer = await submit(browser, f"{page}/preview", form | {"kinds": ""}, page=page)
    assert answer.status_code == 422, "nothing could be told at all"
    for wrong in ("Trial", "trial: Plan", "trial: plan number", "trial: plan a|a", "a: x, x", "a: value", "a\na"):
        answer = await submit(browser, f"{page}/preview", form | {"kinds": wrong}, page=page)
        assert answer.status_code == 422 and 'id="kinds-error"' in answer.text, wrong


@pytest.mark.parametrize(
    "kind",
    [
        EventKind("a", fields=[EventField("x", one_of=["one"])]),
        EventKind("a", fields=[EventField("x", one_of=["a,b", "c"])]),
        EventKind("a", fields=[EventField("x", "whole", one_of=["a", "b"])]),
        EventKind("a", ["gv", "gv"]),
    ],
)
async def test_kinds_that_cannot_be_kept_to_are_not_published(web: Browser, kind: EventKind):
    await a_shop_that_pays(Terms())
    with pytest.raises(Invalid):
        await publish_rules("north", terms=Terms(kinds=[kind]))
