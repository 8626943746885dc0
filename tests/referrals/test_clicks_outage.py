"""What becomes of clicks when the database goes away, the web process is killed, or both."""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from app import embedded
from tests.referrals.outage import Place, click_in


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="gv-outage-"))
    folder.chmod(0o755)
    try:
        place = Place(folder)
        place.prepare()
        yield place
    finally:
        embedded.forget(folder)
        shutil.rmtree(folder, ignore_errors=True)


def test_links_work_without_the_database_and_no_click_is_lost_or_counted_twice(place: Place):
    seen: list[UUID] = []
    with place.web() as web:
        seen.append(_follow(place))
        # Nobody ever came by the drawer's link: it was learnt on the walk.
        _until(lambda: b"\ndrawer " in _known(place) and b"\nshelf " in _known(place))
        place.stop_servers()
        seen += [_follow(place) for _ in range(19)]
        seen.append(_follow(place, "drawer"))
        assert list((place.folder / "spool").glob("*.clicks"))
        web.kill()
        web.wait()
    # Cold: a new process, no database, and a record that the crash tore in two.
    _tear(place)
    with place.web():
        seen += [_follow(place) for _ in range(4)]
        seen.append(_follow(place, "old-drawer"))
        assert place.click("nobody").status_code == 503
        place.start_servers()
        _until(lambda: not list((place.folder / "spool").glob("*.clicks")), seconds=20)
        seen.append(_follow(place))
    assert len(set(seen)) == 27
    assert _in_the_books(place, seen) == 27
    assert _counted(place) == _rows(place) >= 27


def test_a_spool_that_was_written_but_not_deleted_changes_nothing(place: Place):
    with place.web() as web:
        place.stop_servers()
        seen = [_follow(place) for _ in range(3)]
        web.kill()
        web.wait()
    file = next((place.folder / "spool").glob("*.clicks"))
    kept = file.read_bytes()
    place.start_servers()
    with place.web():
        _until(lambda: not file.exists(), seconds=20)
    before = _rows(place), _counted(place)
    file.write_bytes(kept)
    with place.web():
        _until(lambda: not file.exists(), seconds=20)
    assert (_rows(place), _counted(place)) == before
    assert _in_the_books(place, seen) == 3


def test_who_was_sent_on_is_in_the_books_though_the_server_was_killed_under_them(place: Place):
    seen = asyncio.run(_visits_and_kills(place, kills=3))
    assert len(seen) > 50 and _in_the_books(place, seen) == len(seen) == len(set(seen))


async def _visits_and_kills(place: Place, kills: int) -> list[UUID]:
    seen: list[UUID] = []
    for _kill in range(kills):
        with place.web() as web:
            visitors = [asyncio.create_task(place.click_for_ever(seen)) for _ in range(16)]
            await asyncio.sleep(random.uniform(0.3, 1.0))
            web.kill()
            await asyncio.gather(*visitors)
    return seen


def _known(place: Place) -> bytes:
    file = place.folder / "links.snapshot"
    return file.read_bytes() if file.exists() else b""


def _follow(place: Place, code: str = "shelf") -> UUID:
    answer = place.click(code)
    assert answer.status_code == 302, answer.text
    return click_in(answer.headers["location"])


def _tear(place: Place) -> None:
    with max((place.folder / "spool").glob("*.clicks")).open("ab") as file:
        file.write(b'1a2b3c4d {"id":"0190')


def _in_the_books(place: Place, ids: list[UUID]) -> int:
    return asyncio.run(place.sql("SELECT count(*) FROM click WHERE id = ANY($1::uuid[])", ids))[0][0]


def _rows(place: Place) -> int:
    return asyncio.run(place.sql("SELECT count(*) FROM click"))[0][0]


def _counted(place: Place) -> int:
    return asyncio.run(place.sql("SELECT sum(clicks)::bigint FROM click_count"))[0][0]


def _until(holds, *, seconds: float = 10) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
