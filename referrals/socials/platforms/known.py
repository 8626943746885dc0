"""The platforms that we know how to ask, and which of them an address belongs to."""

from unicodedata import normalize
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from app.settings import settings
from referrals.socials.platforms import bilibili, bluesky, mastodon, youtube
from referrals.socials.platforms.seen import Address, CannotSee, Place, Platform, Seen

ALL = {one.name: one for one in (youtube.PLATFORM, bilibili.PLATFORM, mastodon.PLATFORM, bluesky.PLATFORM)}
LONGEST_KEY, LONGEST_NAME = 300, 100
PORTS = {"http": 80, "https": 443}


def in_use() -> list[Platform]:
    """Those the operator lets us ask, and that have what they need for it."""
    return [one for name, one in ALL.items() if name in settings().figures_from and one.is_on()]


def place_of(url: str) -> Place | None:
    """What an address names on one of them; None for everything else."""
    if (address := _read(url)) is None:
        return None
    for platform in in_use():
        if found := platform.find(address):
            kind, key = found
            return Place(platform.name, kind, key) if len(key) <= LONGEST_KEY and key.isprintable() else None
    return None


def platform_of(url: str) -> Platform | None:
    """Whose host an address is on, whether or not it names anything there."""
    host = address.host if (address := _read(url)) else ""
    return next((one for one in in_use() if any(f".{host}".endswith(f".{its}") for its in one.hosts())), None)


async def look(place: Place) -> Seen:
    """Ask for it; CannotSee when it cannot be read, or when the operator does not let us ask (any more)."""
    if ALL[place.platform] not in in_use():
        raise CannotSee("refused")
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
    if split.scheme not in ("http", "https") or port not in (None, PORTS[split.scheme]) or split.username is not None:
        return None
    # Browsers go to the same place by all of these.
    host = normalize("NFKC", host).lower().rstrip(".").removeprefix("www.")
    parts = tuple(unquote(part).strip() for part in split.path.split("/") if part)
    return Address(host, parts, {name: value.strip() for name, value in query.items()})
