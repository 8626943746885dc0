"""A little server that answers as YouTube, Bilibili, two Mastodon servers and Bluesky document it, for the posts and
profiles a test puts there. Each host has its own part of it; what is asked of any goes there over a real socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from app import clock, http
from app.settings import Settings
from referrals.socials.platforms import ask, known, mastodon, youtube
from tests.storefront.vendors import Asked, Said, open_to_questions

KEY = "AIza-of-the-tests"
SETTINGS = Settings(youtube_key=KEY, mastodon_hosts=("mastodon.social", "fosstodon.org"))
# The account of this name by each platform: where it is, where its post `n` is, and who it is for ever.
PROFILES = {
    "youtube": "https://www.youtube.com/@{who}",
    "bilibili": "https://space.bilibili.com/{number}",
    "mastodon": "https://mastodon.social/@{who}",
    "bluesky": "https://bsky.app/profile/{who}.bsky.social",
}
POSTS = {
    "youtube": "https://youtu.be/{post:0>11}",
    "bilibili": "https://www.bilibili.com/video/BV{post:0>10}",
    "mastodon": "https://mastodon.social/@{who}/{post:0>18}",
    "bluesky": "https://bsky.app/profile/{who}.bsky.social/post/{post}",
}


class Post(msgspec.Struct):
    who: str
    text: str
    at: datetime
    views: Any = 0
    likes: Any = 0
    comments: Any = 0
    is_public: bool = True


class World(msgspec.Struct):
    """`bios`: the descriptions of profiles by name; `posts` by number; `trouble`: what a host answers instead."""

    bios: dict[str, str] = {}
    posts: dict[str, Post] = {}
    trouble: dict[str, Said] = {}
    asked: list[Asked] = []
    url: str = ""

    def answer(self, asked: Asked) -> Said:
        _, host, path = asked.path.split("/", 2)
        self.asked.append(Asked(asked.method, f"{host}/{path}", asked.headers, asked.body, asked.query))
        if host in self.trouble:
            return self.trouble[host]
        return ANSWERS[host](self, self.asked[-1])

    def posts_now(self, number: str, who: str, text: str = "My film", **figures: Any) -> None:
        self.posts[number] = Post(who, text, clock.now(), **figures)

    def times_asked(self, host: str) -> int:
        return sum(one.path.startswith(f"{host}/") for one in self.asked)


def number_of(who: str) -> int:
    return int.from_bytes(who.encode()[:5])


def profile_at(platform: str, who: str) -> str:
    return PROFILES[platform].format(who=who, number=number_of(who))


def post_at(platform: str, who: str, post: str) -> str:
    return POSTS[platform].format(who=who, post=post)


def host_of(platform: str) -> str:
    return {"youtube": "www.googleapis.com", "bilibili": "api.bilibili.com", "bluesky": "public.api.bsky.app"}.get(
        platform, "mastodon.social"
    )


def _youtube(world: World, asked: Asked) -> Said:
    if asked.headers.get("x-goog-api-key") != KEY or "key" in asked.query:
        return Said({"error": {"code": 400, "errors": [{"reason": "badRequest"}]}}, 400)
    if asked.path.endswith("/channels"):
        who = asked.one("forHandle").removeprefix("@") or asked.one("id").removeprefix("UC-")
        return Said({"kind": "youtube#channelListResponse", "items": _channel(world, who)})
    assert asked.path.endswith("/videos") and asked.one("part") == "snippet,statistics"
    post = world.posts.get(asked.one("id").lstrip("0"))
    if post is None or not post.is_public:
        return Said({"kind": "youtube#videoListResponse", "items": []})
    told = {"viewCount": post.views, "likeCount": post.likes, "commentCount": post.comments}
    snippet = {
        "title": "A film", "description": post.text, "channelId": f"UC-{post.who}", "channelTitle": post.who,
        "publishedAt": f"{post.at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    # Their numbers are texts; whatever a test says beside a number goes as it is.
    statistics = {name: str(n) if type(n) is int else n for name, n in told.items() if n is not None}
    return Said({"items": [{"id": asked.one("id"), "snippet": snippet, "statistics": statistics}]})


def _channel(world: World, who: str) -> list[dict[str, Any]]:
    snippet = {"title": who, "description": world.bios.get(who, "")}
    return [{"id": f"UC-{who}", "snippet": snippet}] if who in world.bios else []


def _bilibili(world: World, asked: Asked) -> Said:
    if asked.path.endswith("/card"):
        who = next((one for one in world.bios if str(number_of(one)) == asked.one("mid")), None)
        if who is None:
            return Said({"code": -404, "message": "啥都木有", "ttl": 1})
        return Said({"code": 0, "data": {"card": {"mid": asked.one("mid"), "name": who, "sign": world.bios[who]}}})
    post = world.posts.get(asked.one("bvid").removeprefix("BV").lstrip("0"))
    if post is None or not post.is_public:
        return Said({"code": -404 if post is None else 62002, "message": "稿件不可见", "ttl": 1})
    stat = {"view": post.views, "like": post.likes, "reply": post.comments, "coin": 3, "danmaku": 4}
    owner = {"mid": number_of(post.who), "name": post.who, "face": "https://i0.hdslb.com/1.jpg"}
    data = {"bvid": asked.one("bvid"), "title": "片", "desc": post.text, "pubdate": int(post.at.timestamp())}
    return Said({"code": 0, "message": "0", "ttl": 1, "data": {**data, "owner": owner, "stat": stat}})


def _mastodon(world: World, asked: Asked) -> Said:
    if asked.path.endswith("/accounts/lookup"):
        who = asked.one("acct")
        known_there = who in world.bios
        return Said(_account(world, who) if known_there else {"error": "Record not found"}, 200 if known_there else 404)
    post = world.posts.get(asked.path.rpartition("/")[2].lstrip("0"))
    if post is None or not post.is_public:
        return Said({"error": "Record not found"}, 404)
    return Said(
        {
            "id": asked.path.rpartition("/")[2], "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S.000Z}",
            "visibility": "public", "content": f"<p>{post.text}</p>", "account": _account(world, post.who),
            "favourites_count": post.likes, "replies_count": post.comments, "reblogs_count": 1, "reblog": None,
        }
    )  # fmt: skip


def _account(world: World, who: str) -> dict[str, Any]:
    url = f"https://mastodon.social/@{who}"
    note = f"<p>{world.bios.get(who, '')}</p>"
    return {"id": str(number_of(who)), "acct": who, "username": who, "url": url, "display_name": who, "note": note}


def _bluesky(world: World, asked: Asked) -> Said:
    method = asked.path.rpartition("/")[2]
    if method == "com.atproto.identity.resolveHandle":
        return Said({"did": _did(asked.one("handle"))})
    if method == "app.bsky.actor.getProfile":
        who = asked.one("actor").partition(".")[0]
        if who not in world.bios:
            return Said({"error": "InvalidRequest", "message": "Profile not found"}, 400)
        return Said(
            {"did": _did(who), "handle": asked.one("actor"), "displayName": who, "description": world.bios[who]}
        )
    uri = asked.one("uris")
    post = world.posts.get(uri.rpartition("/")[2])
    if post is None or not post.is_public or not uri.startswith(f"at://{_did(post.who)}/app.bsky.feed.post/"):
        return Said({"posts": []})
    author = {"did": _did(post.who), "handle": f"{post.who}.bsky.social"}
    record = {"$type": "app.bsky.feed.post", "text": post.text, "createdAt": "2099-01-01T00:00:00Z"}
    counts = {"likeCount": post.likes, "replyCount": post.comments, "repostCount": 0}
    return Said({"posts": [{"uri": uri, "author": author, "record": record, "indexedAt": post.at, **counts}]})


def _did(handle: str) -> str:
    return f"did:plc:{handle.partition('.')[0]}"


ANSWERS: dict[str, Callable[[World, Asked], Said]] = {
    "www.googleapis.com": _youtube,
    "api.bilibili.com": _bilibili,
    "mastodon.social": _mastodon,
    "fosstodon.org": _mastodon,
    "public.api.bsky.app": _bluesky,
}


@asynccontextmanager
async def a_world_outside(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The platforms behind one socket of this machine, asked through the very client that guards the way out."""
    world = World()
    for module in (known, mastodon, youtube):
        monkeypatch.setattr(module, "settings", lambda: SETTINGS)

    async def fetch(method: str, url: str, **more: Any) -> http.Answer:
        split = urlsplit(url)
        assert split.scheme == "https" and split.hostname in ANSWERS, f"nobody may be asked at {url}"
        inside = f"{world.url}/{split.hostname}{split.path}?{split.query}"
        return await http.fetch(method, inside, allow_local=True, **more)

    monkeypatch.setattr(ask, "fetch", fetch)
    async with open_to_questions(world):  # type: ignore[arg-type]
        yield world
