"""What a visitor did after the click, as part of its score: somebody stayed, or nobody did where most stay.

Noted as bits of the click's signals, so that the score stays a function of what was kept; `rescore` then judges anew.
"""

from datetime import timedelta

from app import clock, db
from referrals.clicks.classify import FLEETING, STAYED
from referrals.clicks.dwell import STAYED as STAYED_SECONDS
from referrals.clicks.queries import DEFERRED

# A page that is still open has told nothing yet; and a worker that was down for a day still finds what it missed.
STILL_OPEN, REACH = timedelta(minutes=30), timedelta(hours=26)
# Where so many stayed on a day, and at least half, silence says something. Elsewhere there may be no script at all.
FEWEST_STAYED, LEAST_STAYED_PERCENT = 20, 50
AT_ONCE = 5_000


async def note_stays() -> int:
    """Give visits that are over their bit; how many. Their score loses its version, and so is given anew."""
    now = clock.now()
    return await db.execute(
        f"""WITH recent AS (
               SELECT c.id, c.occurred_at, c.link_id, c.trigger, c.signals, d.seconds
                 FROM click c LEFT JOIN click_dwell d ON d.click_id = c.id
                WHERE c.occurred_at BETWEEN $1::timestamptz - $2::interval AND $1::timestamptz - $3::interval
                  AND c.kind = 'human' AND c.blocked = '' AND c.consent <> 'denied' AND c.trigger <> '{DEFERRED}'),
           measured AS (
               SELECT link_id, trigger,
                      min(occurred_at) FILTER (WHERE seconds >= {STAYED_SECONDS}) AS first,
                      max(occurred_at) FILTER (WHERE seconds >= {STAYED_SECONDS}) AS last
                 FROM recent GROUP BY link_id, trigger
               HAVING count(*) FILTER (WHERE seconds >= {STAYED_SECONDS}) >= {FEWEST_STAYED}
                  AND 100 * count(*) FILTER (WHERE seconds >= {STAYED_SECONDS}) >= {LEAST_STAYED_PERCENT} * count(*)),
           said AS (
               SELECT r.id, r.occurred_at,
                      CASE WHEN r.seconds >= {STAYED_SECONDS} THEN {STAYED} ELSE {FLEETING} END AS bit
                 FROM recent r LEFT JOIN measured m USING (link_id, trigger)
                WHERE r.signals & {STAYED | FLEETING} = 0
                  AND (r.seconds >= {STAYED_SECONDS} OR r.occurred_at BETWEEN m.first AND m.last)
                ORDER BY r.occurred_at LIMIT {AT_ONCE})
           UPDATE click c SET signals = c.signals | said.bit, score_version = 0
             FROM said WHERE c.id = said.id AND c.occurred_at = said.occurred_at""",
        now,
        REACH,
        STILL_OPEN,
    )
