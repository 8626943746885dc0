"""How much there is to look at before somebody becomes a partner: 0 nothing, 100 everything. A sum with reasons."""

from datetime import timedelta

import msgspec

from app import clock, db
from app.i18n import gettext as _

# What a person is asked to look at, and how heavy it is.
WEIGHTS = {
    "new_account": 30,
    "email_unproven": 30,
    "suspended_before": 40,
    "was_hidden": 20,
    "said_nothing": 15,
    "shared_browser": 35,
    "declined_elsewhere": 20,
}
NEW = timedelta(days=14)


class Risk(msgspec.Struct, frozen=True):
    score: int
    reasons: list[str]


async def risk_of(member_id: int, program_id: int) -> Risk:
    row = await db.fetch_one(
        """SELECT m.created_at > $2 AS new_account, m.email_proven_at IS NULL AS email_unproven,
                  EXISTS (SELECT 1 FROM suspension WHERE member_id = m.id) AS suspended_before,
                  EXISTS (SELECT 1 FROM moderation_case WHERE author_id = m.id AND state = 'hidden') AS was_hidden,
                  NOT EXISTS (SELECT 1 FROM post WHERE author_id = m.id)
                  AND NOT EXISTS (SELECT 1 FROM review WHERE author_id = m.id)
                  AND NOT EXISTS (SELECT 1 FROM answer WHERE author_id = m.id) AS said_nothing,
                  EXISTS (SELECT 1 FROM member_visitor mine
                            JOIN member_visitor theirs ON theirs.visitor_day_hash = mine.visitor_day_hash
                             AND theirs.member_id <> mine.member_id
                            JOIN partner p ON p.member_id = theirs.member_id AND p.program_id = $3
                           WHERE mine.member_id = m.id) AS shared_browser,
                  EXISTS (SELECT 1 FROM partner_application
                           WHERE member_id = m.id AND program_id <> $3 AND state = 'declined') AS declined_elsewhere
             FROM member m WHERE m.id = $1""",
        member_id,
        clock.now() - NEW,
        program_id,
    )
    assert row is not None
    reasons = [name for name in WEIGHTS if row[name]]
    return Risk(min(100, sum(WEIGHTS[name] for name in reasons)), reasons)


def risk_words(reason: str) -> str:
    return {
        "new_account": _("The account is younger than two weeks"),
        "email_unproven": _("The e-mail address is not proven"),
        "suspended_before": _("Was suspended before"),
        "was_hidden": _("Something they wrote was taken down"),
        "said_nothing": _("Has written nothing here yet"),
        "shared_browser": _("Shares a browser with another partner or applicant"),
        "declined_elsewhere": _("Another store declined them"),
    }.get(reason, reason)
