"""Bilibili by the public answers of its own pages. What went wrong stands in `code`, beside a status of 200."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from referrals.socials.platforms.ask import ask, decoded
from referrals.socials.platforms.seen import Address, CannotSee, Figure, Kind, Platform, Seen

HOST = "api.bilibili.com"
# Not there, not visible, being looked at, only for its owner. Everything else may be otherwise in an hour.
GONE = (-404, 62002, 62004, 62012)
TOO_FAST = (-412, -352, -799)

T = TypeVar("T")


class Owner(msgspec.Struct):
    mid: int
    name: str


class Stat(msgspec.Struct):
    view: Figure
    like: Figure
    reply: Figure


class Video(msgspec.Struct):
    bvid: str
    title: str
    pubdate: Annotated[int, Meta(ge=0, le=100_000_000_000)]
    owner: Owner
    stat: Stat
    desc: str = ""


class Card(msgspec.Struct):
    mid: Annotated[str, Meta(pattern=r"^[0-9]{1,20}$")]
    name: str
    sign: str = ""


class Carded(msgspec.Struct):
    card: Card


class Told(msgspec.Struct):
    code: int
    data: msgspec.Raw = msgspec.Raw(b"null")


def find(address: Address) -> tuple[Kind, str] | None:
    host, parts = address.host, address.parts
    if host in ("bilibili.com", "m.bilibili.com") and len(parts) >= 2 and parts[0] == "video":
        return ("post", parts[1]) if _is_video(parts[1]) else None
    if host == "space.bilibili.com" and parts and _is_number(parts[0]):
        return "account", parts[0]
    return None


async def look(kind: Kind, key: str) -> Seen:
    if kind == "account":
        card = (await _told("card", {"mid": key}, Carded)).card
        return Seen(source=HOST, account=card.mid, name=card.name, url=_space(card.mid), text=card.sign)
    named = {"bvid": key} if key.startswith("BV") else {"aid": key[2:]}
    video = await _told("view", named, Video)
    return Seen(
        source=HOST,
        account=str(video.owner.mid),
        name=video.owner.name,
        url=_space(str(video.owner.mid)),
        text=f"{video.title}\n{video.desc}",
        post=video.bvid,
        published_at=datetime.fromtimestamp(video.pubdate, UTC),
        figures={"views": video.stat.view, "likes": video.stat.like, "comments": video.stat.reply},
    )


async def _told(what: str, asked: dict[str, str], shape: type[T]) -> T:
    # They answer 412 to whom they take for too fast.
    url = f"https://{HOST}/x/web-interface/{what}?{urlencode(asked)}"
    told = await ask(url, Told, why={412: "too_fast"})
    if told.code != 0:
        raise CannotSee("gone" if told.code in GONE else "too_fast" if told.code in TOO_FAST else "refused")
    return decoded(told.data, shape)


def _is_video(word: str) -> bool:
    if word.startswith("BV"):
        return len(word) == 12 and word.isascii() and word.isalnum()
    return word.startswith("av") and _is_number(word[2:])


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 20


def _space(mid: str) -> str:
    return f"https://space.bilibili.com/{mid}"


PLATFORM = Platform(
    "bilibili",
    "Bilibili",
    frozenset(("views", "likes", "comments")),
    lambda: ("bilibili.com", "b23.tv"),
    lambda: True,
    find,
    look,
)
