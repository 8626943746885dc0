from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, count, moment, reference, words, yes_no
from community.chat.tables import Message
from community.groups.tables import Group, Room
from community.members.tables import Member
from storefront.catalog.tables import Product
from storefront.stores.tables import Store


class LiveEvent(Table, tablename="live_event"):
    """A member shows products at an hour, and others talk along in its room. Who may read the room sees the event.

    Offsets of the replay count from `went_live_at`. `revision` counts what calendars must be told again.
    """

    id = BigSerial(primary_key=True)
    slug = words(unique=True)
    title = words()
    summary = words(optional=True)
    lang = words(optional=True)
    host_id = reference(Member)
    group_id = reference(Group, null=True)
    store_id = reference(Store, null=True)
    room_id = reference(Room, index=False)
    watch_url = words(optional=True)
    """Where the picture is to be seen; the talk and the products are here."""
    state = words()
    starts_at = moment(index=True)
    went_live_at = moment(null=True)
    ended_at = moment(null=True)
    first_seq = big(null=True)
    last_seq = big(null=True)
    """Where in the room's sequence it went live and ended: the replay is what stands between."""
    revision = count()
    reminded_at = moment(null=True)
    counted_at = moment(null=True)
    """When the room was last told how votes stand."""
    counts_due = yes_no()
    created_at = moment()

    live_event_once_per_room = Unique([room_id])
    live_event_state_known = Check("state IN ('planned', 'live', 'ended', 'cancelled')")
    live_event_times_fit = Check(
        "(state IN ('live', 'ended')) = (went_live_at IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)"
    )


class LivePin(Table, tablename="live_pin"):
    """A product that the host holds up, from `pinned_at` to `unpinned_at`. Held up again, it is another pin."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True)
    product_id = reference(Product)
    note = words(optional=True)
    pinned_at = moment()
    unpinned_at = moment(null=True)


class LiveQuestion(Table, tablename="live_question"):
    """A message of the room that was raised to the host. Its words are the message's, and go when that goes."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True)
    message_id = reference(Message, cascade=True, index=False)
    asker_id = reference(Member)
    vote_count = count()
    raised_at = moment()
    answered_at = moment(null=True)
    dismissed_at = moment(null=True)
    settled_by_id = reference(Member, null=True, index=False)
    """Who marked it answered, or took it out of the queue."""

    live_question_once_per_message = Unique([message_id])


class LiveQuestionVote(Table, tablename="live_question_vote"):
    id = BigSerial(primary_key=True)
    question_id = reference(LiveQuestion, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    created_at = moment()

    live_question_vote_once = Unique([question_id, member_id])


class LivePoll(Table, tablename="live_poll"):
    """A question of the host's with some answers to choose from; one at a time is open (index in the migration)."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True)
    question = words()
    opened_at = moment()
    closed_at = moment(null=True)


class LivePollOption(Table, tablename="live_poll_option"):
    id = BigSerial(primary_key=True)
    poll_id = reference(LivePoll, cascade=True, index=False)
    position = count()
    text = words()
    vote_count = count()

    live_poll_option_place_once = Unique([poll_id, position])


class LivePollVote(Table, tablename="live_poll_vote"):
    """One of each member; until the poll closes they may change their mind."""

    id = BigSerial(primary_key=True)
    poll_id = reference(LivePoll, cascade=True, index=False)
    option_id = reference(LivePollOption, cascade=True)
    member_id = reference(Member, cascade=True)
    at = moment()

    live_poll_vote_once = Unique([poll_id, member_id])


class LiveSegment(Table, tablename="live_segment"):
    """What the host said, in writing, so many seconds after going live."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True)
    offset_seconds = count()
    body = words()
    created_at = moment()

    live_segment_offset_sane = Check("offset_seconds BETWEEN 0 AND 86400")


class LiveReminder(Table, tablename="live_reminder"):
    """A member wants to be told when it begins."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    created_at = moment()

    live_reminder_once = Unique([event_id, member_id])


class LiveInvite(Table, tablename="live_invite"):
    """The host asked this member to host along, who has not answered. Who said yes is a `host` of the room."""

    id = BigSerial(primary_key=True)
    event_id = reference(LiveEvent, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    invited_at = moment()

    live_invite_once = Unique([event_id, member_id])
