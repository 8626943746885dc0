"""Which links the redirect keeps in mind: the visited ones first, then all there is room for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import db
from referrals.clicks import directory, last_known, learning
from referrals.clicks.directory import Way
from tests.factories import Browser, a_member
from tests.referrals.cast import a_link, a_paying_shop, click

pytestmark = pytest.mark.anyio
WAY = Way(1, "https://north.example/p?gv=", "&afsrc=1", open=True)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(last_known, "file", lambda: tmp_path / "links.snapshot")
    last_known.empty()
    directory._ways.clear()
    yield
    last_known.empty()
    directory._ways.clear()


def room_for(links: int, monkeypatch: pytest.MonkeyPatch) -> None:
    size = last_known._size("a", last_known.msgspec.json.encode(WAY))
    monkeypatch.setattr(last_known, "MOST_BYTES", size * links)


def known() -> str:
    return "".join(code for code in "abcdefgh" if last_known.recall(code, Way) == WAY)


def test_the_one_nobody_visited_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch):
    room_for(3, monkeypatch)
    for code in "abc":
        last_known.remember(code, WAY)
    last_known.remember("a", WAY)
    last_known.remember("d", WAY)
    assert known() == "acd"


def test_what_is_only_read_displaces_nobody_and_is_the_first_to_go(monkeypatch: pytest.MonkeyPatch):
    room_for(3, monkeypatch)
    for code in "ab":
        last_known.remember(code, WAY)
    assert last_known.learn("c", WAY) and not last_known.learn("d", WAY)
    assert known() == "abc"
    last_known.remember("e", WAY)
    assert known() == "abe"
    last_known.forget("a")
    assert last_known.learn("d", WAY) and known() == "bde"


def test_the_bound_holds_when_a_way_grows_longer(monkeypatch: pytest.MonkeyPatch):
    room_for(2, monkeypatch)
    last_known.remember("a", WAY)
    last_known.remember("b", WAY)
    last_known.remember("b", Way(1, "x" * 200, "", open=True))
    assert last_known.recall("a", Way) is None and last_known.how_many() == 1


def test_the_next_process_knows_what_this_one_knew_and_a_torn_file_harms_nobody(monkeypatch: pytest.MonkeyPatch):
    last_known.remember("a", WAY)
    last_known.learn("b", Way(2, "/p/?gv=", "", open=False, blocked="disabled"))
    last_known.save(at_once=True)
    last_known.empty()
    assert last_known.load() == 2 and known() == "a"
    second = last_known.recall("b", Way)
    assert second is not None and not second.open
    last_known.empty()
    whole = last_known.file().read_bytes()
    last_known.file().write_bytes(whole[:-9])
    assert last_known.load() == 2
    assert last_known.recall("a", Way) is None, "cut off: as if it had never been known"
    last_known.empty()
    last_known.file().write_bytes(b"\x00\xff nothing")
    assert last_known.load() == 0
    last_known.file().write_bytes(whole)
    room_for(1, monkeypatch)
    last_known.load()
    assert last_known.how_many() == 1, "a file of a time with more room"


def test_a_full_book_is_not_written_over_and_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(last_known, "REST", 10**9)
    last_known.remember("a", WAY)
    last_known.save()
    last_known.remember("b", WAY)
    last_known.save()
    assert b"\nb " not in last_known.file().read_bytes()
    last_known.save(at_once=True)
    assert b"\nb " in last_known.file().read_bytes()


async def test_a_walk_knows_every_code_of_every_link_and_what_became_of_it(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(learning, "AT_ONCE", 2)
    monkeypatch.setattr(learning, "PAUSE_SECONDS", 0)
    mara = await a_member("mara")
    await a_paying_shop()
    links = [await a_link(web, mara, placement=f"p{n}") for n in range(5)]
    code = links[0]["code"]
    await db.execute(
        "INSERT INTO link_former_code (code, link_id, until) SELECT 'once-so', id, now() FROM link WHERE code = $1",
        code,
    )
    await learning.learn_all()
    scan = await db.fetch_val("SELECT scan_code FROM link WHERE code = $1", code)
    for one in [link["code"] for link in links] + ["once-so"]:
        way = last_known.recall(one, Way)
        assert way is not None and way.open and way.trigger == "link", one
    if scan:
        by_paper = last_known.recall(scan, Way)
        assert by_paper is not None and by_paper.trigger == "qr"
    await db.execute("UPDATE link SET disabled_at = now() WHERE code = $1", code)
    await learning.learn_all()
    closed = last_known.recall(code, Way)
    assert closed is not None and not closed.open and closed.blocked == "disabled"


async def test_guessing_codes_does_not_make_a_popular_link_cost_a_query(web: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(directory, "MOST", 4)
    # However slow the machine: what is asked here is who stays, not for how long.
    monkeypatch.setattr(directory, "FRESH_SECONDS", 600.0)
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    browser = web()
    await click(browser, code)
    for guess in range(20):
        assert (await browser.get(f"/r/guess-{guess}")).status_code == 404
        assert directory.remembered(code)[0], guess
    assert len(directory._ways) == 4
