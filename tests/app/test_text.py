import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline

from app.errors import Invalid
from app.text import chat_markdown, clean, excerpt, markdown, slugify
from app.web import safe_next


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](  JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox)",
        '![x](x" onerror="alert(1))',
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        '<a href="x" style="position:fixed">x</a>',
    ],
)
def test_markdown_of_a_prankster_is_inert(source: str):
    html = markdown(source).lower()
    live = html.replace("&lt;", "").split("<")
    assert not any(part.startswith(("script", "img", "svg", "iframe")) for part in live[1:])
    assert 'href="javascript' not in html and 'href="data' not in html and 'href="vbscript' not in html
    assert " onerror=" not in "".join(part.split(">")[0] for part in live[1:])
    assert " style=" not in "".join(part.split(">")[0] for part in live[1:])


def test_a_link_to_elsewhere_is_marked_as_the_members_own():
    assert 'rel="nofollow ugc noopener"' in markdown("[shop](https://shop.example)")


@given(st.text(max_size=300))
def test_whatever_is_typed_no_script_comes_out(text: str):
    assert "<script" not in markdown(text).lower()


def test_controls_and_nul_are_taken_out_and_lines_are_kept_where_they_belong():
    assert clean("a\x00b\u202e  c\n", "x", most=10) == "ab c"
    assert clean("a\r\n\r\nb", "x", most=10, lines=True) == "a\n\nb"


def test_text_outside_its_limits_names_the_field():
    for value, limits in (("", {"least": 1, "most": 5}), ("aaaaaa", {"most": 5}), ("\ud800", {"most": 5})):
        with pytest.raises(Invalid) as refused:
            clean(value, "title", **limits)
        assert "title" in refused.value.fields


def test_an_excerpt_is_plain():
    assert excerpt("**Bold** and [a link](https://x.example)\n\n> quote") == "Bold and a link quote"


def test_a_chinese_title_keeps_its_letters_in_the_address():
    assert slugify("Tea at home!") == "tea-at-home"
    assert slugify("咖啡 慢慢来") == "咖啡-慢慢来"
    assert slugify("!!!") == "x"


@given(st.text(max_size=60))
def test_next_is_a_path_of_ours_or_the_front_page(path: str):
    result = safe_next(path)
    assert result.startswith("/") and not result.startswith("//") and "\\" not in result


@pytest.mark.parametrize(
    "sign", ["[", "![", "http://a", "![[](x)", "[a](b", "**a ", "`", "<a ", "> ", "a*", "|a|b\n|-|-\n"]
)
def test_no_text_takes_long_to_render(sign: str):
    text = (sign * 40_000)[:40_000]
    started = time.process_time()
    markdown(text), chat_markdown(text[:4000]), excerpt(text, 400)
    assert time.process_time() - started < 3


def test_many_links_in_one_text_are_links():
    assert markdown("[a](https://a.example) " * 300).count("<a ") == 300
    assert markdown("https://a.example " * 300).count("<a ") == 300


BOMBS = ["[", "![", "[x ![y ", "![a [b ", "[![a](b", "*[a ", "[" * 50 + " x "]


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("end", ["", "](a)"])
def test_no_line_of_chat_is_read_over_and_over(bomb: str, end: str, monkeypatch: pytest.MonkeyPatch):
    """A hundred brackets that never close were each looked after to the end of the line, within each other, too."""
    steps, step = [0], ParserInline.skipToken

    def counted(self: ParserInline, state: StateInline) -> None:
        steps[0] += 1
        step(self, state)

    monkeypatch.setattr(ParserInline, "skipToken", counted)
    text = (bomb * 4000)[: 4000 - len(end)] + end
    assert chat_markdown(text).count("<a") <= 100
    assert steps[0] < 40_000, "ten times the line; it was a hundred times"


def test_open_brackets_before_a_link_leave_it_a_link():
    boxes = "\n".join(f"[ ] thing {n}" for n in range(30))
    assert '<a href="/list"' in chat_markdown(f"{boxes}\n[the list](/list)")
    assert '<a href="/a"' in chat_markdown("[a `]` and [b] (c](d) [yes](/a)")
