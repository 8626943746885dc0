"""The score of a click: where its address stands and what its visitor did, beside honest people behind a VPN."""

from datetime import timedelta
from pathlib import Path

import pytest

from app import clock, db, settings
from referrals.clicks import classify, data_centres, queries
from referrals.clicks.behaviour import note_stays
from referrals.clicks.classify import DATA_CENTRE, FLEETING, NO_FETCH, STAYED, judge, signals_of
from referrals.clicks.data_centres import OURS, Ranges
from referrals.clicks.rescore import rescore
from referrals.clicks.service import claim
from tests.factories import Browser, a_member
from tests.referrals.cast import CHROME, a_link, a_paying_shop, click
from tests.referrals.test_dwell import visited

pytestmark = pytest.mark.anyio

HEARD = {b"accept-language": b"de", b"accept": b"text/html"}


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("198.51.100.0", True),
        ("198.51.100.255", True),
        ("::ffff:198.51.100.7", True),
        ("198.51.101.0", True),
        ("198.51.102.0", False),
        ("198.51.99.255", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("0.0.0.0", False),
        ("", False),
        ("not an address", False),
        ("198.51.100.7, 10.0.0.1", False),
    ],
)
def test_an_address_lies_in_a_range_or_not(address: str, is_inside: bool):
    lines = ["# ours", "", "198.51.100.0/23  # with a word", "198.51.100.7", "2001:db8::/32", "203.0.113.5/24"]
    assert (address in Ranges(lines)) is is_inside and "203.0.113.9" in Ranges(lines)


