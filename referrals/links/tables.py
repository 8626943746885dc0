from piccolo.columns import BigSerial, Integer, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, document, moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class Link(Table, tablename="link"):
    """A member's share link. `destination` was checked when it was made: the redirect goes nowhere else.

    `target_kind`/`target_id` keep what is shared, so that its content can be credited too.
    """

    id = BigSerial(primary_key=True)
    code = words(unique=True)
    scan_code = Text(default=None, null=True, unique=True)
    """What the link's QR holds. Only print shows it, so whoever comes by it came from paper."""
    owner_id = reference(Member)
    store_id = reference(Store, null=True)
    target_kind = words()
    target_id = big(null=True)
    destination = words()
    placement = words(optional=True)
    external_id = words(optional=True)
    """What the owner's own program calls it; once per owner (index in the migration)."""
    routes = document()
    """Where else it leads, and when (referrals.links.routing). Empty: always to `destination`."""
    starts_at = moment(null=True)
    ends_at = moment(null=True)
    most_visits = Integer(default=None, null=True)
    visits_left = Integer(default=None, null=True)
    """Counted down before a visitor is sent on, so that no two take the last one."""
    password_hash = words(optional=True)
    created_at = moment()
    disabled_at = moment(null=True)


class Closure(Table, tablename="link_closure"):
    """A link was off for a while. Kept for ever: an order is judged by whether the link was off then, not now.

    `link.disabled_at` is the one that lasts, beside the link for whoever follows it.
    """

    id = BigSerial(primary_key=True)
    link_id = reference(Link, cascade=True)
    closed_at = moment()
    closed_by_id = reference(Member, null=True, index=False)
    reopened_at = moment(null=True)
    reopened_by_id = reference(Member, null=True, index=False)

    link_closure_goes_forward = Check("reopened_at IS NULL OR reopened_at >= closed_at")


class FormerTarget(Table, tablename="link_former_target"):
    """What a link led to until it was made to lead elsewhere: who helped then is judged by what stood there then."""

    id = BigSerial(primary_key=True)
    link_id = reference(Link, cascade=True)
    target_kind = words()
    target_id = big(null=True)
    until = moment()


class FormerCode(Table, tablename="link_former_code"):
    """A code that a link once had: printed and posted, it leads there for ever and is nobody else's."""

    id = BigSerial(primary_key=True)
    code = words(unique=True)
    link_id = reference(Link, cascade=True)
    until = moment()


class Placement(Table, tablename="link_placement"):
    """Where a link hangs, lies or is glued, and what that cost: with its orders, the price of a customer."""

    id = BigSerial(primary_key=True)
    link_id = reference(Link, cascade=True, index=False)
    kind = words()
    location = words(optional=True)
    cost = big()
    currency = words()
    created_at = moment()
    removed_at = moment(null=True)
    """Taken off the list; the paper may still hang, and the scans stay scans."""

    link_placement_once = Unique([link_id])
    link_placement_kind_known = Check("kind IN ('shelf', 'packaging', 'event', 'poster', 'flyer', 'other')")
    link_placement_cost_sane = Check("cost >= 0")


class AllowedHost(Table, tablename="store_host"):
    """A further host a store vouches for: links to it may be shared and earn like those to its own address."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, cascade=True, index=False)
    host = words()
    added_by_id = reference(Member, null=True, index=False)
    created_at = moment()

    store_host_once = Unique([store_id, host])


class ShortDomain(Table, tablename="short_domain"):
    """A store's own address for its short links. One is in use; the others still lead where they led."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, cascade=True)
    host = words(unique=True)
    proof = words()
    """The text its owner puts into DNS."""
    created_at = moment()
    asked_at = moment(null=True)
    proven_at = moment(null=True)
    answer = words(optional=True)
    """What the last look into DNS found, when it was not the proof."""
    in_use_at = moment(null=True)
    blocked_at = moment(null=True)
    """Somebody said that an app blocks it: never chosen again by itself."""
