from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, count, moment, raw_bytes, reference, words, yes_no
from community.members.tables import Member
from referrals.commissions.tables import Commission
from referrals.programs.tables import Program
from storefront.stores.tables import Store


class Bounty(Table, tablename="bounty"):
    """A piece of work that a store pays a fixed amount for: a film, a post, a talk at a fair."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    title = words()
    brief = words()
    amount = amount()
    currency = words()
    most_awards = count(1)
    opens_at = moment(null=True)
    """Empty: since it was offered."""
    closes_at = moment()
    period = words(optional=True)
    """How often a member may be paid: once, or once a week or month (UTC)."""
    metric = words(optional=True)
    """What it must reach: told by the member (views, likes, comments) or counted here (clicks, orders)."""
    least = count()
    needs_proof = yes_no()
    awards_itself = yes_no()
    """Paid without a person once the figure we fetched reaches `least`, unless something about it is odd."""
    jump_times = count(10)
    """So many times faster than until then is a sudden jump; 0 is never."""
    by_id = reference(Member)
    created_at = moment()

    bounty_amount_sane = Check("amount > 0")
    bounty_awards_sane = Check("most_awards BETWEEN 1 AND 10000")
    bounty_period_known = Check("period IN ('', 'week', 'month')")
    bounty_metric_known = Check("metric IN ('', 'views', 'likes', 'comments', 'clicks', 'orders')")
    bounty_least_sane = Check("least >= 0 AND (least = 0 OR metric <> '')")
    bounty_awards_itself_by_figures = Check(
        "NOT awards_itself OR (metric IN ('views', 'likes', 'comments') AND least > 0)"
    )
    bounty_jump_times_sane = Check("jump_times BETWEEN 0 AND 1000")


class BountySubmission(Table, tablename="bounty_submission"):
    """Work that somebody handed in, with the address where it can be seen; once a member, bounty and period."""

    id = BigSerial(primary_key=True)
    bounty_id = reference(Bounty, index=False)
    member_id = reference(Member)
    period = words(optional=True)
    """`2026-11` or `2026-W47` of a bounty that comes again; empty otherwise."""
    proof_url = words()
    note = words(optional=True)
    reach = count()
    """The figure of the bounty's metric: how many saw it, as the member says, or what was counted here."""
    state = words()
    decided_by_id = reference(Member, null=True)
    decided_at = moment(null=True)
    reason = words(optional=True)
    commission_id = reference(Commission, null=True)
    created_at = moment()

    bounty_submission_once_a_period = Unique([bounty_id, member_id, period])
    bounty_submission_state_known = Check("state IN ('waiting', 'approved', 'declined')")


class BountyFile(Table, tablename="bounty_file"):
    """A screenshot or a PDF that proves handed-in work. Only its member and the store's people see it."""

    id = BigSerial(primary_key=True)
    bounty_id = reference(Bounty)
    member_id = reference(Member)
    submission_id = reference(BountySubmission, null=True)
    """Empty until it is handed in; what never is, goes after a day."""
    key = words(unique=True)
    name = words()
    media_type = words()
    bytes = big()
    created_at = moment()


class BountyWatch(Table, tablename="bounty_watch"):
    """A post handed in whose figure we fetch. One post counts for one piece of work of a store (partial index)."""

    id = BigSerial(primary_key=True)
    submission_id = reference(BountySubmission, cascade=True, index=False)
    store_id = reference(Store, index=False)
    platform = words()
    key = words(optional=True)
    """The post as its platform names it; empty when its member is erased."""
    post_hash = raw_bytes(null=True)
    """The post once it was seen and is by their proven account: it stays, so that it is never paid twice."""
    account_hash = raw_bytes(null=True)
    """Its channel, for the same reason: one channel is one member's in a bounty."""
    state = words()
    why = words(optional=True)
    """Why it was refused, or why the last look saw nothing."""
    published_at = moment(null=True)
    text_hash = raw_bytes(null=True)
    changed_at = moment(null=True)
    """When its words were first seen to be others than those handed in."""
    figure = big(null=True)
    figure_at = moment(null=True)
    top = big(null=True)
    jump_from = big(null=True)
    jump_to = big(null=True)
    jump_at = moment(null=True)
    failures = count()
    """In a row."""
    next_at = moment(null=True)
    """Empty: nobody looks any more."""
    created_at = moment()

    bounty_watch_once = Unique([submission_id])
    bounty_watch_state_known = Check("state IN ('new', 'watched', 'ended', 'refused', 'dropped')")
    bounty_watch_figure_sane = Check("figure >= 0 AND top >= figure")


class BountyRefusal(Table, tablename="bounty_refusal"):
    """A person of the store said no to this post. Whoever hands it in again, for whatever, a person looks again."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    post_hash = raw_bytes()
    by_id = reference(Member)
    at = moment()

    bounty_refusal_once = Unique([store_id, post_hash])


class BountyFigure(Table, tablename="bounty_figure"):
    """What a look saw: which figure, when, and from where. Never changed."""

    id = BigSerial(primary_key=True)
    watch_id = reference(BountyWatch, cascade=True)
    metric = words()
    figure = big()
    source = words()
    at = moment()
