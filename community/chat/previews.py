"""What a page of the web says about itself: title, description, picture. Asked once for all who link to it, by a job,
through the guarded client; the picture is re-encoded and kept, so that a reader's browser asks nobody but us."""

import hashlib
import html
import itertools
import logging
import re
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import asyncpg
import msgspec

from app import clock, db
from app.errors import Problem
from app.http import Answer, CannotFetch, fetch
from community.media import storage
from community.media.pictures import MOST_BYTES, develop

log = logging.getLogger(__name__)

FRESH, FRESH_FAILURE = timedelta(days=7), timedelta(hours=6)
PAGE_BYTES = 256 * 1024
MOST_METAS = 500
HOPS = 4
SIDE = 800
LONGEST_TITLE, LONGEST_TEXT = 200, 300
HEADERS = {"Accept": "text/html,application/xhtml+xml;q=0.9", "Accept-Language": "en;q=0.8,*;q=0.5"}
NAMES = {
    "og:title": "title",
    "twitter:title": "title",
    "og:description": "description",
    "twitter:description": "description",
    "description": "description",
    "og:image:secure_url": "picture",
    "og:image": "picture",
    "twitter:image": "picture",
    "og:site_name": "site",
}
_OPENING = re.compile(r"<meta\s", re.IGNORECASE)
_META = re.compile(r"""<meta\s((?:"[^"]{0,900}"|'[^']{0,900}'|[^>"']){0,900})>""", re.IGNORECASE)
_GIVEN = re.compile(r"""([a-z:_-]{1,30})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,1000})", re.IGNORECASE)


async def remember(url: str) -> asyncpg.Record:
    """The one row for this address, in the current transaction."""
    digest = hashlib.sha256(url.encode()).digest()
    row = await db.fetch_one(
        """INSERT INTO link_preview (url_hash, url) VALUES ($1, $2)
           ON CONFLICT (url_hash) DO UPDATE SET url = link_preview.url RETURNING id, title, fetched_at""",
        digest,
        url,
    )
    assert row is not None
    return row


def is_stale(preview: asyncpg.Record) -> bool:
    """Whether the page is to be asked (again)."""
    if preview["fetched_at"] is None:
        return True
    return clock.now() - preview["fetched_at"] > (FRESH if preview["title"] else FRESH_FAILURE)


async def ask(preview_id: int) -> bool:
    """Ask the page and keep what it says; whether there is something to show. What stands in the way is noted."""
    row = await db.fetch_one("SELECT id, url, title, fetched_at FROM link_preview WHERE id = $1", preview_id)
    if row is None or not is_stale(row):
        return bool(row and row["title"])
    said, problem = Said(), ""
    try:
        said, address = await _page(row["url"])
        picture = await _picture(urljoin(address, said.picture)) if said.picture else ("", 0, 0)
    except CannotFetch as failed:
        problem, picture = failed.why, ("", 0, 0)
        log.info("no preview of %s: %s", row["url"][:200], problem)
    await db.execute(
        """UPDATE link_preview SET title = $2, description = $3, site = $4, picture = $5, width = $6, height = $7,
                  problem = $8, fetched_at = $9 WHERE id = $1""",
        preview_id,
        _line(said.title, LONGEST_TITLE),
        _line(said.description, LONGEST_TEXT),
        _line(said.site, 80) or urlsplit(row["url"]).hostname or "",
        *picture,
        problem,
        clock.now(),
    )
    return bool(said.title.strip())


async def _page(url: str) -> tuple["Said", str]:
    """What the page says, and the address it was found at in the end."""
    answer, address = await _follow(url, HEADERS, PAGE_BYTES, cut=True)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        raise CannotFetch("not_a_page", url)
    return read(_decoded(answer)), address


async def _picture(url: str) -> tuple[str, int, int]:
    """Our copy of it: its path, width and height. Without one the card has none."""
    try:
        answer, _address = await _follow(url, {"Accept": "image/*"}, MOST_BYTES)
        (made,) = await develop(answer.body, [str(SIDE)], field="picture")
    except (CannotFetch, Problem) as failed:
        log.info("no picture for a preview from %s: %s", url[:200], failed)
        return "", 0, 0
    key = f"previews/{hashlib.sha256(made.content).hexdigest()[:32]}.webp"
    await storage.put(key, made.content)
    return f"/media/{key}", made.width, made.height


async def _follow(url: str, headers: dict[str, str], most_bytes: int, *, cut: bool = False) -> tuple[Answer, str]:
    """Through a redirect or some; each step is checked like the first."""
    for _hop in range(HOPS):
        answer = await fetch("GET", url, headers=headers, most_bytes=most_bytes, cut=cut)
        if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
            url = urljoin(url, answer.headers["location"])
            continue
        if answer.status != 200:
            raise CannotFetch(f"status_{answer.status}", url)
        return answer, url
    raise CannotFetch("too_many_redirects", url)


def _decoded(answer: Answer) -> str:
    _kind, _sign, charset = answer.headers.get("content-type", "").lower().partition("charset=")
    try:
        return answer.body.decode(charset.strip("\"' ;") or "utf-8", "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")


def _line(text: str, most: int) -> str:
    plain = " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


class Said(msgspec.Struct):
    """What a page says about itself: Open Graph first, then what every page has."""

    title: str = ""
    description: str = ""
    site: str = ""
    picture: str = ""


def read(page: str) -> Said:
    """What stands in the page's head. Each try is bounded: a page of 500,000 openings takes no longer than others."""
    head = re.split(r"</head\b|<body\b", page[:PAGE_BYTES], maxsplit=1, flags=re.IGNORECASE)[0]
    found: dict[str, str] = {}
    # Each opening is tried, also those that never close: 40,000 of them kept a worker busy for a second.
    openings = itertools.islice(_OPENING.finditer(head), MOST_METAS)
    for meta in filter(None, (_META.match(head, opening.start()) for opening in openings)):
        given = {name.lower(): html.unescape(one or two or bare) for name, one, two, bare in _GIVEN.findall(meta[1])}
        name = NAMES.get((given.get("property") or given.get("name") or "").lower())
        if name and given.get("content"):
            found.setdefault(name, given["content"])
    if "title" not in found and (plain := _TITLE.search(head)):
        found["title"] = html.unescape(plain[1])
    return msgspec.convert(found, Said)
