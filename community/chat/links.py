"""The addresses in a message, as its rendered words lead to them."""

import html
import re
from urllib.parse import urljoin, urlsplit

from app.settings import settings

MOST_CARDS = 3
LONGEST_URL = 2_000
_HREF = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')


def has_links(rendered: str) -> bool:
    return "href=" in rendered


def links_in(rendered: str) -> list[str]:
    """The addresses a message leads to, whole, each once, the first few only. Names of members are none."""
    found = (urljoin(settings().base_url + "/", html.unescape(href)) for href in _HREF.findall(rendered))
    wanted = (url for url in found if url.startswith(("http://", "https://")) and len(url) <= LONGEST_URL)
    members = settings().base_url + "/@"
    return list(dict.fromkeys(url for url in wanted if not url.startswith(members)))[:MOST_CARDS]


def is_ours(url: str) -> bool:
    return urlsplit(url).netloc.lower() == settings().host.lower()
