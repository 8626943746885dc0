"""Every sentence a person can see is there in Chinese too."""

import re

from babel.messages.extract import extract_from_dir

from app import i18n
from app.web import FRONTEND

ROOT = FRONTEND.parent
AREAS = ["app", "community", "storefront", "content", "referrals", "search", "frontend", "demo"]


def messages() -> dict[str, str]:
    """Each msgid of code and templates, and where it stands."""
    found: dict[str, str] = {}
    for area in AREAS:
        for file, line, message, _comments, _context in extract_from_dir(
            str(ROOT / area),
            method_map=[("**.py", "python"), ("**.html", "jinja2")],
            keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
            options_map={"**.html": {"extensions": "jinja2.ext.i18n"}},
        ):
            found.setdefault(message[0] if isinstance(message, tuple) else message, f"{area}/{file}:{line}")
    return {text: where for text, where in found.items() if text}


def test_nothing_is_left_untranslated():
    catalog = i18n._catalog("zh-Hans")
    missing = [f"{where}: {text}" for text, where in messages().items() if not catalog.get(text)]
    assert missing == []


def test_a_translation_fills_in_the_same_values():
    """A wrong name inside %(…)s would break the page only for Chinese readers."""
    odd = []
    for text, translated in i18n._catalog("zh-Hans").items():
        wanted, given = set(re.findall(r"%\((\w+)\)", text)), set(re.findall(r"%\((\w+)\)", translated))
        if not given <= wanted | {"n", "num"}:
            odd.append(text)
    assert odd == []
