"""Every door of every programme, tried by those it is not for: nobody, a member, the owner of the shop next door."""

import json
import re
from collections.abc import Iterator

import pytest

from app import db
from tests.factories import Browser, Person, a_member, sign_in, words_of
from tests.referrals.test_codes import a_shop_of

pytestmark = pytest.mark.anyio
OURS = ("/admin/programs/{slug", "/api/v1/stores/{slug")
# Every member's own: what a shop sells, what its programme promises, where one stands with it.
EVERYBODYS = re.compile(r"/stores/\{slug\}/(products|partnership|messages/mine|codes/entered$)|^GET .*/program$")


def doors() -> Iterator[tuple[str, str]]:
    """Method and path of everything below a programme, as the app itself knows them."""
    from app.main import build

    for route in build().routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        if path.startswith(OURS):
            for method in sorted(getattr(route, "methods", set()) - {"OPTIONS", "HEAD"}):
                if not EVERYBODYS.search(f"{method} {path}"):
                    yield method, path


def filled(path: str, slug: str) -> str:
    path = path.replace("{slug}", slug)
    for name, value in (("handle", "ines"), ("host", "go.example"), ("ref", "o1"), ("name", "x"), ("code", "x")):
        path = path.replace("{" + name + "}", value)
    return re.sub(r"\{\w+\}", "1", path)


async def knock(client, method: str, path: str, token: str) -> int:
    kind = {"json": {}} if path.startswith("/api") else {"data": {"_csrf": token}}
    answer = await client.request(method, path, **({} if method in ("GET", "DELETE") else kind))
    return answer.status_code


async def _csrf(browser) -> str:
    shown = await browser.get("/settings/password")
    found = re.search(r'name="_csrf" value="([0-9a-f]+)"', shown.text)
    assert found
    return found[1]


async def test_no_door_of_a_programme_opens_for_who_does_not_run_it(web: Browser):
    ines, mallory = await a_member("ines"), await a_member("mallory")
    await a_shop_of(ines)
    signed_in = await sign_in(web(), mallory)
    token = await _csrf(signed_in)
    as_program, nobody = web(token=mallory.token), web()
    open_ = []
    tried = list(doors())
    assert len(tried) > 80
    for method, door in tried:
        path = filled(door, "north")
        for who, client in (("member", as_program if path.startswith("/api") else signed_in), ("nobody", nobody)):
            status = await knock(client, method, path, token if who == "member" else "")
            # Nobody is sent to the sign-in page; a wrong body may be seen first, as long as nothing is told.
            is_shut = status in (401, 403, 404, 400, 422) or (who == "nobody" and status in (302, 303, 429))
            if not is_shut:
                open_.append((who, method, path, status))
    assert open_ == []


async def test_no_door_of_a_programme_leads_into_the_one_next_door(web: Browser):
    """South's owner asks south's doors for the rows of north; south has none of its own."""
    ines, otto = await a_member("ines"), await a_member("otto")
    await a_shop_of(ines)
    await a_shop_of(otto, "south")
    await _rows_at_north(ines)
    signed_in = await sign_in(web(), otto)
    token = await _csrf(signed_in)
    as_program, open_ = web(token=otto.token), []
    for method, door in doors():
        if not re.search(r"\{\w+_id\}", door):
            continue
        path = filled(door, "south")
        status = await knock(as_program if path.startswith("/api") else signed_in, method, path, token)
        if status not in (403, 404, 400, 409, 422):
            open_.append((method, path, status))
    assert open_ == []
    assert await db.fetch_val("SELECT state FROM payout_batch") == "frozen"
    assert await db.fetch_val("SELECT state FROM fraud_case") == "open"
    assert await db.fetch_val("SELECT ended_at IS NULL FROM rate_override")
    assert await db.fetch_val("SELECT ended_at IS NULL FROM partner_invite")
    assert await db.fetch_val("SELECT disabled_at IS NULL FROM code WHERE id = 1") in (True, None)


