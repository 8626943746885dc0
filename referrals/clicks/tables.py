from piccolo.columns import UUID, BigSerial, Date, SmallInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, count, moment, raw_bytes, reference, words
from community.members.tables import Member
from referrals.links.tables import Link


class Click(Table, tablename="click"):
    """A visit through a link, written before the redirect is answered. Bots and previews are kept, as what they are.

    Partitioned by day; the key is (id, occurred_at), so nothing can refer to a click by a foreign key. The id begins
    with the moment (UUID version 7): `queries.is_click` finds one in its day. No address is kept, and of a visitor
    only a hash whose salt is deleted after three days.
    """

    id = UUID(primary_key=True, default=None, null=False)
    link_id = reference(Link, index=False)
    occurred_at = moment()
    kind = words()
    visitor_day_hash = words(optional=True)
    referrer_host = words(optional=True)
    trigger = words(optional=True)
    """How the link was met: "link", "qr", "embed" (a script of a shop's own pages) or "deep"."""
    blocked = words(optional=True)
    """Why the link sent nobody on: "closed", "expired"; empty when it did."""
    variant = words(optional=True)
    consent = words(optional=True)
    """"denied": counted, and nothing else is kept; "granted" when the visitor said so; empty when they said nothing."""
    agent_hash = big(null=True)
    signals = SmallInt(default=0, null=False)
    """What the request said beside its agent, as bits (classify.py): from these and the agent a score can be redone."""
    bot_score = SmallInt(default=0, null=False)
    score_version = SmallInt(default=0, null=False)
    ua_class = words(optional=True)
    in_app = words(optional=True)
    paid_click_param = words(optional=True)
    """The name of an advertiser's parameter ("gclid") in the address that was opened; never its value."""
    fetch_site = words(optional=True)
    fetch_dest = words(optional=True)
    country = words(optional=True)

    click_kind_known = Check("kind IN ('human', 'bot', 'preview', 'prefetch')")


class ClickAgent(Table, tablename="click_agent"):
    """A User-Agent, once for all clicks that had it, so that they can be classified anew."""

    hash = big()
    agent = words()

    click_agent_once = Unique([hash])


class VisitorSalt(Table, tablename="visitor_salt"):
    """The random salt of a day's visitor hashes. Deleted after 72 hours: then nobody can make such a hash again."""

    day = Date(default=None, null=False, unique=True)
    salt = raw_bytes()
    created_at = moment()


class ClickDwell(Table, tablename="click_dwell"):
    """How long, roughly, a page was looked at that a click led to: the longest that was told. Goes with its click."""

    click_id = UUID(primary_key=True, default=None, null=False)
    seconds = SmallInt(default=None, null=False)

    click_dwell_is_capped = Check("seconds BETWEEN 0 AND 1800")


class ClickRetention(Table, tablename="click_retention"):
    """Days of clicks that were dropped: what an order, a claim or a sign-up refers to was kept."""

    before = Date(default=None, null=False)
    dropped = big()
    kept = big()
    at = moment()


class ClickCount(Table, tablename="click_count"):
    """How many clicks of a kind a link had on a day (UTC), counted in the commit that writes them.

    A popular link is counted in several slots, one per web process, so that none waits for another's row.
    """

    id = BigSerial(primary_key=True)
    link_id = reference(Link, index=False)
    day = Date(default=None, null=False)
    kind = words()
    slot = count()
    clicks = big()

    click_count_once = Unique([link_id, day, kind, slot])


class ClickClaim(Table, tablename="click_claim"):
    """A member signed in (or up) in the browser that made the click: from now on it is theirs on every device."""

    id = BigSerial(primary_key=True)
    click_id = UUID(default=None, null=False)
    member_id = reference(Member, cascade=True)
    claimed_at = moment()

    click_claim_once = Unique([click_id])


class SignupReferral(Table, tablename="signup_referral"):
    """Who brought a member here, by which click."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    referrer_id = reference(Member)
    click_id = UUID(default=None, null=True, index=True)
    # The click's: whoever looks at their links need not look into every day's clicks.
    link_id = reference(Link, null=True)
    created_at = moment()

    signup_referral_once = Unique([member_id])
    signup_referral_not_oneself = Check("member_id <> referrer_id")


class MemberVisitor(Table, tablename="member_visitor"):
    """The visitor hash a signed-in member had on a day: whether a click came from the browser of a member."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    day = Date(default=None, null=False)
    visitor_day_hash = words(index=True)

    member_visitor_once = Unique([visitor_day_hash, member_id])
