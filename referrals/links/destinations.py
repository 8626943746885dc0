"""Where a link may lead: to a path of ours, or to a store by its own origin. Checked once, when the link is made."""

from urllib.parse import SplitResult, urlsplit

from app.errors import Invalid
from app.i18n import gettext as _
from app.settings import settings

LONGEST = 2000
# Ours, but not places to send a person: machines' doors, and our own redirect, which would count a click twice.
NOT_PAGES = ("/api/", "/r/", "/webhooks/", "/static/", "/live", "/logout")


def own_path(path: str) -> str:
    """The path, or Invalid when a browser could be led elsewhere by it."""
    if not path.startswith("/") or path.startswith("//") or not _is_plain(path) or urlsplit(path).netloc:
        raise Invalid("target", _("A page is a path on this site that starts with one slash."))
    if path.startswith(NOT_PAGES):
        raise Invalid("target", _("That address is not a page to share."))
    return path


def at_store(url: str, origin: str) -> str:
    """The URL, or Invalid unless it is http(s) on exactly the host of the store's origin."""
    parts, home = _split(url), _split(origin)
    if parts is None or home is None or parts.netloc.lower() != home.netloc.lower():
        raise Invalid("target", _("A link may only lead to this site or to the store's own address."))
    return url


def origin_of(url: str) -> str:
    """`https://shop.example` of a URL on it, or Invalid when it is no plain web address."""
    parts = _split(url)
    if parts is None:
        raise Invalid("target", _("Share a product, guide, topic, review, group, a page, or an address at a store."))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def path_if_ours(url: str) -> str | None:
    """The path of a URL on this very site."""
    parts = _split(url)
    ours = urlsplit(settings().base_url)
    if parts is None or (parts.scheme, parts.netloc.lower()) != (ours.scheme, ours.netloc.lower()):
        return None
    return url[len(parts.scheme) + 3 + len(parts.netloc) :] or "/"


def _split(url: str) -> SplitResult | None:
    """The parts of an http(s) URL with a bare host: no user, no backslash, no control or space to confuse a browser."""
    if not _is_plain(url):
        return None
    try:
        parts = urlsplit(url)
        port_is_a_number = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname or not port_is_a_number:
        return None
    return parts


def _is_plain(url: str) -> bool:
    return len(url) <= LONGEST and "\\" not in url and all(c > " " and c != "\x7f" and not c.isspace() for c in url)
