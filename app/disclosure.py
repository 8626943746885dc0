"""Says right beside every link that can earn that it can. The label follows from the address; nobody types it.

Which words the law of a place wants is data (`MARKETS`). A label speaks the reader's language first, and adds what
the programme's market wants when that differs: a Chinese shop's link reads “#ad 广告” to an English reader.
"""

import html
import posixpath
import re
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import msgspec
from markupsafe import Markup, escape

from app import i18n
from app.i18n import gettext as _
from app.settings import settings


class Market(msgspec.Struct, frozen=True):
    """What must stand beside an earning link in one country, and which rule says so."""

    mark: str
    rule: str


MARKETS = {
    "CN": Market("广告", "Measures for Internet Advertising 2023, art. 9: sharing with a way to buy is marked 广告"),
    "US": Market("#ad", "16 CFR 255: clear, close to the link, in the reader's words"),
    "GB": Market("#ad", "CAP Code 2.1, 2.3"),
    "CA": Market("#ad", "Competition Act; Ad Standards disclosure guidelines"),
    "AU": Market("#ad", "AANA Code 2.7"),
    "DE": Market("Anzeige", "§ 5a Abs. 4 UWG, § 22 MStV"),
    "AT": Market("Anzeige", "§ 26 MedienG"),
    "CH": Market("Anzeige", "Art. 3 UWG"),
    "JP": Market("PR", "Premiums and Representations Act, stealth marketing notice 2023"),
}
# A store's currency says where it sells, where only one market of ours has it.
MARKET_OF = {"CNY": "CN", "USD": "US", "GBP": "GB", "CAD": "CA", "AUD": "AU", "CHF": "CH", "JPY": "JP"}
MARK_OF_LANGUAGE = {"en": "#ad", "zh-Hans": "广告"}

# Both languages, of which the stylesheet hides the one that is not the page's: what members write is rendered once
# for all readers (a line of chat goes to a whole room). Where no stylesheet is, both stand there.
LABEL = (
    '<small class="ad">'
    + " ".join(f'<span lang="{lang}">{mark}</span>' for lang, mark in MARK_OF_LANGUAGE.items())
    + "</small>"
)

_EARNING_PATH = re.compile(r"/(?:r|hi)/[^/]+", re.I)
_CLICK = re.compile(r"(?:^|[&;])gv=[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?:&|;|$)", re.I)
_ANCHOR = re.compile(r'<a\b([^>]*?\bhref="([^"]*)"[^>]*)>(.*?)</a>(?: <small class="ad">.*?</small>)?', re.S)
_ADDRESS = re.compile(r"(?:https?://[^\s<>()\[\]]+|(?<![\w/])/(?:r|hi)/[^\s<>()\[\]]+)", re.I)

_CODE_AT_SHOP = re.compile(r"(?:^|[&;])(?:ref|via)=[a-z0-9_-]", re.I)

_short_hosts: frozenset[str] = frozenset()
_shop_hosts: frozenset[str] = frozenset()


def mark(lang: str = "", market: str = "") -> str:
    """The label: in the reader's language, and as the market wants it."""
    wanted = [MARK_OF_LANGUAGE.get(lang or i18n.current(), "#ad")]
    if market in MARKETS:
        wanted.append(MARKETS[market].mark)
    return " ".join(dict.fromkeys(wanted))


def sentence() -> str:
    """The label in a sentence, for a card or a poster that has room for one."""
    return _("I may earn from this link.")


def market_of(place: str) -> str:
    """The market of a programme: the country it names, or that of its store's currency; empty for any other."""
    return place if place in MARKETS else MARKET_OF.get(place, "")


def short_links_live_at(hosts: frozenset[str]) -> None:
    """Further hosts whose every path is a share link (stores' own short domains)."""
    global _short_hosts
    _short_hosts = hosts


def shops_live_at(hosts: frozenset[str]) -> None:
    """The hosts of shops with a programme, where `?ref=CODE` counts like a share link."""
    global _shop_hosts
    _shop_hosts = hosts


def is_earning(address: str) -> bool:
    """Whether somebody earns when a reader follows this: a share link of ours, however it is spelled, or a click."""
    try:
        parts = urlsplit(urljoin(settings().base_url + "/", address.strip()))
    except ValueError:
        return False
    if _CLICK.search(parts.query):
        return True
    try:
        host = parts.hostname or ""
    except ValueError:
        return False
    if host in _short_hosts:
        return len(parts.path) > 1
    if host in _shop_hosts and _CODE_AT_SHOP.search(parts.query):
        return True
    if parts.netloc.lower() != settings().host.lower():
        return False
    path = posixpath.normpath(unquote(parts.path).replace("\\", "/"))
    return _EARNING_PATH.fullmatch(path) is not None or _leads_on_to_one(path, parts.query)


def _leads_on_to_one(path: str, query: str) -> bool:
    """A page of ours that sends on: to `next` after signing in, or from a typed code to its greeting."""
    try:
        asked = parse_qs(query, max_num_fields=20)
    except ValueError:
        return False
    if path == "/hi":
        return bool(asked.get("code"))
    return any(next_.startswith("/") and "next=" not in next_ and is_earning(next_) for next_ in asked.get("next", ()))


def labelled(cleaned: str) -> str:
    """Cleaned HTML of a member, with the label right behind each earning link in it. Doing it again changes nothing:
    pages do, for what was written before a shop had its programme or its short domain."""
    return _ANCHOR.sub(_with_label, cleaned) if "<a " in cleaned else cleaned


def _with_label(anchor: re.Match[str]) -> str:
    if not is_earning(html.unescape(anchor[2])):
        return anchor[0]
    attributes = anchor[1]
    if "sponsored" not in attributes:
        attributes = attributes.replace('rel="', 'rel="sponsored ', 1)
    return f"<a{attributes}>{anchor[3]}</a> {LABEL}"


def labelled_text(text: str) -> str:
    """Plain text, with the label behind each earning address in it."""
    if "/" not in text:
        return text
    return _ADDRESS.sub(lambda found: f"{found[0]} ({mark()})" if is_earning(found[0]) else found[0], text)


class EarningLink(msgspec.Struct, frozen=True):
    """A way by which somebody earns. Put into a page or a text it brings its label; the bare `address` is for the
    macro `ui.earning` alone, which writes both."""

    address: str
    market: str = ""

    def __str__(self) -> str:
        return f"{self.address} ({mark(market=self.market)})"

    def __html__(self) -> str:
        return Markup('<a href="{}" rel="sponsored nofollow noopener">{}</a> <small class="ad">{}</small>').format(
            self.address, escape(self.address), mark(market=self.market)
        )
