"""For machines that read: what may be crawled, where everything public stands, what is new, how to show a link."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

import asyncpg
import msgspec
from litestar import MediaType, Request, Response, get
from litestar.params import FromPath
from litestar.response import Stream

from app import db
from app.auth import STRANGER
from app.disclosure import mark
from app.errors import NotFound
from app.settings import settings
from app.text import excerpt
from app.web import VARY
from community.groups.policy import readable_rooms
from community.moderation.queries import in_sight
from community.topics.addresses import id_in, topic_url
from community.topics.policy import access_topic, listed_topics
from content.guides.queries import newest_guides
from content.reviews.queries import review_url
from content.reviews.shelf import product_page
from frontend import living
from frontend.pages.disclosure import earners_among

# The protocol allows this many addresses to a file; the most recent ones of a kind come first.
MOST_ADDRESSES = 50_000
BATCH = 1000
ATOM = "application/atom+xml"
ENTRIES = 30
TEN_MINUTES = "public, max-age=600"
NOT_FOR_CRAWLERS = (
    "/search /settings /notifications /moderation/ /earn /login /join /report /r/ /hi /api/ /live/new".split()
)

SHARED = ("/r/", "/hi")
PREVIEWERS = "Twitterbot facebookexternalhit LinkedInBot Slackbot Discordbot TelegramBot WhatsApp Pinterestbot".split()

# Of each kind: what its address is made of, and which rows everybody may read.
PUBLIC: list[tuple[str, str]] = [
    ("/g/", "SELECT g.id, g.slug AS address, g.active_at AS at FROM groups g WHERE g.visibility = 'public'"),
    (
        "/guides/",
        f"SELECT g.id, g.slug AS address, g.checked_at AS at FROM guide g WHERE {in_sight('guide', 'g.id')}",
    ),
    ("/p/", "SELECT p.id, p.slug AS address, p.updated_at AS at FROM product p WHERE p.withdrawn_at IS NULL"),
    (
        "/g/",
        f"""SELECT t.id, g.slug || '/t/' || t.id || '-' || t.slug AS address, t.active_at AS at
              FROM topic t JOIN groups g ON g.id = t.group_id JOIN post f ON f.topic_id = t.id AND f.number = 1
             WHERE g.visibility = 'public' AND {listed_topics("t", "f")}""",
    ),
    (
        "/live/",
        f"""SELECT e.id, CASE e.state WHEN 'ended' THEN e.slug || '/replay' ELSE e.slug END AS address,
                   coalesce(e.ended_at, e.created_at) AS at
              FROM live_event e JOIN room r ON r.id = e.room_id
             WHERE e.state <> 'cancelled' AND {readable_rooms("r", "NULL")}
               AND {in_sight("live", "e.id")} AND {in_sight("member", "e.host_id")}""",
    ),
]


class Embedded(msgspec.Struct, omit_defaults=True):
    """oEmbed: how another site shows a link of ours."""

    title: str
    author_name: str
    type: str = "link"
    version: str = "1.0"
    provider_name: str = "Grapevine"
    provider_url: str = ""
    author_url: str = ""
    thumbnail_url: str = ""
    thumbnail_width: int = 0
    thumbnail_height: int = 0


@get("/robots.txt", include_in_schema=False)
async def robots() -> Response[str]:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in NOT_FOR_CRAWLERS),
        "",
        # They show a link that somebody shared, and ask here first. What they show says `noindex`, and who earns.
        *(f"User-agent: {name}" for name in PREVIEWERS),
        *(f"Disallow: {path}" for path in NOT_FOR_CRAWLERS if path not in SHARED),
        "",
        f"Sitemap: {_whole('/sitemap.xml')}",
    ]
    return Response("\n".join(lines) + "\n", media_type=MediaType.TEXT, headers={"Cache-Control": TEN_MINUTES})


@get("/sitemap.xml", include_in_schema=False)
async def sitemap() -> Stream:
    """Streamed in batches, so that its size costs neither memory nor a long query."""
    return Stream(_addresses(), media_type="application/xml", headers={"Cache-Control": TEN_MINUTES})


@get("/feeds/{name:str}", include_in_schema=False)
async def feed(request: Request, name: FromPath[str]) -> Response[str]:
    """topics.atom, reviews.atom or guides.atom: what everybody may read, newest first."""
    if name not in FEEDS:
        raise NotFound()
    title, entries = FEEDS[name]
    content = _atom(f"/feeds/{name}", title, await entries())
    return Response(content, media_type=ATOM, headers={"Cache-Control": TEN_MINUTES, "Vary": VARY})


@get("/oembed", include_in_schema=False)
async def oembed(request: Request) -> Response[Embedded]:
    """A public topic or product, by its address. Everything else is not there."""
    try:
        address = urlsplit(request.query_params.get("url", "")[:2000])
    except ValueError as error:
        raise NotFound() from error
    parts = [part for part in address.path.split("/") if part]
    if address.netloc != settings().host or request.query_params.get("format", "json") != "json":
        raise NotFound()
    if len(parts) == 2 and parts[0] == "p":
        shown = await _embedded_product(parts[1])
    elif len(parts) == 4 and (parts[0], parts[2]) == ("g", "t"):
        shown = await _embedded_topic(id_in(parts[3]))
    else:
        raise NotFound()
    return Response(
        shown, media_type=MediaType.JSON, headers={"Cache-Control": TEN_MINUTES, "Access-Control-Allow-Origin": "*"}
    )


async def _embedded_product(slug: str) -> Embedded:
    row = await product_page(STRANGER, slug)
    shown = Embedded(row["title"], row["store_name"], provider_url=settings().base_url)
    if row["picture"]:
        shown.thumbnail_url = _whole(row["picture"])
        shown.thumbnail_width = shown.thumbnail_height = 640
    return shown


async def _embedded_topic(topic_id: int) -> Embedded:
    row = await access_topic(STRANGER, topic_id)
    return Embedded(
        row["title"],
        row["author"]["name"],
        provider_url=settings().base_url,
        author_url=_whole(f"/@{row['author']['handle']}"),
    )


async def _addresses() -> AsyncIterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    yield "".join(f"<url><loc>{_whole(path)}</loc></url>\n" for path in ("/", "/g/", "/p/", "/guides/"))
    left = MOST_ADDRESSES - 4
    for prefix, rows in PUBLIC:
        last = 2**62
        while left and (batch := await _batch(rows, last, min(BATCH, left))):
            yield "".join(
                f"<url><loc>{escape(_whole(prefix + row['address']))}</loc>"
                f"<lastmod>{row['at'].isoformat(timespec='seconds')}</lastmod></url>\n"
                for row in batch
            )
            last, left = batch[-1]["id"], left - len(batch)
    yield "</urlset>\n"


async def _batch(rows: str, last: int, limit: int) -> list[asyncpg.Record]:
    return await db.fetch(f"SELECT * FROM ({rows}) listed WHERE id < $1 ORDER BY id DESC LIMIT $2", last, limit)


class Entry(msgspec.Struct):
    title: str
    path: str
    author: str
    at: datetime
    summary: str
    mark: str = ""
    """The label, when its author may earn from what they wrote about; in both languages, for a feed has all readers."""


async def _topics() -> list[Entry]:
    return [
        Entry(
            row["title"],
            topic_url(row["group_slug"], row["id"], row["slug"]),
            row["author"]["name"],
            row["created_at"],
            excerpt(row["beginning"]),
        )
        for row in await living.newest_topics(limit=ENTRIES)
    ]


async def _reviews() -> list[Entry]:
    rows = await living.latest_reviews(limit=ENTRIES)
    earners = await earners_among([("review", row["id"]) for row in rows])
    return [
        Entry(
            f"{row['product_title']}: {'★' * row['rating']}{'☆' * (5 - row['rating'])} {row['title']}".strip(),
            review_url(row["product_slug"], row["id"]),
            row["name"],
            row["created_at"],
            excerpt(row["body"], 400),
            mark("en", "CN") if ("review", row["id"]) in earners else "",
        )
        for row in rows
    ]


async def _guides() -> list[Entry]:
    rows = (await newest_guides(limit=ENTRIES)).items
    earners = await earners_among([("guide", row["id"]) for row in rows])
    return [
        Entry(
            row["title"],
            f"/guides/{row['slug']}",
            row["name"],
            row["created_at"],
            row["summary"],
            mark("en", "CN") if ("guide", row["id"]) in earners else "",
        )
        for row in rows
    ]


FEEDS: dict[str, tuple[str, Any]] = {
    "topics.atom": ("Grapevine: new topics", _topics),
    "reviews.atom": ("Grapevine: new reviews", _reviews),
    "guides.atom": ("Grapevine: new guides", _guides),
}


def _atom(path: str, title: str, entries: list[Entry]) -> str:
    # A feed without entries is as old as anything: it has no news.
    newest = max((entry.at for entry in entries), default=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<feed xmlns="http://www.w3.org/2005/Atom">',
            f"<title>{escape(title)}</title><id>{_whole(path)}</id><updated>{_rfc3339(newest)}</updated>",
            f'<link rel="self" type="{ATOM}" href={quoteattr(_whole(path))}/><link href={quoteattr(_whole("/"))}/>',
            *map(_entry, entries),
            "</feed>\n",
        )
    )


def _entry(entry: Entry) -> str:
    address = _whole(entry.path)
    return (
        f"<entry><title>{escape(entry.title)}</title><id>{escape(address)}</id><link href={quoteattr(address)}/>"
        f"<updated>{_rfc3339(entry.at)}</updated><author><name>{escape(entry.author)}</name></author>"
        + (f"<category term={quoteattr(entry.mark)}/>" if entry.mark else "")
        + f"<summary>{escape(' '.join(filter(None, (entry.mark, entry.summary))))}</summary></entry>"
    )


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _whole(path: str) -> str:
    return settings().base_url + quote(path, safe="/@:?=&#-_.~")
