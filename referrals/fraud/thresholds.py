"""From when on a rule strikes: data of a store, with defaults that let honest people alone."""

from typing import Any

import msgspec

from app import clock, db
from app.errors import Invalid
from app.i18n import gettext as _

MOST_PATTERNS, LONGEST_PATTERN = 100, 120
RULES = (
    "own_email",
    "own_device",
    "own_address",
    "own_card",
    "own_phone",
    "ring",
    "circle",
    "cluster",
    "velocity",
    "click_flood",
    "stuffing",
    "leaked_code",
    "paid_traffic",
    "banned_referrer",
    "new_sites",
    "shared_account",
    "refunds",
    "odd_times",
    "odd_paths",
)


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Counts, percent and hours. Each figure is the first one that strikes."""

    sla_hours: int = 72
    """How soon a case is decided; later, the admins are told. Nothing is paid meanwhile."""
    appeal_days: int = 30
    ring_customers: int = 3
    """Different customers of one member at one address, or with one card."""
    circle_orders: int = 2
    """Orders in three months that each of two or three members bought by the next one's word, round in a circle."""
    cluster_members: int = 3
    """Members joined by a card, a payout account, or two other signs that they share (clusters.py)."""
    cluster_orders: int = 4
    """Orders and sign-ups inside such a cluster in three months, by all of it together: this one and what follows."""
    orders_per_hour: int = 15
    signups_per_hour: int = 20
    flood_clicks: int = 200
    """Visits in a day, beside few orders, that come like clockwork or mostly from one browser."""
    flood_spread_percent: int = 35
    """How uneven the times between visits are at most, 100 being people who come by chance."""
    flood_one_browser_percent: int = 60
    flood_data_centre_percent: int = 60
    """Visits from data centres, where few people surf from and most machines are rented."""
    flood_orders_percent: int = 2
    stuffing_visits: int = 10
    """Visits in a week that no person chose: loaded as a picture, or in a frame."""
    stuffing_percent: int = 20
    fleeting_visits: int = 30
    """Visits in a week whose page was left within two seconds or told nothing, where visits by others did."""
    fleeting_percent: int = 90
    cold_uses: int = 5
    refund_orders: int = 10
    refund_percent: int = 50
    odd_orders: int = 20
    odd_distance_percent: int = 40
    """How far the times from click to order are from those of everybody else (Kolmogorov-Smirnov)."""
    new_sites: int = 5
    """Sites in a week that never sent anybody to this link before, and now each send two people or more."""
    new_sites_known_visits: int = 20
    """A link that hardly anybody knew has only new sites; from so many earlier visits on it has a history."""
    path_orders: int = 20
    path_distance_percent: int = 40
    """How many more of a member's orders than of everybody else's took a path that buyers do not take."""
    paid_params: tuple[str, ...] = tuple("gclid gbraid wbraid msclkid dclid ttclid twclid yclid bd_vid qz_gdt".split())
    """What advertisers add to addresses. Facebook's fbclid is not among them: it is on shared posts too."""
    paid_allowed: tuple[str, ...] = ()
    """Links that may be advertised, by code or placement, with * and ?: "summer-*"."""
    banned_referrers: tuple[str, ...] = ()
    """Sites that may not send visitors, with * and ?: "*.coupon.example"."""
    open_sites: tuple[str, ...] = tuple(
        f"{dots}{site}"
        for site in (
            "google.* bing.com duckduckgo.com baidu.com facebook.com instagram.com threads.net t.co twitter.com x.com "
            "reddit.com youtube.com tiktok.com douyin.com weibo.com weibo.cn xiaohongshu.com zhihu.com bilibili.com "
            "pinterest.* linkedin.com qq.com whatsapp.com t.me telegram.org discord.com line.me mastodon.social"
        ).split()
        for dots in ("", "*.")
    )
    """Where anybody may post: what takes off there is never a new site."""
    checkout_paths: tuple[str, ...] = ("*/cart*", "*/checkout*", "*/basket*", "*/warenkorb*", "*/kasse*")
    """Where a shop's checkout stands: nobody is told about that page by a friend."""
    off: tuple[str, ...] = ()
    """Rules that do not strike at this store."""


PLAIN = Thresholds()
LISTS = ("paid_params", "paid_allowed", "banned_referrers", "open_sites", "checkout_paths")
# Lowest and highest sane value of each figure.
BOUNDS = {
    "sla_hours": (1, 24 * 30),
    "appeal_days": (1, 365),
    "ring_customers": (2, 1_000),
    "circle_orders": (1, 1_000),
    "cluster_members": (3, 40),
    "cluster_orders": (2, 1_000),
    "orders_per_hour": (2, 100_000),
    "signups_per_hour": (2, 100_000),
    "flood_clicks": (20, 10_000_000),
    "flood_spread_percent": (1, 90),
    "flood_one_browser_percent": (10, 100),
    "flood_data_centre_percent": (20, 100),
    "flood_orders_percent": (1, 100),
    "stuffing_visits": (3, 1_000_000),
    "stuffing_percent": (1, 100),
    "fleeting_visits": (10, 1_000_000),
    "fleeting_percent": (60, 100),
    "cold_uses": (1, 100_000),
    "refund_orders": (3, 100_000),
    "refund_percent": (5, 100),
    "odd_orders": (10, 100_000),
    "odd_distance_percent": (10, 100),
    "new_sites": (2, 1_000),
    "new_sites_known_visits": (5, 100_000),
    "path_orders": (10, 100_000),
    "path_distance_percent": (10, 100),
}


async def thresholds_of(store_id: int) -> Thresholds:
    """Those in force at a store now."""
    kept: Any = await db.fetch_val(
        "SELECT settings FROM fraud_settings WHERE store_id = $1 ORDER BY id DESC LIMIT 1", store_id
    )
    return msgspec.convert(kept, Thresholds) if kept else PLAIN


async def set_thresholds(store_id: int, wanted: Thresholds, by_id: int) -> None:
    check_thresholds(wanted)
    await db.execute(
        "INSERT INTO fraud_settings (store_id, settings, by_id, created_at) VALUES ($1, $2::jsonb, $3, $4)",
        store_id,
        msgspec.json.encode(wanted).decode(),
        by_id,
        clock.now(),
    )


def check_thresholds(wanted: Thresholds) -> None:
    """Invalid, naming the field, for a figure that cannot be meant."""
    for field, (least, most) in BOUNDS.items():
        if not least <= getattr(wanted, field) <= most:
            raise Invalid(field, _("From %(least)s to %(most)s.", least=least, most=most))
    for field in LISTS:
        patterns = getattr(wanted, field)
        if len(patterns) > MOST_PATTERNS or any(not 0 < len(one) <= LONGEST_PATTERN for one in patterns):
            raise Invalid(field, _("At most %(most)s lines of %(longest)s characters.", **_PATTERN_WORDS))
    if set(wanted.banned_referrers) & {"*", "**", "?*", "*?"}:
        raise Invalid("banned_referrers", _("That would ban every site."))
    if set(wanted.off) - set(RULES):
        raise Invalid("off", _("There is no such rule."))


_PATTERN_WORDS = {"most": MOST_PATTERNS, "longest": LONGEST_PATTERN}
