"""Every page stands in the same frame, and every problem has a kind face."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from litestar.datastructures import MultiDict

from app import errors, i18n
from app.auth import STRANGER, NavGroup, Viewer
from app.db import watch_queries
from app.errors import Problem
from app.web import environment
from tests.factories import Browser, a_member, sign_in
from tests.storefront.shop import a_shop

pytestmark = pytest.mark.anyio

MARA = Viewer(
    member_id=1,
    handle="mara",
    name="Mara <Holm>",
    role="moderator",
    groups=(NavGroup("weekend-hikers", "Weekend hikers", 120),),
    unread_notifications=2,
)
PROBLEMS = [
    errors.Malformed(),
    errors.SignInFirst(),
    errors.Forbidden(),
    errors.NotFound(),
    errors.MethodNotAllowed(),
    errors.Conflict(),
    errors.Gone(),
    errors.TooLarge(),
    errors.Invalid("title", "At most 120 characters, please.", {"body": "Please fill this in."}),
    errors.TooMany(),
    errors.Unavailable(),
]


def render(
    template: str,
    viewer: Viewer = STRANGER,
    path: str = "/g/weekend-hikers",
    asked: dict[str, str] | None = None,
    **context: object,
) -> str:
    return environment.get_template(template).render(
        request=SimpleNamespace(query_params=MultiDict(asked or {})),
        request_path=path,
        request_id="",
        query=urlencode(asked or {}),
        viewer=viewer,
        lang=i18n.current(),
        demo=True,
        base_url="http://test.example",
        flash="",
        csrf_token=lambda: "token",
        csrf_field=lambda: "",
        **context,
    )


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: str(p.status))
def test_a_problem_is_said_kindly_in_the_reader_s_language(problem: Problem, lang: str) -> None:
    i18n.use(lang)
    page, piece = render("errors/page.html", problem=problem), render("errors/_fragment.html", problem=problem)
    i18n.use("en")
    assert f'<html lang="{lang}">' in page
    assert 'role="alert"' in piece and "<html" not in piece
    for html in (page, piece):
        assert (problem.title in html) == (lang == "en")


def test_a_member_s_frame_knows_them_and_escapes_their_name() -> None:
    html = render("errors/page.html", MARA, problem=errors.NotFound())
    assert "Mara &lt;Holm&gt;" in html and "Mara <Holm>" not in html
    assert 'href="/g/weekend-hikers" aria-current="page"' in html
    assert "99+" in html
    assert "hx-headers:inherited" in html and 'action="/logout"' in html


def test_a_stranger_s_frame_asks_for_no_form_token_so_that_it_may_be_cached() -> None:
    html = render("errors/page.html", problem=errors.NotFound())
    assert "hx-headers" not in html and "/logout" not in html
    assert 'href="/login?next=/g/weekend-hikers"' in html


def test_a_page_without_javascript_can_skip_search_and_change_language() -> None:
    html = render("errors/page.html", problem=errors.NotFound())
    assert '<a class="skip" href="#main">' in html and 'id="main"' in html
    assert '<form class="seek" action="/search" role="search"' in html
    assert 'href="/g/weekend-hikers?lang=zh-Hans"' in html


async def test_a_lost_visitor_gets_a_page_and_htmx_a_piece_of_one(web: Callable) -> None:
    browser = web()
    page = await browser.get("/nowhere", headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 404 and "这里什么也没有" in page.text
    piece = await browser.get("/nowhere", headers={"HX-Request": "true"})
    assert piece.status_code == 404 and "<html" not in piece.text
    assert piece.headers["hx-retarget"] == "#problems" and 'id="problems"' in page.text


def test_changing_the_language_keeps_the_search_and_its_place() -> None:
    html = render("base.html", path="/search", asked={"q": "露营 & <tent>", "lang": "en"})
    assert 'href="/search?q=%E9%9C%B2%E8%90%A5%20%26%20%3Ctent%3E&amp;lang=zh-Hans"' in html


@pytest.mark.parametrize("path", ["/g", "/g/", "/g/weekend-hikers"])
def test_the_navigation_says_where_one_is_with_and_without_the_last_slash(path: str) -> None:
    html = render("base.html", path=path)
    assert html.count('aria-current="page"><svg') == 2, "once in the rail and once in the tabs"
    assert re.search(r'href="/g/" title="Groups" aria-current="page"', html)


async def test_a_language_is_remembered_on_a_page_that_sets_a_cookie_of_its_own(web):
    stranger = web()
    assert (await stranger.get("/login?lang=zh-Hans")).headers["content-language"] == "zh-Hans"
    assert {"gv_lang", "gv_form"} <= set(stranger.cookies)
    assert (await stranger.get("/join")).headers["content-language"] == "zh-Hans"


def test_whoever_signs_in_or_joins_comes_back_to_where_they_were() -> None:
    html = render("base.html", path="/search", asked={"q": "tea & cups"})
    assert html.count("?next=/search%3Fq%3Dtea%2B%2526%2Bcups") == 2
    assert 'href="/join?next=/p/pack"' in render("base.html", path="/login", asked={"next": "/p/pack"})
    assert 'href="/join"' in render("base.html", path="/")


async def test_a_member_who_mistypes_an_address_is_not_told_to_sign_in(web: Browser):
    browser = await sign_in(web(), await a_member("alice"))
    lost = await browser.get("/no/such/page")
    assert lost.status_code == 404 and 'href="/login' not in lost.text
    assert 'href="/login' in (await web().get("/no/such/page")).text


async def test_a_shops_owner_finds_the_shop_in_the_menu(web: Browser):
    olive, alice, ada = await a_member("olive"), await a_member("alice"), await a_member("ada", role="admin")
    await a_shop("north", owner_id=olive.id)
    shop = await sign_in(web(), olive)
    with watch_queries() as one:
        page = await shop.get("/groups")
    assert 'href="/admin/programs/north"' in page.text
    assert "Your shop" not in (await (await sign_in(web(), alice)).get("/")).text
    assert 'href="/admin/programs"' in (await (await sign_in(web(), ada)).get("/")).text
    await a_shop("south", owner_id=olive.id)
    with watch_queries() as two:
        page = await shop.get("/groups")
    assert 'href="/admin/programs"' in page.text and len(one) == len(two)
