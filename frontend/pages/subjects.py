"""What "post:12" means: any thing that can be reported, resolved to its author, address and words.

Each kind is one query that says who may read it, in the same words as the feature's own lists.
"""

from collections.abc import Callable

import asyncpg

from app import db
from app.auth import Viewer
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from community.chat import context
from community.groups.policy import readable_groups, readable_rooms
from community.moderation.queries import in_sight
from community.moderation.schemas import KINDS, Subject
from community.topics.addresses import post_url, topic_url

# Enough for a moderator to judge by, even when the group is closed to them or the words change meanwhile.
EVIDENCE = 1_200

# Read by everyone; the viewer's parameter is there because every kind takes the same two.
ANYONE = "($2::bigint IS NULL OR true)"

SQL: dict[str, str] = {
    "post": f"""SELECT p.author_id, p.body, p.number, t.id AS topic_id, t.slug, g.slug AS group_slug
                  FROM post p JOIN topic t ON t.id = p.topic_id JOIN groups g ON g.id = t.group_id
                 WHERE p.id = $1 AND {readable_groups("g", "$2")}
                   AND {in_sight("post", "p.id")} AND {in_sight("topic", "t.id")}""",
    "topic": f"""SELECT t.author_id, t.id AS topic_id, t.slug, g.slug AS group_slug,
                        t.title || CASE WHEN {in_sight("post", "f.id")} THEN E'\\n\\n' || f.body ELSE '' END AS body
                   FROM topic t JOIN groups g ON g.id = t.group_id JOIN post f ON f.topic_id = t.id AND f.number = 1
                  WHERE t.id = $1 AND {readable_groups("g", "$2")} AND {in_sight("topic", "t.id")}""",
    "message": f"""SELECT m.author_id, m.body, m.seq, m.room_id
                     FROM message m JOIN room r ON r.id = m.room_id
                    WHERE m.id = $1 AND {readable_rooms("r", "$2")} AND m.deleted_at IS NULL
                      AND {in_sight("message", "m.id")}""",
    "review": f"""SELECT r.author_id, r.title || E'\\n\\n' || r.body AS body, p.slug
                    FROM review r JOIN product p ON p.id = r.product_id
                   WHERE r.id = $1 AND {ANYONE} AND {in_sight("review", "r.id")}""",
    "guide": f"""SELECT g.author_id, g.title || E'\\n\\n' || g.summary AS body, g.slug
                   FROM guide g
                  WHERE g.id = $1 AND {ANYONE} AND {in_sight("guide", "g.id")}""",
    "question": f"""SELECT q.author_id, q.body, p.slug
                      FROM question q JOIN product p ON p.id = q.product_id
                     WHERE q.id = $1 AND {ANYONE} AND {in_sight("question", "q.id")}""",
    "answer": f"""SELECT a.author_id, a.body, p.slug
                    FROM answer a JOIN question q ON q.id = a.question_id JOIN product p ON p.id = q.product_id
                   WHERE a.id = $1 AND {ANYONE}
                     AND {in_sight("answer", "a.id")} AND {in_sight("question", "q.id")}""",
    "live": f"""SELECT e.host_id AS author_id, e.title || E'\\n\\n' || e.summary AS body, e.slug
                  FROM live_event e JOIN room r ON r.id = e.room_id
                 WHERE e.id = $1 AND {readable_rooms("r", "$2")} AND {in_sight("live", "e.id")}""",
    "member": f"""SELECT m.id AS author_id, m.name || E'\\n\\n' || m.bio AS body, m.handle
                    FROM member m
                   WHERE m.id = $1 AND {ANYONE} AND {in_sight("member", "m.id")}""",
}

ADDRESSES: dict[str, Callable[[int, asyncpg.Record], str]] = {
    "post": lambda id, row: post_url(row["group_slug"], row["topic_id"], row["slug"], row["number"]),
    "topic": lambda id, row: topic_url(row["group_slug"], row["topic_id"], row["slug"]),
    "message": lambda id, row: f"/chat/{row['room_id']}?before={row['seq'] + 1}#message-{id}",
    "review": lambda id, row: f"/p/{row['slug']}/reviews/{id}",
    "guide": lambda id, row: f"/guides/{row['slug']}",
    "question": lambda id, row: f"/p/{row['slug']}#question-{id}",
    "answer": lambda id, row: f"/p/{row['slug']}#answer-{id}",
    "live": lambda id, row: f"/live/{row['slug']}",
    "member": lambda id, row: f"/@{row['handle']}",
}


def named(name: str) -> tuple[str, int]:
    """The kind and id in "post:12"."""
    kind, _colon, number = name.partition(":")
    if kind not in KINDS or not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Invalid("subject", _("This should name something, like post:12."))
    return kind, int(number)


async def access_subject(viewer: Viewer, name: str) -> Subject:
    """The subject of that name if the viewer may read it, else NotFound."""
    kind, subject_id = named(name)
    row = await db.fetch_one(SQL[kind], subject_id, viewer.member_id)
    if row is None:
        raise NotFound()
    around = await context.around(subject_id) if kind == "message" else ()
    url, words = ADDRESSES[kind](subject_id, row), row["body"].strip()[:EVIDENCE]
    return Subject(kind, subject_id, row["author_id"], url, words, tuple(around))
