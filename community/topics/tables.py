from piccolo.columns import BigSerial, Real
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words
from community.groups.tables import Group
from community.members.tables import Member


class Topic(Table, tablename="topic"):
    """A conversation in a group. Its first post is post number 1; `heat` orders the hot list."""

    id = BigSerial(primary_key=True)
    group_id = reference(Group, cascade=True, index=False)
    author_id = reference(Member)
    kind = words()
    title = words()
    slug = words()
    post_count = count()
    reaction_count = count()
    heat = Real(default=0.0, null=False)
    created_at = moment()
    active_at = moment()

    topic_kind_known = Check("kind IN ('discussion', 'question', 'event')")


class Post(Table, tablename="post"):
    """One contribution: `body` as written (Markdown), `html` as rendered once, safely."""

    id = BigSerial(primary_key=True)
    topic_id = reference(Topic, cascade=True, index=False)
    number = count()
    author_id = reference(Member)
    reply_to_id = reference("self", null=True)
    body = words()
    html = words()
    created_at = moment()
    edited_at = moment(null=True)

    post_number_once_per_topic = Unique([topic_id, number])


class Reaction(Table, tablename="reaction"):
    id = BigSerial(primary_key=True)
    post_id = reference(Post, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    emoji = words()
    created_at = moment()

    reaction_once = Unique([post_id, member_id, emoji])
