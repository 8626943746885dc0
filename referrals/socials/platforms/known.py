"""The platforms that we know how to ask, and which of them an address belongs to."""

from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from app.settings import settings
from referrals.socials.platforms import bilibili, bluesky, mastodon, youtube
from referrals.socials.platforms.seen import Address, CannotSee, Place, Platform, Seen

ALL = {one.name: one for one in (youtube.PLATFORM, bilibili.PLATFORM, mastodon.PLATFORM, bluesky.PLATFORM)}
LONGEST_KEY, LONGEST_NAME = 300, 100


def in_use() -> list[Platform]:
    """Those the operator lets us ask, and that have what they need for it."""
    return [one for name, one in ALL.items() if name in settings().figures_from and one.is_on()]


def place_of(url: str) -> Place | None:
    """What an address names on one of them; None for everything else."""
    address = _read(url)
    for platform in in_use() if address else ():
        assert address is not None
        if found := platform.find(address):
            return Place(platform.name, *found)
    return None


async def look(place: Place) -> Seen:
    """Ask for it; CannotSee when it cannot be read."""
    seen = await ALL[place.platform].look(place.kind, place.key)
    if not all(part.isprintable() and len(part) <= LONGEST_KEY for part in (seen.account, seen.post)):
        raise CannotSee("unreadable")
    name = "".join(sign for sign in seen.name if sign.isprintable())[:LONGEST_NAME]
    return msgspec.structs.replace(seen, name=name)


def _read(url: str) -> Address | None:
    try:
        split = urlsplit(url.strip())
        host, port = split.hostname or "", split.port
        query = {name: values[0] for name, values in parse_qs(split.query, max_num_fields=50).items()}
    except ValueError:
        return None
    if split.scheme not in ("http", "https") or port or split.username is not None:
        return None
    parts = tuple(unquote(part) for part in split.path.split("/") if part)
    return Address(host.removeprefix("www."), parts, query)
