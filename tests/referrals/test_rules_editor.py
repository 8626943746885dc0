"""The owner writes the rules on a page without a script, sees what would change, and finds every version again."""

import re
from html import unescape

import msgspec
import pytest

from app import db
from referrals.commissions import examples as quote_examples
from referrals.programs import examples as program_examples
from referrals.programs.editor import as_form, as_rules
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import (
    Caps,
    CodeRate,
    EventField,
    EventKind,
    EventPay,
    Exclusion,
    Friend,
    Margin,
    Recruiting,
    Release,
    Rule,
    Step,
    Terms,
    Volume,
    Wait,
)  # fmt: skip
from tests.factories import Browser, a_member, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio
RULES = "/admin/programs/north/rules"

EVERYTHING = Terms(
    currency="USD",
    rules=[
        Rule(name="Packs", scope="category", value="Bags / Packs", rate_bps=1250, tier="gold", budget="Launch"),
        Rule(name="Each", scope="product", value="SKU-1", kind="flat", amount=350),
    ],
    deny=[Exclusion("brand", "Other")],
    sale_bps=3000,
    codes=[CodeRate("SUMMER=20", 500), CodeRate("P", 2000, "instead")],
    margins=[Margin(1200, "category", "Electronics")],
    margin_share_bps=5000,
    pays_for="first_orders",
    pays_for_n=3,
    budget="All",
    volume=Volume("marginal", [Step(100_000, 1200), Step(500_000, 1500)]),
    friend=Friend("flat", amount=500),
    recruiting=Recruiting(1000, 6),
    market="US",
    activation=200,
    activation_needs="both",
    events=[EventPay("trial", "percent", 250), EventPay("call", amount=99)],
    release=Release("delivered", 14, 45),
    waits=[Wait(60, "category", "Sofas", "Gold"), Wait(7, tier="Gold")],
    kinds=[EventKind("trial", ["gv"], [EventField("plan", one_of=["a", "b c"], required=True)])],
    unknown_kinds="refuse",
)


@pytest.mark.parametrize("terms", [Terms(), EVERYTHING, Terms(currency="JPY", caps=Caps(1, 2, 3, 4))])
def test_what_the_form_shows_is_what_it_sends(terms: Terms):
    rules = Rules(1075, 20, 45, "first")
    assert as_rules(as_form(rules, terms, 3)) == (rules, terms)


async def test_an_owner_writes_rules_sees_the_change_and_publishes_it(web: Browser):
    owner = await a_member("ona")
    await a_shop("north", owner_id=owner.id)
    browser = await sign_in(web(), owner)
    typed = {
        "rate": "10 %", "hold_days": "14", "window_days": "30", "currency": "usd", "base_version": "0",
        "deny": "category: Gift cards", "cap_month": "500.00", "codes": "SUMMER20 = 5 %",
        "rule_name": ["Packs", ""], "rule_scope": ["category", ""], "rule_value": ["Bags", ""],
        "rule_pay": ["12.5 %", ""], "rule_tier": ["", ""], "rule_from": ["", ""], "rule_until": ["", ""],
        "rule_budget": ["", ""],
    }  # fmt: skip
    shown = await submit(browser, f"{RULES}/preview", typed, page=RULES)
    assert shown.status_code == 200 and await db.fetch_val("SELECT count(*) FROM program_version") == 0
    assert (
        "Packs: 12.5 % for the category Bags." in shown.text and "At most $500.00 to a member in a month." in shown.text
    )
    draft = unescape(re.search(r'name="draft" value="([^"]+)"', shown.text)[1])  # type: ignore[index]
    answer = await submit(browser, RULES, {"draft": draft, "base_version": "0"}, page=RULES)
    assert answer.status_code == 303
    row = await db.fetch_one("SELECT * FROM program_version")
    assert row and (row["rate_bps"], row["by_id"], row["terms"]["caps"]) == (1000, owner.id, {"month": 50_000})
    again = await submit(browser, RULES, {"draft": draft, "base_version": "0"}, page=RULES)
    assert again.status_code == 409, "somebody else's version is not run over"
    history = (await browser.get(f"{RULES}/versions")).text
    assert "Version 1" in history and "Nothing for the category Gift cards." in history
    filled = (await browser.get(RULES)).text
    assert 'value="12.5 %"' in filled and "SUMMER20 = 5 %" in filled


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("rate", "ten", "is not a number"),
        ("rate", "101 %", "0 to 100"),
        ("cap_day", "5", "currency they are in"),
        ("deny", "Gift cards", "write category"),
        ("codes", "SUMMER", "write what it is for"),
        ("recruiting", "10 %", "second level is off"),
        ("release_days", "9999", "365"),
    ],
)
async def test_what_cannot_be_read_is_said_beside_its_field(web: Browser, field: str, value: str, complaint: str):
    owner = await a_member("ona")
    await a_shop("north", owner_id=owner.id)
    browser = await sign_in(web(), owner)
    typed = {"rate": "10 %", "release": "paid"} | {field: value}
    answer = await submit(browser, f"{RULES}/preview", typed, page=RULES)
    assert answer.status_code == 422 and complaint in answer.text
    assert await db.fetch_val("SELECT count(*) FROM program_version") == 0


