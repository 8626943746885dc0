"""Mastodon, each server for its own people. A server says what it likes of its posts: only those the operator trusts
are asked, and only about what was written there."""

import re
from html import unescape
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from app.settings import settings
from referrals.socials.platforms.ask import ask
from referrals.socials.platforms.seen import Address, CannotSee, Figure, Kind, Moment, Platform, Seen

_TAG = re.compile("<[^<>]*>")

Id = Annotated[str, Meta(min_length=1, max_length=40)]


class Account(msgspec.Struct):
    id: Id
    acct: str
    url: str
    display_name: str = ""
    note: str = ""


class Boosted(msgspec.Struct):
    """That there is one says enough."""


class Status(msgspec.Struct):
    id: Id
    created_at: Moment
    account: Account
    content: str
    visibility: str
    favourites_count: Figure
    replies_count: Figure
    reblog: Boosted | None = None


def find(address: Address) -> tuple[Kind, str] | None:
    """`host/name` of an account, `host/number` of a post."""
    if address.host not in settings().mastodon_hosts:
        return None
    match address.parts:
        case (who, number) if _is_name(who) and _is_number(number):
            return "post", f"{address.host}/{number}"
        case ("users", name, "statuses", number) if _is_name("@" + name) and _is_number(number):
            return "post", f"{address.host}/{number}"
        case (who,) if _is_name(who):
            return "account", f"{address.host}/{who[1:]}"
    return None


async def look(kind: Kind, key: str) -> Seen:
    host, _, what = key.partition("/")
    if host not in settings().mastodon_hosts:
        raise CannotSee("refused")
    # Without a login, what is not public is as if it were not there; some servers say so with 401.
    why = {401: "gone", 422: "gone"}
    if kind == "account":
        account = await ask(f"https://{host}/api/v1/accounts/lookup?acct={quote(what)}", Account, why=why)
        return _seen(host, account, account.note)
    status = await ask(f"https://{host}/api/v1/statuses/{what}", Status, why=why)
    # A boost carries the words and figures of somebody else's post under one's own name.
    if status.visibility not in ("public", "unlisted") or status.reblog is not None:
        raise CannotSee("gone")
    seen = _seen(host, status.account, status.content)
    figures = {"likes": status.favourites_count, "comments": status.replies_count}
    return msgspec.structs.replace(seen, post=f"{host}/{status.id}", published_at=status.created_at, figures=figures)


def _seen(host: str, account: Account, words: str) -> Seen:
    if "@" in account.acct or not account.acct:
        # Of another server, shown here: that one alone knows how often it was liked.
        raise CannotSee("gone")
    return Seen(
        source=host,
        account=f"{account.id}@{host}",
        name=account.display_name or account.acct,
        url=f"https://{host}/@{quote(account.acct)}",
        text=unescape(_TAG.sub(" ", words)),
    )


def _is_name(word: str) -> bool:
    name = word[1:].replace("_", "").replace(".", "").replace("-", "")
    return word.startswith("@") and name.isascii() and name.isalnum() and len(word) <= 60


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 30


PLATFORM = Platform(
    "mastodon",
    "Mastodon",
    frozenset(("likes", "comments")),
    lambda: settings().mastodon_hosts,
    lambda: bool(settings().mastodon_hosts),
    find,
    look,
)
