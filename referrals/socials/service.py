"""Proving that a channel elsewhere is one's own: a code of ours, in words that only its owner can write."""

import re
from datetime import timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.ids import CODE_ALPHABET, new_code
from app.limits import limit
from referrals.socials import queries
from referrals.socials.events import AccountLetGo, AccountProven, AccountToLookAt
from referrals.socials.platforms import known
from referrals.socials.platforms.seen import CannotSee, Place, Seen

CODE_LASTS = timedelta(days=7)
MOST_ACCOUNTS = 20
MOST_CHECKS, DAY = 2_000, 24 * 3600
_CODE = re.compile(rf"\(?\bgv-[{CODE_ALPHABET}]{{10}}\b\)?", re.IGNORECASE)


async def ask_for(viewer: Viewer, address: str) -> int:
    """Say which one, and get a code for it. Asked again, it is a new code and the old one does nothing."""
    member_id = require_member(viewer)
    await limit("social_account", member_id, most=30, per=3600)
    place = known.place_of(address)
    if place is None:
        raise Invalid("address", _("We cannot ask about this address. Write all of it, of the profile or the post."))
    if len(await queries.accounts_of(member_id)) >= MOST_ACCOUNTS:
        raise Conflict(_("At most %(n)s. Take one away first.", n=MOST_ACCOUNTS))
    account_id: int | None = await db.fetch_val(
        """INSERT INTO social_account AS a (member_id, platform, kind, key, code, asked_at, state)
           VALUES ($1, $2, $3, $4, $5, $6, 'asked')
           ON CONFLICT (member_id, platform, kind, key) DO UPDATE
              SET code = excluded.code, asked_at = excluded.asked_at, state = 'asked', why = ''
            WHERE a.state <> 'proven' RETURNING id""",
        member_id,
        place.platform,
        place.kind,
        place.key,
        f"gv-{new_code(10)}",
        clock.now(),
    )
    if account_id is None:
        raise Conflict(_("You have proven this one already."))
    return account_id


async def check(viewer: Viewer, account_id: int) -> None:
    """The code is there, they say: the worker looks."""
    member_id = require_member(viewer)
    await limit("social_check", member_id, most=20, per=DAY)
    if await queries.account(account_id, member_id) is None:
        raise NotFound()
    # What platforms grant a day is for the figures of work too.
    await limit("social_checks", "all", most=MOST_CHECKS, per=DAY)
    async with db.transaction():
        looking = await db.execute(
            "UPDATE social_account SET state = 'looking', why = '' WHERE id = $1 AND state <> 'proven'", account_id
        )
        if not looking:
            raise Conflict(_("You have proven this one already."))
        await publish(AccountToLookAt(social_account_id=account_id), actor_id=member_id)


async def let_go(viewer: Viewer, account_id: int) -> None:
    """Not theirs any more, or never proven. What was approved stays approved."""
    member_id = require_member(viewer)
    async with db.transaction():
        platform = await db.fetch_val(
            "DELETE FROM social_account WHERE id = $1 AND member_id = $2 RETURNING platform", account_id, member_id
        )
        if platform is None:
            raise NotFound()
        await publish(AccountLetGo(member_id=member_id, platform=platform), actor_id=member_id)


async def look_at(account_id: int) -> None:
    """Read its words at its platform, and find the code there or not."""
    row = await db.fetch_one("SELECT * FROM social_account WHERE id = $1 AND state = 'looking'", account_id)
    if row is None:
        return
    try:
        seen = await known.look(Place(row["platform"], row["kind"], row["key"]))
    except CannotSee as blind:
        await _failed(row, blind.why)
        return
    if row["asked_at"] + CODE_LASTS < clock.now():
        await _failed(row, "too_late")
    elif not has_code(seen.text, row["code"]):
        await _failed(row, "no_code")
    else:
        await _proven(row, seen)


def has_code(text: str, code: str) -> bool:
    """As a word of its own, however its letters are written."""
    return bool(code) and bool(re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text, re.IGNORECASE))


def without_codes(text: str) -> str:
    """What it says, whether or not a code of ours still stands in it."""
    return " ".join(_CODE.sub("", text).split())


async def _proven(row: asyncpg.Record, seen: Seen) -> None:
    try:
        async with db.transaction():
            # The code they saw must still be the one that is asked for.
            won = await db.execute(
                """UPDATE social_account SET state = 'proven', why = '', code = '', account = $3, name = $4, url = $5,
                          looked_at = $6, proven_at = $6
                    WHERE id = $1 AND state = 'looking' AND code = $2""",
                row["id"],
                row["code"],
                seen.account,
                seen.name,
                seen.url,
                clock.now(),
            )
            if won:
                proven = AccountProven(
                    social_account_id=row["id"], member_id=row["member_id"], platform=row["platform"]
                )
                await publish(proven, actor_id=row["member_id"])
    except asyncpg.UniqueViolationError:
        await _failed(row, "taken")


async def _failed(row: asyncpg.Record, why: str) -> None:
    await db.execute(
        """UPDATE social_account SET state = 'failed', why = $3, looked_at = $4
            WHERE id = $1 AND state = 'looking' AND code = $2""",
        row["id"],
        row["code"],
        why,
        clock.now(),
    )