async def test_programs_read_and_write_the_rules_too(web: Browser):
    owner, stranger = await a_member("ona"), await a_member("sam")
    await a_shop("north", owner_id=owner.id)
    door = "/api/v1/stores/north/program"
    told = {"rate_bps": 1000, "terms": {"currency": "EUR", "caps": {"order": 700}}, "base_version": 0}
    assert (await web(token=stranger.token).put(door, json=told)).status_code == 403
    made = await web(token=owner.token).put(door, json=told)
    assert made.status_code == 200 and made.json()["version"] == 1
    assert (await web(token=owner.token).put(door, json=told)).status_code == 409
    wrong = await web(token=owner.token).put(door, json={"rate_bps": 1000, "terms": {"caps": {"order": 7}}})
    assert wrong.status_code == 422 and "currency" in wrong.text
    seen = (await web(token=stranger.token).get(door)).json()
    assert (
        seen["terms"] == {"currency": "EUR", "caps": {"order": 700}} and "At most €7.00 for an order." in seen["words"]
    )


async def test_whoever_publishes_one_part_leaves_the_other_as_it_was(web: Browser):
    await a_shop("north")
    await publish_rules("north", Rules(700), terms=Terms(sale_bps=100))
    await publish_rules("north", Rules(800))
    await publish_rules("north", terms=Terms(sale_bps=200))
    rows = await db.fetch("SELECT rate_bps, terms FROM program_version ORDER BY version")
    assert [(row["rate_bps"], row["terms"]["sale_bps"]) for row in rows] == [(700, 100), (800, 100), (800, 200)]


async def test_the_examples_of_the_document_are_taken(web: Browser):
    """They name a store and a product that the world of examples has."""
    owner = await a_member("ona")
    shop = await a_shop("north", owner_id=owner.id)
    await a_product(shop, "GR-38", title="Hand grinder 38 mm")
    client = web(token=owner.token)
    told = await client.put("/api/v1/stores/north/program", json=msgspec.to_builtins(program_examples.told))
    assert told.status_code == 200 and told.json()["words"][:2] == program_examples.program.words
    answer = await client.post("/api/v1/stores/north/quotes", json=msgspec.to_builtins(quote_examples.cart))
    assert answer.status_code == 200 and answer.json()["amount"] == {"amount": 1680, "currency": "USD"}


@pytest.mark.parametrize("odd", ["\x00", "1e400", "NaN", "= = =", "9" * 60])
async def test_odd_words_get_an_answer_and_never_a_crash(web: Browser, odd: str):
    owner = await a_member("ona")
    await a_shop("north", owner_id=owner.id)
    await publish_rules("north", Rules(1000))
    browser, place = await sign_in(web(), owner), "/admin/programs/north"
    for field in ("rate", "currency", "deny", "codes", "cap_day", "volume", "friend", "market", "events", "budget"):
        typed = {"rate": "10 %", "currency": "USD", "volume_mode": "marginal"} | {field: odd}
        assert (await submit(browser, f"{RULES}/preview", typed, page=RULES)).status_code in (200, 422), field
    for field in ("name", "most", "currency"):
        typed = {"name": "A", "most": "1", "currency": "USD"} | {field: odd}
        answer = await submit(browser, f"{place}/budgets", typed, page=f"{place}/budgets")
        assert answer.status_code in (303, 400, 422), field
    assert (await browser.get(f"{RULES}/versions?before=0")).status_code == 200
    assert (await submit(browser, RULES, {"draft": odd}, page=RULES)).status_code in (400, 422)