def test_the_list_we_begin_with_can_be_read_and_holds_nobodys_home():
    ours = Ranges(OURS.read_text("utf-8").splitlines())
    assert "159.65.3.4" in ours and "2a01:4f8::1" in ours
    assert not any(home in ours for home in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fe80::1"))


def test_an_operators_own_list_counts_and_a_wrong_one_refuses_to_start(tmp_path: Path):
    own, wrong = tmp_path / "own.txt", tmp_path / "wrong.txt"
    own.write_text("203.0.113.0/24\n")
    wrong.write_text("203.0.113.0/24\n203.0.113.0/99\n")
    assert settings.load({"GRAPEVINE_DATA_CENTRES": str(own)}).data_centres == own
    for path in (wrong, tmp_path / "missing.txt"):
        with pytest.raises(settings.BadSetting, match="GRAPEVINE_DATA_CENTRES"):
            settings.load({"GRAPEVINE_DATA_CENTRES": str(path)})


def test_whoever_is_behind_a_vpn_stays_a_person_and_a_machine_that_hides_there_does_not(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(data_centres, "known_ranges", lambda: Ranges(["203.0.113.0/24"]))
    agent = classify.agent(CHROME.encode())
    modern = {**HEARD, b"sec-fetch-dest": b"document", b"sec-fetch-user": b"?1"}
    behind_a_vpn = signals_of("GET", modern, agent, is_https=True, address="203.0.113.9")
    at_home = signals_of("GET", modern, agent, is_https=True, address="192.0.2.9")
    assert (behind_a_vpn, at_home) == (DATA_CENTRE, 0)
    assert judge("human", behind_a_vpn) == ("human", 35) and judge("human", at_home) == ("human", 0)
    assert judge("human", behind_a_vpn | FLEETING)[0] == "human", "people leave at once, too"
    assert judge("human", behind_a_vpn | STAYED) == ("human", 10)
    # It says that it is Chrome, and does not say what every Chrome says; and it was never seen on the page.
    dressed = signals_of("GET", HEARD, agent, is_https=True, address="203.0.113.9")
    assert dressed == DATA_CENTRE | NO_FETCH and judge("human", dressed) == ("human", 50)
    assert judge("human", dressed | FLEETING) == ("bot", 65) and judge("human", dressed | STAYED)[0] == "human"
    assert judge("human", signals_of("GET", HEARD, agent, is_https=True) | FLEETING)[0] == "human"
    assert judge("human", STAYED) == ("human", 0), "no score is below nothing"


async def test_a_redirect_notes_where_the_address_stands_and_keeps_no_address(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    said = {"accept-language": "de", "accept": "text/html"}
    await a_paying_shop()
    code = (await a_link(web, await a_member("mara")))["code"]
    await click(web(), code, **said)
    monkeypatch.setattr(data_centres, "known_ranges", lambda: Ranges(["127.0.0.1"]))
    await click(web(), code, **said)
    rows = await db.fetch("SELECT * FROM click ORDER BY id")
    assert [row["signals"] & DATA_CENTRE for row in rows] == [0, DATA_CENTRE]
    assert [row["bot_score"] for row in rows] == [0, 35] and {row["kind"] for row in rows} == {"human"}
    assert not any("127.0.0.1" in str(value) for row in rows for value in row.values())


async def two_links(web: Browser) -> tuple[str, str]:
    await a_paying_shop()
    mara, bob = await a_member("mara"), await a_member("bob")
    return (await a_link(web, mara))["code"], (await a_link(web, bob))["code"]


async def agents_known() -> None:
    """Visits written by hand have an agent as those by the door do, so that they can be judged anew."""
    agent = classify.agent(CHROME.encode())
    await db.execute(
        "INSERT INTO click_agent (hash, agent) VALUES ($1, $2) ON CONFLICT DO NOTHING", agent.hash, agent.text
    )
    await db.execute("UPDATE click SET agent_hash = $1, score_version = $2", agent.hash, classify.SCORE_VERSION)


async def score_everything() -> None:
    while await note_stays():
        pass
    await rescore()


async def verdicts(code: str) -> dict[tuple[str, int], int]:
    rows = await db.fetch(
        """SELECT c.kind, c.bot_score, count(*) AS n FROM click c JOIN link l ON l.id = c.link_id
            WHERE l.code = $1 GROUP BY 1, 2""",
        code,
    )
    return {(row["kind"], row["bot_score"]): row["n"] for row in rows}


async def test_what_a_visitor_did_changes_the_score_where_others_stayed(web: Browser):
    code, silent = await two_links(web)
    hidden = DATA_CENTRE | NO_FETCH
    await visited(code, 15, 24)
    await visited(code, None, 9, signals=hidden)
    await visited(code, 300, 2, signals=hidden)
    # A shop without the script tells nothing of anybody.
    await visited(silent, None, 30, signals=hidden)
    await agents_known()
    await score_everything()
    assert await verdicts(code) == {("human", 0): 24, ("bot", 65): 9, ("human", 25): 2}
    assert await verdicts(silent) == {("human", 0): 30}, "and keeps the score it had"
    assert await note_stays() == 0 and await rescore() == 0


async def test_a_page_that_is_still_open_has_told_nothing_yet(web: Browser):
    code, _other = await two_links(web)
    await visited(code, 15, 24)
    gv = await click(web(), code)
    await agents_known()
    await score_everything()
    assert await db.fetch_val("SELECT signals & $2 FROM click WHERE id = $1::uuid", gv, STAYED | FLEETING) == 0


async def test_a_better_guess_moves_no_click_that_money_was_decided_by(web: Browser):
    code, _other = await two_links(web)
    await visited(code, 15, 24)
    await visited(code, None, 2, signals=DATA_CENTRE | NO_FETCH)
    await visited(code, 15, 1)
    await agents_known()
    first, _second = await db.fetch("SELECT id FROM click WHERE signals > 0 ORDER BY id")
    assert await claim((await a_member("cleo")).id, first["id"].hex)
    before = await db.fetch_val("SELECT coalesce(sum(clicks), 0) FROM click_count WHERE kind = 'bot'")
    await score_everything()
    rows = await db.fetch("SELECT id = $1 AS is_claimed, kind, bot_score FROM click WHERE bot_score >= 60", first["id"])
    assert {(row["is_claimed"], row["kind"], row["bot_score"]) for row in rows} == {
        (True, "human", 65),
        (False, "bot", 65),
    }
    assert await db.fetch_val("SELECT sum(clicks) FROM click_count WHERE kind = 'bot'") == before + 1


async def test_the_counts_follow_the_verdicts(web: Browser, monkeypatch: pytest.MonkeyPatch):
    code, _other = await two_links(web)
    monkeypatch.setattr(data_centres, "known_ranges", lambda: Ranges(["127.0.0.1"]))
    for _ in range(3):
        await click(web(), code)
    await db.execute("UPDATE click SET signals = signals | $1, score_version = 0", FLEETING | NO_FETCH)
    assert await rescore() == 3 and await verdicts(code) != {} and await queries.counted_wrongly() == []
    assert {row["kind"] for row in await db.fetch("SELECT kind FROM click")} == {"bot"}
    assert clock.now() - timedelta(days=1) < await db.fetch_val("SELECT max(occurred_at) FROM click")
