"""How long a visitor stayed after a click: what its own page tells when it is left, kept roughly and for one question,
whether anybody was there at all. Only the longest is kept, beside the click, which is never touched."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from app import clock, db
from referrals.clicks.queries import is_click

# What is told is rounded down to one of these seconds, so that nobody's reading can be read from it.
STEPS = (0, 2, 5, 15, 60, 300, 1_800)
STAYED = 2
"""From here on somebody was there: a page that is only loaded, by whatever, is left sooner."""
TOLD_WITHIN = timedelta(days=1)
# Clocks of two machines, and the time the click itself took.
SLACK_SECONDS = 5


async def keep(click_id: UUID, seconds: int, origin: str, *, is_ours: bool) -> None:
    """Note the stay when it can be true: a person's click of the last day that may be recognised, told by a page of
    ours or of the shop that the link leads to, and no longer than the click is old. Otherwise nothing is kept."""
    now = clock.now()
    await db.execute(
        f"""INSERT INTO click_dwell (click_id, seconds)
            SELECT c.id, (SELECT max(step) FROM unnest($5::int[]) step
                           WHERE step <= least($2, extract(epoch FROM $3 - c.occurred_at) + {SLACK_SECONDS}))
              FROM click c JOIN link l ON l.id = c.link_id
             WHERE {is_click("c", "$1::uuid")} AND c.kind = 'human' AND c.consent <> 'denied' AND c.blocked = ''
               AND c.occurred_at BETWEEN $3::timestamptz - $4::interval AND $3 + interval '{SLACK_SECONDS} seconds'
               AND ($6 OR EXISTS (
                   SELECT 1 FROM store s WHERE s.id = coalesce(l.store_id, s.id) AND (s.origin = $7
                       OR EXISTS (SELECT 1 FROM store_host h WHERE h.store_id = s.id AND h.host = $8))))
                ON CONFLICT (click_id) DO UPDATE SET seconds = excluded.seconds
             WHERE click_dwell.seconds < excluded.seconds""",
        click_id,
        seconds,
        now,
        TOLD_WITHIN,
        list(STEPS),
        is_ours,
        origin,
        urlsplit(origin).netloc.lower(),
    )
