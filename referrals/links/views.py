"""A link as programs see it, and the addresses it has."""

import asyncpg
import msgspec

from app.disclosure import mark, sentence
from app.settings import settings
from referrals.links import domains
from referrals.links.routing import Routes
from referrals.links.schemas import BranchView, LinkView, Place, RuleView


def url_of(code: str, store_id: int | None = None) -> str:
    """The address of a code: at the short domain that its store has in use, or with us."""
    if host := domains.host_of(store_id):
        return f"{'https' if settings().is_https else 'http'}://{host}/{code}"
    return f"{settings().base_url}/r/{code}"


def url_of_link(link: asyncpg.Record) -> str:
    return url_of(link["code"], link["store_id"])


def scan_url_of(link: asyncpg.Record) -> str:
    """What the QR holds: a code that stands nowhere else, so that a scan is known for one."""
    return url_of(link["scan_code"] or link["code"], link["store_id"])


def qr_url_of(link: asyncpg.Record) -> str:
    return f"{settings().base_url}/r/{link['code']}/qr.svg"


def target_of(link: asyncpg.Record) -> str:
    return link["target_kind"] + (f":{link['target_id']}" if link["target_id"] is not None else "")


def view_of(link: asyncpg.Record, place: asyncpg.Record | None = None) -> LinkView:
    routes = msgspec.convert(link["routes"], Routes)
    counted = link.get("clicks") is not None
    return LinkView(
        code=link["code"],
        url=url_of_link(link),
        qr_svg_url=qr_url_of(link),
        target=target_of(link),
        destination=link["destination"],
        placement=link["placement"],
        label=mark(),
        disclosure=sentence(),
        clicks=link["clicks"] if counted else 0,
        bots=link["bots"] if counted else 0,
        created_at=link["created_at"].isoformat(),
        disabled=link["disabled_at"] is not None,
        external_id=link["external_id"],
        starts_at=link["starts_at"].isoformat() if link["starts_at"] else None,
        ends_at=link["ends_at"].isoformat() if link["ends_at"] else None,
        most_visits=link["most_visits"],
        visits_left=link["visits_left"],
        has_password=bool(link["password_hash"]),
        rules=[RuleView(rule.when, rule.to, rule.destination) for rule in routes.rules],
        split=[BranchView(side.name, side.weight, side.to, side.destination) for side in routes.split],
        place=Place(place["kind"], place["location"], place["cost"], place["currency"]) if place else None,
    )
