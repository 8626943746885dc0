import pytest

from app import db
from community.sessions.devices import device_name
from tests.factories import PASSWORD, Browser, a_member, sign_in, submit

pytestmark = pytest.mark.anyio


async def test_a_newcomer_joins_and_is_signed_in(web: Browser):
    browser = web()
    answer = await submit(
        browser, "/join", {"handle": "Mia", "email": "mia@example.org", "password": PASSWORD, "display_name": "Mia"}
    )
    assert answer.status_code == 303
    assert "gv_session" in browser.cookies
    assert (await browser.get("/settings/sessions")).status_code == 200


async def test_a_taken_handle_is_told_beside_its_field_and_nothing_typed_is_lost(web: Browser):
    await a_member("mia")
    answer = await submit(
        web(), "/join", {"handle": "MIA", "email": "new@example.org", "password": PASSWORD, "display_name": "Mia Two"}
    )
    assert answer.status_code == 409
    assert "That handle is taken." in answer.text
    assert "Mia Two" in answer.text and "new@example.org" in answer.text and PASSWORD not in answer.text


async def test_wrong_name_and_wrong_password_get_the_same_words(web: Browser):
    await a_member("mia")
    unknown = await submit(web(), "/login", {"login": "nobody", "password": PASSWORD})
    wrong = await submit(web(), "/login", {"login": "mia", "password": "not her password"})
    assert unknown.status_code == wrong.status_code == 422
    words = "This name and password do not belong together."
    assert words in unknown.text and words in wrong.text


async def test_a_planted_session_cookie_is_worth_nothing_and_is_replaced_at_sign_in(web: Browser):
    mia = await a_member("mia")
    browser = web()
    browser.cookies.set("gv_session", "planted", domain="test.example")
    assert (await browser.get("/settings/sessions")).status_code == 303
    await sign_in(browser, mia)
    tokens = [cookie.value for cookie in browser.cookies.jar if cookie.name == "gv_session"]
    assert "planted" not in tokens[-1:]
    assert not await db.fetch("SELECT 1 FROM session WHERE token_digest = sha256('planted')")


async def test_a_stranger_gets_no_session_row(web: Browser):
    for _ in range(4):
        await web().get("/g/")
    assert await db.fetch_val("SELECT count(*) FROM session") == 0


async def test_signing_out_ends_the_session_for_a_copied_cookie_too(web: Browser):
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    stolen = browser.cookies["gv_session"]
    await submit(browser, "/logout", {}, page="/g/new")
    thief = web()
    thief.cookies.set("gv_session", stolen, domain="test.example")
    assert (await thief.get("/settings/sessions")).status_code == 303


@pytest.mark.parametrize("after", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_next_never_leads_off_the_site(web: Browser, after: str):
    await a_member("mia")
    answer = await submit(web(), "/login", {"login": "mia", "password": PASSWORD, "next": after})
    assert answer.headers["location"] == "/"


async def test_a_form_without_its_token_or_from_elsewhere_is_refused(web: Browser):
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    data = {"slug": "x-group", "name": "X", "visibility": "public"}
    assert (await browser.post("/g/new", data=data)).status_code == 403
    assert (await browser.post("/g/new", data={**data, "_csrf": "0" * 64})).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await submit(browser, "/g/new", data, headers=headers)).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM groups") == 0


async def test_guessing_passwords_is_slowed_down(web: Browser):
    await a_member("mia")
    answers = [await submit(web(), "/login", {"login": "mia", "password": f"guess {n}"}) for n in range(11)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_program_gets_a_token_and_unknown_fields_are_named(web: Browser):
    made = await web().post("/api/v1/members", json={"handle": "bot", "email": "bot@example.org", "password": PASSWORD})
    assert made.status_code == 201 and set(made.json()) == {"id", "handle"}
    token = (await web().post("/api/v1/tokens", json={"login": "bot", "password": PASSWORD})).json()["token"]
    assert (await web(token=token).get("/api/v1/me")).json()["handle"] == "bot"
    odd = await web().post("/api/v1/members", json={"handle": "bot2", "surprise": 1})
    assert odd.status_code == 422
    assert odd.headers["content-type"].startswith("application/problem+json")
    assert odd.json()["errors"]
    assert (await web(token="gv_nonsense").get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150.0.0.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/150.0 Safari/537.36 MicroMessenger/8.0", "WeChat on Android"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("", ""),
    ],
)
async def test_a_device_is_named_as_its_owner_would_name_it(user_agent: str, name: str):
    assert device_name(user_agent) == name
