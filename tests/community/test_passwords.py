import asyncio
import re
import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from app import clock, db
from app.settings import settings
from tests.factories import PASSWORD, Browser, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio
NEW = "another few good words"


class Letterbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.letters: list = []

    def handle_message(self, message) -> None:
        self.letters.append(message)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch):
    """Mail goes to a real SMTP server of ours; the letters it took."""
    box = Letterbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    monkeypatch.setenv("GRAPEVINE_SMTP_URL", f"smtp://127.0.0.1:{port}")
    settings.cache_clear()
    yield box.letters
    server.stop()
    monkeypatch.delenv("GRAPEVINE_SMTP_URL")
    settings.cache_clear()


async def signs_in(web: Browser, handle: str, password: str) -> bool:
    answer = await submit(web(), "/login", {"login": handle, "password": password})
    return answer.status_code == 303


async def test_a_new_password_signs_out_everywhere_else(web: Browser):
    mia = await a_member("mia")
    here, elsewhere = await sign_in(web(), mia), await sign_in(web(), mia)
    wrong = await submit(here, "/settings/password", {"current": "not it at all", "password": NEW})
    assert wrong.status_code == 422 and "not it at all" not in wrong.text
    assert (await submit(here, "/settings/password", {"current": PASSWORD, "password": "short"})).status_code == 422
    assert (await submit(here, "/settings/password", {"current": PASSWORD, "password": NEW})).status_code == 303
    assert (await here.get("/settings/")).status_code == 200
    assert (await elsewhere.get("/settings/")).status_code == 303
    assert await signs_in(web, "mia", NEW) and not await signs_in(web, "mia", PASSWORD)


async def test_a_mailed_link_gives_a_new_password_once(web: Browser, letters: list):
    mia = await a_member("mia")
    await run_jobs()
    letters.clear()
    browser = await sign_in(web(), mia)
    assert (await submit(web(), "/login/forgotten", {"login": "MIA@example.org"})).status_code == 303
    await run_jobs()
    (letter,) = letters
    assert letter["To"] == "mia@example.org"
    link = re.search(r"/login/reset/\S+", letter.get_payload(decode=True).decode())[0]
    assert (await submit(web(), link, {"password": "short"})).status_code == 422
    assert (await submit(web(), link, {"password": NEW})).status_code == 303
    assert (await web().get(link)).status_code == 410
    assert (await browser.get("/settings/")).status_code == 303
    assert await signs_in(web, "mia", NEW) and not await signs_in(web, "mia", PASSWORD)


async def test_an_unknown_name_gets_the_same_answer_and_no_letter(web: Browser, letters: list):
    await a_member("mia")
    await run_jobs()
    letters.clear()
    known = await submit(web(), "/login/forgotten", {"login": "mia"})
    unknown = await submit(web(), "/login/forgotten", {"login": "nobody"})
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    await run_jobs()
    assert [letter["To"] for letter in letters] == ["mia@example.org"]


async def test_a_late_altered_or_made_up_link_opens_nothing(web: Browser):
    from community.sessions.passwords import _credential, address_of_reset

    mia, eve = await a_member("mia"), await a_member("eve")
    link = address_of_reset(await _credential(mia.id))
    altered = link[:-1] + ("0" if link[-1] != "0" else "1")
    anothers = link.replace(f"/{mia.id}.", f"/{eve.id}.")
    made_up = ("x", "9" * 40 + ".1.x", "²..", f"{mia.id}.²." + "0" * 64)
    for wrong in (altered, anothers, *(f"/login/reset/{token}" for token in made_up)):
        assert (await web().get(wrong)).status_code == 410
    clock.travel(timedelta(minutes=61))
    assert (await web().get(link)).status_code == 410
    assert await signs_in(web, "mia", PASSWORD)


async def test_two_uses_of_one_link_at_once_leave_one_password(web: Browser):
    from community.sessions import passwords

    mia = await a_member("mia")
    token = passwords.address_of_reset(await passwords._credential(mia.id)).rpartition("/")[2]
    await asyncio.gather(passwords.reset(token, NEW), passwords.reset(token, NEW + "!"), return_exceptions=True)
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'PasswordChanged'") == 1


async def test_guessing_the_old_password_is_slowed_down(web: Browser):
    browser = await sign_in(web(), await a_member("mia"))
    answers = [
        await submit(browser, "/settings/password", {"current": f"guess number {n}", "password": NEW})
        for n in range(11)
    ]
    assert answers[-1].status_code == 429
