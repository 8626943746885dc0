"""Bluesky by the public answers of its AppView. A handle may move to somebody else; the DID behind it stays."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from referrals.socials.platforms.ask import ask
from referrals.socials.platforms.seen import Address, CannotSee, Figure, Kind, Moment, Platform, Seen

HOST = "public.api.bsky.app"
# An unknown handle or profile is answered like a question they do not understand.
WHY = {400: "gone"}

Did = Annotated[str, Meta(pattern=r"^did:[a-z]+:[A-Za-z0-9._:%-]{1,200}$")]


class Resolved(msgspec.Struct):
    did: Did


class Author(msgspec.Struct):
    did: Did
    handle: str
    displayName: str = ""
    description: str = ""


class Record(msgspec.Struct):
    text: str = ""


class Post(msgspec.Struct):
    uri: str
    author: Author
    record: Record
    indexedAt: Moment
    likeCount: Figure = 0
    replyCount: Figure = 0


class Posts(msgspec.Struct):
    posts: list[Post]


def find(address: Address) -> tuple[Kind, str] | None:
    """`handle/rkey` of a post, the handle (or DID) of an account."""
    if address.host != "bsky.app":
        return None
    match address.parts:
        case ("profile", who, "post", rkey) if _is_actor(who) and _is_rkey(rkey):
            return "post", f"{who}/{rkey}"
        case ("profile", who) if _is_actor(who):
            return "account", who
    return None


async def look(kind: Kind, key: str) -> Seen:
    if kind == "account":
        author = await ask(_url("app.bsky.actor.getProfile", actor=key), Author, why=WHY)
        return _seen(author, author.description)
    who, _, rkey = key.partition("/")
    if not who.startswith("did:"):
        # Asked for by a handle, a post is not found.
        who = (await ask(_url("com.atproto.identity.resolveHandle", handle=who), Resolved, why=WHY)).did
    uri = f"at://{who}/app.bsky.feed.post/{rkey}"
    found = await ask(_url("app.bsky.feed.getPosts", uris=uri), Posts, why=WHY)
    post = next((one for one in found.posts if one.uri == uri and one.author.did == who), None)
    if post is None:
        raise CannotSee("gone")
    figures = {"likes": post.likeCount, "comments": post.replyCount}
    # When it says it was written is its writer's word; when it was first seen is not.
    return msgspec.structs.replace(
        _seen(post.author, post.record.text), post=f"{who}/{rkey}", published_at=post.indexedAt, figures=figures
    )


def _seen(author: Author, words: str) -> Seen:
    return Seen(
        source=HOST,
        account=author.did,
        name=author.displayName or author.handle,
        url=f"https://bsky.app/profile/{author.did}",
        text=words,
    )


def _url(method: str, **asked: str) -> str:
    return f"https://{HOST}/xrpc/{method}?{urlencode(asked)}"


def _is_actor(word: str) -> bool:
    plain = word.replace(".", "").replace("-", "")
    if word.startswith("did:"):
        plain = plain.replace(":", "").replace("_", "")
    elif "." not in word:
        return False
    return plain.isascii() and plain.isalnum() and len(word) <= 253


def _is_rkey(word: str) -> bool:
    return word.isascii() and word.isalnum() and len(word) <= 40


PLATFORM = Platform(
    "bluesky", "Bluesky", frozenset(("likes", "comments")), lambda: ("bsky.app",), lambda: True, find, look
)
