"""Every link is known to the process before somebody visits it, so that an outage has an answer for it too.

A calm walk through all links, newest first, again and again: what was changed or switched off and is not visited is
known as it was at the latest walk.
"""

import asyncio
import logging

from app import db
from app.errors import Unavailable
from referrals.clicks import directory, last_known
from referrals.links.queries import links_before

log = logging.getLogger(__name__)

# Fifty links are a millisecond of work: nobody on their way waits for it.
AT_ONCE = 50
PAUSE_SECONDS = 0.05
WALK_EVERY = 300.0
TRY_AGAIN_SECONDS = 5.0
NEWEST = 2**63 - 1


async def learn_for_ever() -> None:
    while True:
        rest = WALK_EVERY
        try:
            await learn_all()
        except (*db.LOST, Unavailable, TimeoutError) as lost:
            log.info("the database is away: %s", lost)
            rest = TRY_AGAIN_SECONDS
        except Exception:
            log.exception("the links could not be learnt; the next walk comes in a while")
        await asyncio.sleep(rest)


async def learn_all() -> int:
    """One walk. How many ways there was room for."""
    learnt, before = 0, NEWEST
    while True:
        links = await links_before(before, AT_ONCE)
        for link in links:
            for code in (link["code"], link["scan_code"], *link["former_codes"]):
                if code:
                    learnt += last_known.learn(code, directory.way_of(link, code))
        if len(links) < AT_ONCE:
            return learnt
        before = links[-1]["id"]
        await asyncio.sleep(PAUSE_SECONDS)
