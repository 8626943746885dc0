"""Where a link leads whom: ordered rules, then a split, then its own destination. Pure: the tester and the redirect
ask the same function, so what the tester says is what happens."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from referrals.links.agents import APPS, BROWSERS, DEVICES, SYSTEMS, Agent, agent_of

MOST_RULES = 20
MOST_BRANCHES = 8

Code = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9-]+$")]
Moment = Annotated[datetime, Meta(tz=True)]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule's conditions: all that are given must hold, and of each list one is enough."""

    device: list[Literal[DEVICES]] = []  # type: ignore[valid-type]
    os: list[Literal[SYSTEMS]] = []  # type: ignore[valid-type]
    browser: list[Literal[BROWSERS]] = []  # type: ignore[valid-type]
    in_app: list[Literal[("any", "none", *APPS)]] = []  # type: ignore[valid-type]
    language: list[Code] = []
    country: list[Code] = []
    since: Moment | None = None
    until: Moment | None = None


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    when: When
    to: str
    """The target as its owner named it."""
    destination: str
    """Where that is, checked when it was written."""


class Branch(msgspec.Struct, frozen=True, omit_defaults=True):
    """One side of a split; `weight` against the sum of all."""

    name: str
    weight: int
    to: str
    destination: str


class Routes(msgspec.Struct, frozen=True, omit_defaults=True):
    rules: list[Rule] = []
    split: list[Branch] = []


class Visit(msgspec.Struct, frozen=True):
    """What a request tells."""

    agent: Agent
    language: str
    country: str
    at: datetime
    who: bytes = b""
    """Picks a side of a split, always the same for one browser at one address; never stored."""
    side: str = ""
    """The side this browser was given before, by its cookie."""


class Check(msgspec.Struct, frozen=True):
    """One condition of a rule, held against a visit."""

    part: str
    wanted: str
    seen: str
    holds: bool


class Choice(msgspec.Struct, frozen=True):
    destination: str
    rule: int = 0
    """The number of the rule that decided, counted from one; 0: none."""
    variant: str = ""


def choose(routes: Routes, otherwise: str, visit: Visit, link_id: int) -> Choice:
    """Where this visit goes: the first rule that holds, else its side of the split, else the link's destination."""
    for number, rule in enumerate(routes.rules, 1):
        if all(check.holds for check in checks(rule.when, visit)):
            return Choice(rule.destination, rule=number)
    if routes.split:
        kept = next((branch for branch in routes.split if branch.name == visit.side), None)
        branch = kept or _side(routes.split, visit.who, link_id)
        return Choice(branch.destination, variant=branch.name)
    return Choice(otherwise)


def checks(when: When, visit: Visit) -> list[Check]:
    """Each condition that a rule makes, and whether this visit meets it."""
    agent = visit.agent
    found = [
        Check(part, ", ".join(wanted), seen, seen in wanted)
        for part, wanted, seen in (
            ("device", when.device, agent.device),
            ("os", when.os, agent.os),
            ("browser", when.browser, agent.browser),
        )
        if wanted
    ]
    if when.in_app:
        holds = agent.in_app in when.in_app or ("any" if agent.in_app else "none") in when.in_app
        found.append(Check("in_app", ", ".join(when.in_app), agent.in_app or "none", holds))
    if when.language:
        holds = any(_speaks(visit.language, tag) for tag in when.language)
        found.append(Check("language", ", ".join(when.language), visit.language or "?", holds))
    if when.country:
        holds = visit.country.upper() in {country.upper() for country in when.country}
        found.append(Check("country", ", ".join(when.country), visit.country or "?", holds))
    if when.since:
        found.append(Check("since", _minute(when.since), _minute(visit.at), visit.at >= when.since))
    if when.until:
        found.append(Check("until", _minute(when.until), _minute(visit.at), visit.at < when.until))
    return found


def visit_of(
    headers: list[tuple[bytes, bytes]], *, at: datetime, address: str, country_header: str, key: bytes
) -> Visit:
    """A request as the rules see it. The country is only known when a proxy we trust says it in its header."""
    agent = accepted = country = b""
    trusted = country_header.lower().encode()
    for name, value in headers:
        if name == b"user-agent":
            agent = value
        elif name == b"accept-language":
            accepted = value
        elif trusted and name == trusted:
            country = value
    who = hashlib.blake2b(address.encode() + b"\0" + agent, key=key[:64], digest_size=16).digest()
    return Visit(agent_of(agent), preferred(accepted.decode("latin-1")), country[:2].decode("latin-1").upper(), at, who)


def preferred(accept_language: str) -> str:
    """The language a browser asks for first: "zh-CN" of "en;q=0.5, zh-CN"."""
    best, weight = "", 0.0
    for part in accept_language.split(",")[:10]:
        tag, _semicolon, quality = part.strip().partition(";q=")
        try:
            q = float(quality or 1)
        except ValueError:
            continue
        if tag and tag != "*" and q > weight:
            best, weight = tag.strip()[:20], q
    return best


def _speaks(asked: str, rule: str) -> bool:
    """Whether zh-TW is "zh" (yes), "zh-Hant" (yes) or "zh-Hans" (no)."""
    tag, rule = _written(asked.lower()), _written(rule.lower())
    return tag == rule or tag.startswith(rule + "-")


def _written(tag: str) -> str:
    if tag in ("zh-tw", "zh-hk", "zh-mo"):
        return "zh-hant" + tag[2:]
    return "zh-hans" + tag[2:] if tag in ("zh-cn", "zh-sg", "zh-my") else tag


def _side(split: list[Branch], who: bytes, link_id: int) -> Branch:
    """The side of a visitor: always the same for one browser at one address, and another one at another link."""
    point = int.from_bytes(hashlib.blake2b(who, key=str(link_id).encode(), digest_size=8).digest())
    point = point * sum(branch.weight for branch in split) >> 64
    for branch in split:
        point -= branch.weight
        if point < 0:
            return branch
    return split[-1]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
