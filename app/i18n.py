"""Languages: English in the code, Simplified Chinese in one catalog per feature, merged when the process starts."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "zh-Hans": "简体中文"}
LOCALES = Path(__file__).parent.parent / "frontend" / "locales"

_lang: contextvars.ContextVar[str] = contextvars.ContextVar("lang", default="en")


def use(lang: str) -> None:
    """Speak this language for the rest of the request (or job)."""
    _lang.set(lang if lang in LANGUAGES else "en")


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Speak another language for a moment: what is made for somebody else's eyes."""
    before = _lang.set(lang if lang in LANGUAGES else "en")
    try:
        yield
    finally:
        _lang.reset(before)


def current() -> str:
    return _lang.get()


def gettext(message: str, **params: object) -> str:
    """The message in the current language, with `%(name)s` filled in."""
    text = _catalog(_lang.get()).get(message) or message
    return text % params if params else text


def ngettext(one: str, many: str, n: int, **params: object) -> str:
    """Singular or plural by `n`, which is also a parameter. Chinese has one form, kept under the singular."""
    lang = _lang.get()
    text = _catalog(lang).get(one) if lang != "en" else None
    return (text or (one if n == 1 else many)) % {"n": n, "num": n, **params}


def choose(asked: str | None, remembered: str | None, accept_language: str) -> str:
    """`?lang=`, then the cookie, then what the browser accepts."""
    for wish in (asked, remembered):
        if wish and (lang := _match(wish)):
            return lang
    for part in accept_language.split(",")[:10]:
        if lang := _match(part.partition(";")[0]):
            return lang
    return "en"


def _match(tag: str) -> str | None:
    tag = tag.strip().lower()
    if tag.startswith("zh"):
        return "zh-Hans"
    return "en" if tag.startswith("en") else None


def _singular(text: object) -> str:
    """A plural entry is a tuple of its forms; Chinese has one."""
    return str(text[0]) if isinstance(text, (tuple, list)) else str(text)


@cache
def _catalog(lang: str) -> dict[str, str]:
    messages: dict[str, str] = {}
    for path in sorted((LOCALES / lang.replace("-", "_")).glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, abort_invalid=True):
                if not entry.id:
                    continue
                key, value = _singular(entry.id), _singular(entry.string)
                if value:
                    messages[key] = value
    return messages
