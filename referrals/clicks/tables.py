from piccolo.columns import UUID, BigSerial, Date
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, count, moment, reference, words
from community.members.tables import Member
from referrals.links.tables import Link


class Click(Table, tablename="click"):
    """A visit through a link, written before the redirect is answered. Bots and previews are kept, as what they are."""

    id = UUID(primary_key=True, default=None, null=False)
    link_id = reference(Link, index=False)
    occurred_at = moment()
    kind = words()
    visitor_day_hash = words(optional=True)
    referrer_host = words(optional=True)

    click_kind_known = Check("kind IN ('human', 'bot', 'preview', 'prefetch')")


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
    click_id = reference(Click, index=False)
    member_id = reference(Member, cascade=True)
    claimed_at = moment()

    click_claim_once = Unique([click_id])


class SignupReferral(Table, tablename="signup_referral"):
    """Who brought a member here, by which click."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    referrer_id = reference(Member)
    click_id = reference(Click, null=True)
    created_at = moment()

    signup_referral_once = Unique([member_id])
    signup_referral_not_oneself = Check("member_id <> referrer_id")
