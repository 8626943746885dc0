"""YouTube by its Data API v3, with the operator's key. Its numbers are texts; hidden ones are left out."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from app.settings import settings
from referrals.socials.platforms.ask import ask
from referrals.socials.platforms.seen import Address, CannotSee, Kind, Moment, Platform, Seen

HOST = "www.googleapis.com"
HOSTS = ("youtube.com", "m.youtube.com", "music.youtube.com", "youtube-nocookie.com")
NAMED_IN_PATH = ("shorts", "live", "embed", "v")
# A key that is out of its quota is answered 403, like one that may nothing; one that is none is answered 400.
WHY = {400: "refused", 403: "too_fast"}

Number = Annotated[str, Meta(pattern=r"^[0-9]{1,12}$")]


class Snippet(msgspec.Struct):
    title: str
    description: str = ""
    channelId: str = ""
    channelTitle: str = ""
    publishedAt: Moment | None = None


class Statistics(msgspec.Struct, frozen=True):
    viewCount: Number | None = None
    likeCount: Number | None = None
    commentCount: Number | None = None


class Item(msgspec.Struct):
    id: str
    snippet: Snippet
    statistics: Statistics = Statistics()


class Listed(msgspec.Struct):
    items: list[Item] = []


def find(address: Address) -> tuple[Kind, str] | None:
    parts = address.parts
    if address.host == "youtu.be" and len(parts) == 1:
        return _video(parts[0])
    if address.host not in HOSTS or not parts:
        return None
    if parts[0] == "watch":
        return _video(address.query.get("v", ""))
    if parts[0] in NAMED_IN_PATH and len(parts) == 2:
        return _video(parts[1])
    if parts[0] == "channel" and len(parts) >= 2 and parts[1].startswith("UC"):
        return "account", parts[1]
    return ("account", parts[0]) if parts[0].startswith("@") else None


async def look(kind: Kind, key: str) -> Seen:
    if kind == "post":
        item = await _first("videos", {"part": "snippet,statistics", "id": key})
        return _seen(item, item.snippet.channelId, item.snippet.channelTitle, post=item.id)
    named = {"forHandle": key} if key.startswith("@") else {"id": key}
    channel = await _first("channels", {"part": "snippet", **named})
    return _seen(channel, channel.id, channel.snippet.title)


async def _first(what: str, asked: dict[str, str]) -> Item:
    # In a header, so that no log of addresses holds the key.
    headers = {"x-goog-api-key": settings().youtube_key}
    found = await ask(f"https://{HOST}/youtube/v3/{what}?{urlencode(asked)}", Listed, headers=headers, why=WHY)
    if not found.items:
        raise CannotSee("gone")
    return found.items[0]


def _seen(item: Item, channel: str, name: str, *, post: str = "") -> Seen:
    if not channel:
        raise CannotSee("unreadable")
    told = item.statistics
    figures = {"views": told.viewCount, "likes": told.likeCount, "comments": told.commentCount}
    return Seen(
        source=HOST,
        account=channel,
        name=name,
        url=f"https://www.youtube.com/channel/{channel}",
        text=f"{item.snippet.title}\n{item.snippet.description}",
        post=post,
        published_at=item.snippet.publishedAt if post else None,
        figures={figure: int(number) for figure, number in figures.items() if number is not None},
    )


def _video(key: str) -> tuple[Kind, str] | None:
    is_one = len(key) == 11 and key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return ("post", key) if is_one else None


PLATFORM = Platform(
    "youtube",
    "YouTube",
    frozenset(("views", "likes", "comments")),
    lambda: ("youtu.be", *HOSTS),
    lambda: bool(settings().youtube_key),
    find,
    look,
    # YouTube's developer policies: what nobody authorized is kept for thirty days, or asked for again.
    kept_days=30,
)
