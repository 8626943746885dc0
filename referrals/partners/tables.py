from piccolo.columns import BigSerial, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, document, moment, reference, words, yes_no
from community.members.tables import Member
from referrals.programs.tables import Program


class Partner(Table, tablename="partner"):
    """A member who works with a programme: applied, approved, declined or gone, and in which tier."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    state = words()
    tier = words(optional=True)
    """A name that rules may ask for; empty: none."""
    created_at = moment()

    partner_once = Unique([program_id, member_id])
    partner_state_known = Check("state IN ('applied', 'approved', 'declined', 'left')")


class RateOverride(Table, tablename="rate_override"):
    """A rate for one member, agreed by somebody, until a day. Never changed: a new one ends the one before."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    member_id = reference(Member)
    rate_bps = count()
    note = words(optional=True)
    starts_at = moment()
    expires_at = moment()
    by_id = reference(Member)
    """Who agreed to it."""
    ended_at = moment(null=True)
    ended_by_id = reference(Member, null=True)

    rate_override_sane = Check("rate_bps BETWEEN 0 AND 10000")
    rate_override_expires = Check("expires_at > starts_at")


class Recruit(Table, tablename="recruit"):
    """Who brought a partner to a programme: two levels and no more, by trigger; so there can be no loop."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    recruiter_id = reference(Member)
    since = moment()
    via = Text(default="signup", null=False)

    recruit_once = Unique([program_id, member_id])
    recruit_of_another = Check("member_id <> recruiter_id")


class PartnerForm(Table, tablename="partner_form"):
    """How one becomes a partner of a programme: whether it is open, what is asked, who is let in at once."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    is_open = yes_no(True)
    welcome = words(optional=True)
    questions = document()
    """referrals.partners.schemas: Question, in their order."""
    auto_below = count()
    """An application with a lower risk is approved by itself; 0: a person looks at each."""
    updated_at = moment()
    by_id = reference(Member)

    partner_form_once = Unique([program_id])
    partner_form_risk_sane = Check("auto_below BETWEEN 0 AND 100")


class PartnerInvite(Table, tablename="partner_invite"):
    """A link that lets people in without a look: so many of them, until a day, into a tier."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    code = words(unique=True)
    note = words(optional=True)
    tier = words(optional=True)
    most_uses = count(1)
    used = count()
    expires_at = moment()
    ended_at = moment(null=True)
    by_id = reference(Member)
    created_at = moment()

    partner_invite_holds = Check("used BETWEEN 0 AND most_uses")


class PartnerApplication(Table, tablename="partner_application"):
    """What somebody wrote to become a partner, how risky it looked and why, and what was said to it."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    answers = document()
    """Question and answer as they were then: [["Where do you post?", "…"], …]."""
    risk = count()
    risk_reasons = document()
    invite_id = reference(PartnerInvite, null=True)
    state = words()
    reason = words(optional=True)
    decided_by_id = reference(Member, null=True)
    """Nobody, when the programme's rule let them in."""
    decided_at = moment(null=True)
    created_at = moment()

    partner_application_once = Unique([program_id, member_id])
    partner_application_state_known = Check("state IN ('waiting', 'approved', 'declined', 'withdrawn')")


class PartnerTag(Table, tablename="partner_tag"):
    """A word by which a store finds its partners again."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    tag = words()

    partner_tag_once = Unique([program_id, member_id, tag])


class PartnerNote(Table, tablename="partner_note"):
    """What people of a store write down about a partner, for themselves."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    author_id = reference(Member)
    body = words()
    created_at = moment()


class PartnerMessage(Table, tablename="partner_message"):
    """What a store and a partner write each other: one thread for each partner."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    """The partner."""
    author_id = reference(Member)
    is_from_store = yes_no()
    body = words()
    created_at = moment()
    read_at = moment(null=True)


class PartnerAsset(Table, tablename="partner_asset"):
    """What partners may use: a text to copy, a picture to take, a page to read."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    kind = words()
    title = words()
    body = words(optional=True)
    """The text, or the address."""
    key = words(optional=True)
    """Where the kept picture is."""
    by_id = reference(Member)
    created_at = moment()
    ended_at = moment(null=True)

    partner_asset_kind_known = Check("kind IN ('text', 'picture', 'page')")
