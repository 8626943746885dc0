"""The few words around what was found, with marks. Everything else in them is escaped."""

import re

from markupsafe import Markup, escape

from search.words import Term

LENGTH = 220
LEAD = 60


def snippet(text: str, asked: list[Term], *, length: int = LENGTH) -> Markup:
    """A part of the text that holds what was asked, or its beginning."""
    pattern = _pattern(asked)
    first = pattern.search(text) if pattern else None
    begin = _start(text, first.start()) if first else 0
    part = text[begin : begin + length].strip()
    before, after = "… " if begin else "", " …" if begin + length < len(text) else ""
    return Markup(before) + _marked(part, pattern) + Markup(after)


def highlighted(text: str, asked: list[Term]) -> Markup:
    """The whole text, with marks."""
    return _marked(text, _pattern(asked))


def _pattern(asked: list[Term]) -> re.Pattern[str] | None:
    parts = [rf"\b{re.escape(term.marks)}\w{{0,12}}" if term.is_latin else re.escape(term.marks) for term in asked]
    return re.compile("|".join(sorted(parts, key=len, reverse=True)), re.IGNORECASE) if parts else None


def _marked(text: str, pattern: re.Pattern[str] | None) -> Markup:
    if pattern is None:
        return escape(text)
    marked, at = Markup(""), 0
    for found in pattern.finditer(text):
        marked += escape(text[at : found.start()]) + Markup("<mark>") + escape(found[0]) + Markup("</mark>")
        at = found.end()
    return marked + escape(text[at:])


def _start(text: str, found_at: int) -> int:
    """A little before the find, at the beginning of a word where there is one."""
    begin = max(0, found_at - LEAD)
    if not begin:
        return 0
    space = text.find(" ", begin, found_at)
    return space + 1 if space != -1 else begin
