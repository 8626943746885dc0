"""What is kept beside the facts it is made of: counted clicks, and commissions that a case holds."""

from app import db
from referrals.clicks.queries import counted_wrongly

MOST = 50


async def check_counts() -> list[str]:
    """Each link and day whose count is not the number of its clicks, as far back as clicks are kept."""
    return [
        f"link {row['link_id']} has {row['there']} {row['kind']} clicks on {row['day']}; {row['counted']} are counted"
        for row in (await counted_wrongly())[:MOST]
    ]


async def check_cases() -> list[str]:
    """Each commission that an open case concerns and that is not stopped, and each that is stopped by no open case."""
    rows = await db.fetch(
        """SELECT c.id, c.state, open.id AS case_id
             FROM commission c
             LEFT JOIN LATERAL (
                  SELECT f.id FROM fraud_hold h JOIN fraud_case f ON f.id = h.case_id
                   WHERE h.commission_id = c.id AND f.state = 'open' LIMIT 1) open ON true
            WHERE (c.state IN ('tentative', 'pending', 'approved') AND open.id IS NOT NULL)
               OR (c.state = 'held' AND open.id IS NULL)
            ORDER BY c.id LIMIT $1""",
        MOST,
    )
    return [
        f"commission {row['id']} is {row['state']}, though case {row['case_id']} is open"
        if row["case_id"]
        else f"commission {row['id']} is held, and no case is open that holds it"
        for row in rows
    ]
