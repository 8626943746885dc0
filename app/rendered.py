"""Strangers' pages that this process has rendered, by what they were made from.

A page of the same rows, in the same language and minute, is the same page: its queries and its policy run for every
request, only the rendering (most of the work) is left out. Nothing has to be invalidated: other rows, another name.
"""

from collections import OrderedDict
from hashlib import blake2s
from typing import Any

import msgspec
from litestar import Request

from app import clock, i18n

MOST_PAGES = 300
# One form token or flash in a kept page would reach the next reader, so browsers that carry either get their own page.
PERSONAL = ("gv_flash", "gv_form", "__Host-gv_form")

_pages: OrderedDict[bytes, tuple[bytes, str]] = OrderedDict()


def name_of(request: Request, template: str, made_from: Any) -> bytes | None:
    """The name of the page that this request and these rows make; None when it may hold something personal."""
    if made_from is None or any(cookie in request.cookies for cookie in PERSONAL):
        return None
    scope = request.scope
    # Relative times ("3 minutes ago") are part of the page, hence the minute.
    address = (template, scope["path"], scope["query_string"], i18n.current(), int(clock.now().timestamp() // 60))
    return blake2s(msgspec.json.encode((address, made_from), enc_hook=_columns), digest_size=16).digest()


def find(name: bytes) -> tuple[bytes, str] | None:
    """The page of this name and its ETag."""
    if name in _pages:
        _pages.move_to_end(name)
        return _pages[name]
    return None


def keep(name: bytes, html: bytes, tag: str) -> None:
    _pages[name] = (html, tag)
    while len(_pages) > MOST_PAGES:
        _pages.popitem(last=False)


def _columns(row: Any) -> tuple:
    """A row of the database is what its columns hold."""
    return tuple(row)
