"""Who is credited, as data: `program_version.policy`. An empty document is `Policy()`, the plain rules.

It is frozen with its version: an order is decided by the policy in force when we first heard of it, for ever.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from app.errors import Invalid
from app.i18n import gettext as _

# The kinds of credit, the strongest first. `placement` is a scan of a printed QR code, `house` the store itself.
CLASSES = (
    "override",
    "personal_code",
    "carried",
    "claimed",
    "campaign_code",
    "invite",
    "bind",
    "placement",
    "house",
)
CHANNELS = ("click", "qr", "s2s", "deferred", "code", "invite", "embed")
"""Ways of coming that may have a window of their own."""
ASSISTS = ("author", "answerer", "host", "introducer")
PARTNER_CLASSES = ("content", "staff", "coupon", "cashback", "extension")
# They step in at the checkout; whoever told the buyer about the product before them goes first.
AT_THE_CHECKOUT = frozenset({"coupon", "cashback", "extension"})
MOST_ASSIST = 5_000
LONGEST_DAYS = 3_650
MOST_PARTNERS = 1_000

Bind = Literal["register", "first", "override", "none"]


class LeakRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A personal code that this many new buyers used within `days`, of whom nothing else was known, is no longer
    passed from friend to friend. `share_bps`: of all its uses in that time, at least so many were such."""

    watch: int = 5
    leaked: int = 15
    days: int = 7
    share_bps: int = 8_000


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which kind of credit goes before which, how long each counts, and what helpers are given of it."""

    order: tuple[str, ...] = CLASSES
    new_customer_order: tuple[str, ...] = ()
    """For a buyer's first order at the store; empty: the same order."""
    windows: dict[str, int] = {}
    """Days by channel; the version's `window_days` for the others."""
    bind: Bind = "register"
    """Who a buyer belongs to when nothing newer counts: who brought them here ("register"), the first who led them to
    this store ("first"), the latest ("override"), or nobody ("none")."""
    bind_days: int = 0
    """How long that lasts; 0: for ever."""
    bind_idle_days: int = 0
    """It ends when the buyer bought nothing for so long; 0: never."""
    min_confidence: int = 50
    """Percent. A match that is less sure never earns."""
    stand_down_hours: int = 24
    partner_classes: dict[str, str] = {}
    """By member id: what kind of partner they are. Everybody else is "content"."""
    assist_bps: dict[str, int] = {}
    """What the author of the guide or review, the answerer, the host of the room where the path began, and whoever
    introduced the buyer first, are given of the commission. Nothing unless said."""
    second_approver_from: int | None = 10_000
    """Minor units at stake from which an override needs a second person; 0: always, null: never."""
    leak: LeakRules = LeakRules()
    house_id: int | None = None
    """The member credited when nobody else is."""
    unique_minutes: int = 60
    """Visits of one browser within so many minutes are shown as one person. It decides no credit."""


PLAIN = Policy()


def policy_of(version: Mapping[str, Any]) -> Policy:
    """The policy of a programme's version."""
    kept = version["policy"]
    return msgspec.convert(kept, Policy) if kept else PLAIN


def check_policy(policy: Policy) -> None:
    """Invalid, naming the field, for a policy that cannot be meant."""
    for field in ("order", "new_customer_order"):
        _check_order(field, getattr(policy, field))
    for channel, days in policy.windows.items():
        if channel not in CHANNELS or not 1 <= days <= LONGEST_DAYS:
            raise Invalid("windows", _("A window is 1 to %(most)s days of: %(names)s.", **_known(CHANNELS)))
    for field in ("bind_days", "bind_idle_days"):
        if not 0 <= getattr(policy, field) <= LONGEST_DAYS:
            raise Invalid(field, _("0 to %(most)s days; 0 means for ever.", most=LONGEST_DAYS))
    if not 0 <= policy.stand_down_hours <= 24 * 30:
        raise Invalid("stand_down_hours", _("0 to 720 hours; 0 switches it off."))
    if not 0 <= policy.min_confidence <= 100:
        raise Invalid("min_confidence", _("A confidence is 0 to 100 percent."))
    if not 1 <= policy.unique_minutes <= 1_440:
        raise Invalid("unique_minutes", _("1 to 1,440 minutes: a browser is known for a day."))
    if policy.second_approver_from is not None and policy.second_approver_from < 0:
        raise Invalid("second_approver_from", _("An amount is a whole number of minor units, from 0 up."))
    _check_partners(policy)
    _check_assists(policy)
    _check_leak(policy.leak)


def _check_order(field: str, order: tuple[str, ...]) -> None:
    if field == "new_customer_order" and not order:
        return
    if set(order) - set(CLASSES) or len(set(order)) != len(order):
        raise Invalid(field, _("Each kind of credit at most once, of: %(names)s.", names=", ".join(CLASSES)))
    if not order or order[0] != "override":
        raise Invalid(field, _("What a person decided stands first."))


def _check_partners(policy: Policy) -> None:
    if len(policy.partner_classes) > MOST_PARTNERS or not all(
        member.isascii() and member.isdigit() and kind in PARTNER_CLASSES
        for member, kind in policy.partner_classes.items()
    ):
        raise Invalid(
            "partner_classes",
            _("At most %(most)s members, each one of: %(names)s.", **_known(PARTNER_CLASSES, MOST_PARTNERS)),
        )


def _check_assists(policy: Policy) -> None:
    if set(policy.assist_bps) - set(ASSISTS) or not all(0 <= bps <= MOST_ASSIST for bps in policy.assist_bps.values()):
        raise Invalid("assist_bps", _("Shares in basis points of: %(names)s.", names=", ".join(ASSISTS)))
    if sum(policy.assist_bps.values()) > MOST_ASSIST:
        raise Invalid("assist_bps", _("Helpers together get at most half, so that whoever led to the order has most."))


def _check_leak(leak: LeakRules) -> None:
    if not (1 <= leak.watch <= leak.leaked <= 100_000 and 1 <= leak.days <= 90 and 1 <= leak.share_bps <= 10_000):
        raise Invalid("leak", _("A code is watched before it counts as leaked, within 1 to 90 days."))


def _known(names: tuple[str, ...], most: int = LONGEST_DAYS) -> dict[str, Any]:
    return {"names": ", ".join(names), "most": most}