async def _rows_at_north(ines: Person) -> None:
    """One of each, numbered as the doors will ask for it."""
    program = await db.fetch_val("SELECT id FROM program ORDER BY id LIMIT 1")
    store = await db.fetch_val("SELECT id FROM store WHERE slug = 'north'")
    await db.execute(
        """INSERT INTO payout_batch (id, store_id, currency, cutoff_at, minimum, state, failures, created_at)
           VALUES (1, $1, 'USD', now(), 1, 'frozen', 0, now())""",
        store,
    )
    await db.execute(
        """INSERT INTO fraud_case (id, store_id, member_id, rule, state, opened_at, due_at, resolution)
           VALUES (1, $1, $2, 'velocity', 'open', now(), now(), '')""",
        store,
        ines.id,
    )
    await db.execute(
        """INSERT INTO rate_override (id, program_id, member_id, rate_bps, note, starts_at, expires_at, by_id)
           VALUES (1, $1, $2, 100, '', now(), now() + interval '9 days', $2)""",
        program,
        ines.id,
    )
    await db.execute(
        """INSERT INTO partner_invite (id, program_id, code, note, tier, most_uses, expires_at, by_id, created_at)
           VALUES (1, $1, 'x', '', '', 1, now() + interval '9 days', $2, now())""",
        program,
        ines.id,
    )
    await db.execute(
        """INSERT INTO bounty (id, program_id, title, brief, amount, currency, most_awards, closes_at, by_id,
                               created_at)
           VALUES (1, $1, 'A', 'B', 5, 'USD', 1, now() + interval '9 days', $2, now())""",
        program,
        ines.id,
    )
    await db.execute(
        """INSERT INTO bounty_submission (id, bounty_id, member_id, proof_url, note, reach, state, created_at)
           VALUES (1, 1, $1, 'https://a.example', '', 0, 'waiting', now())""",
        ines.id,
    )
    await db.execute(
        """INSERT INTO campaign (id, program_id, name, brief, starts_at, ends_at, currency, fee_budget, promised, by_id,
                                 created_at)
           VALUES (1, $1, 'Spring', '', now(), now() + interval '9 days', 'USD', 9, 9, $2, now())""",
        program,
        ines.id,
    )


async def test_what_a_shop_keeps_of_a_sale_is_told_to_who_runs_it_alone(web: Browser):
    """A member may know what they are paid, and that a line never pays more than a part of the shop's margin."""
    from referrals.programs.service import publish_rules
    from referrals.programs.terms import Margin, Terms

    ines, mallory = await a_member("ines"), await a_member("mallory")
    await a_shop_of(ines)
    await publish_rules("north", terms=Terms(margins=[Margin(margin_bps=3_721)], margin_share_bps=5_000))
    door = "/api/v1/stores/north/program"
    own = (await web(token=ines.token).get(door)).json()
    assert own["terms"]["margins"][0]["margin_bps"] == 3_721
    told = await web(token=mallory.token).get(door)
    page = await (await sign_in(web(), mallory)).get("/earn/programs/north")
    assert told.status_code == page.status_code == 200
    figures: list[str] = []
    json.loads(told.text, parse_int=figures.append, parse_float=figures.append)
    assert figures and not {"3721", "37.21"} & set(figures)
    assert not {"margins", "margin_share_bps"} & told.json()["terms"].keys()
    assert "3721" not in words_of(page.text) and "37.21" not in words_of(page.text)


async def test_nobody_has_codes_drawn_without_end(web: Browser):
    kol = await a_member("kol")
    code = await db.fetch_val("SELECT code FROM link WHERE owner_id = $1", kol.id)
    browser = web()
    answers = [(await browser.get(f"/r/{code}/qr.svg")).status_code for _n in range(245)]
    assert answers[0] == 200 and answers[-1] == 429
