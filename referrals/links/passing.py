"""What stands between a visitor and where a link leads: a password, a number of visits, rules and a split.

Most links have none of it (`turns_of` gives None), and the redirect never comes here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from app import db
from app.auth import sign
from app.settings import settings
from referrals.links.routing import Routes, choose, visit_of

DISABLED, EARLY, EXPIRED, USED_UP, LOCKED = "disabled", "early", "expired", "used_up", "password"
KEY_COOKIE, SIDE_COOKIE = "gv_key_", "gv_side_"


class Turns(msgspec.Struct, frozen=True):
    destination: str
    routes: Routes
    key: str
    """What the cookie of a visitor who knows the password holds; empty without a password."""
    is_counted: bool


class Passage(msgspec.Struct, frozen=True):
    destination: str
    variant: str = ""
    blocked: str = ""
    """Why the visitor is not sent on; empty when they are."""


def closed_because(link: Mapping[str, Any], at: datetime) -> str:
    """Why nobody is sent on by a link at a moment, or nothing."""
    if link["disabled_at"] is not None:
        return DISABLED
    if link["starts_at"] is not None and at < link["starts_at"]:
        return EARLY
    if link["ends_at"] is not None and at >= link["ends_at"]:
        return EXPIRED
    return USED_UP if link["visits_left"] == 0 else ""


def turns_of(link: Mapping[str, Any]) -> Turns | None:
    routes = msgspec.convert(link["routes"], Routes)
    is_counted = link["visits_left"] is not None
    if not (routes.rules or routes.split or link["password_hash"] or is_counted):
        return None
    return Turns(link["destination"], routes, key_of(link), is_counted)


def key_of(link: Mapping[str, Any]) -> str:
    """Another password is another key, so whoever knew the old one is asked again."""
    return sign("link-key", f"{link['id']}:{link['password_hash']}") if link["password_hash"] else ""


async def pass_by(
    link_id: int, turns: Turns, headers: list[tuple[bytes, bytes]], *, at: datetime, address: str, is_person: bool
) -> Passage:
    if turns.key and _cookie(headers, f"{KEY_COOKIE}{link_id}") != turns.key:
        return Passage("", blocked=LOCKED)
    if turns.is_counted and is_person and not await _take_visit(link_id):
        return Passage("", blocked=USED_UP)
    given = settings()
    visit = visit_of(
        headers, at=at, address=address, country_header=given.country_header, key=given.secret_key.encode()
    )
    if turns.routes.split:
        visit = msgspec.structs.replace(visit, side=_cookie(headers, f"{SIDE_COOKIE}{link_id}"))
    choice = choose(turns.routes, turns.destination, visit, link_id)
    return Passage(choice.destination, variant=choice.variant)


async def _take_visit(link_id: int) -> bool:
    """One of the visits a link has left; the row decides who gets the last one."""
    return (
        await db.execute("UPDATE link SET visits_left = visits_left - 1 WHERE id = $1 AND visits_left > 0", link_id)
        == 1
    )


def _cookie(headers: list[tuple[bytes, bytes]], name: str) -> str:
    for header, value in headers:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _equals, given = part.strip().partition("=")
                if key == name:
                    return given
    return ""
