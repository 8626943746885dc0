"""Bounties: a store offers an amount for a piece of work, a member hands in where it can be seen, a person looks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.money import check_amount, check_currency
from app.text import clean
from referrals.bounties import awards, queries, watch_queries, watching
from referrals.bounties.proofs import MOST_FILES
from referrals.bounties.schemas import COUNTED_HERE, BountyOffer, NewSubmission, Verdict
from referrals.programs.queries import program_of
from referrals.socials.platforms.seen import Place
from referrals.socials.queries import has_proven
from referrals.socials.views import title_of
from storefront.catalog.service import checked_url
from storefront.stores.policy import access_own_store

AHEAD = timedelta(days=731)


async def offer(viewer: Viewer, store_slug: str, new: BountyOffer) -> int:
    store = await access_own_store(viewer, store_slug)
    program = await program_of(store["id"])
    if program is None:
        raise NotFound(_("This store has no programme yet."))
    if check_amount(new.pays.amount) == 0:
        raise Invalid("amount", _("Say what it pays."))
    if not 1 <= new.most_awards <= 10_000:
        raise Invalid("most_awards", _("It is paid 1 to 10,000 times."))
    if new.least and not new.metric:
        raise Invalid("metric", _("Say what is counted."))
    if new.awards_itself and (new.metric not in watching.FETCHED or not new.least):
        raise Invalid("awards_itself", _("Only views, likes or comments, and how many, can award by themselves."))
    _check_days(new.opens_at, new.closes_at)
    bounty_id: int = await db.fetch_val(
        """INSERT INTO bounty (program_id, title, brief, amount, currency, most_awards, opens_at, closes_at, period,
                               metric, least, needs_proof, awards_itself, jump_times, by_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id""",
        program["id"],
        clean(new.title, "title", least=3, most=120),
        clean(new.brief, "brief", least=10, most=4000, lines=True),
        new.pays.amount,
        check_currency(new.pays.currency),
        new.most_awards,
        new.opens_at,
        new.closes_at,
        new.period,
        new.metric,
        new.least,
        new.needs_proof,
        new.awards_itself,
        new.jump_times,
        require_member(viewer),
        clock.now(),
    )
    return bounty_id


async def hand_in(viewer: Viewer, bounty_id: int, new: NewSubmission) -> int:
    """Once a member and period; what was declined may be handed in again, better, with the files it had."""
    member_id, now = require_member(viewer), clock.now()
    await limit("bounty", member_id, most=30, per=3600)
    bounty = await queries.bounty(bounty_id)
    if bounty is None:
        raise NotFound()
    if (state := queries.state_of(bounty, now)) != "open":
        raise Gone(_("This bounty is not open yet.") if state == "to_come" else _("This bounty is closed."))
    proof, note = checked_url(new.proof_url, "proof_url"), clean(new.note, "note", most=1000, lines=True)
    period = queries.period_at(bounty["period"], now)
    place = watching.place_for(bounty["metric"], proof)
    if place:
        await _check_account(member_id, place)
    elif watching.names_no_post(bounty["metric"], proof):
        raise Invalid("proof_url", _("Write the address of the post itself."))
    reach = 0 if place else await _figure(bounty, period, member_id, new.reach)
    async with db.transaction():
        taken: int | None = await db.fetch_val(
            """INSERT INTO bounty_submission AS x (bounty_id, member_id, period, proof_url, note, reach, state,
                                                   created_at)
               VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7)
               ON CONFLICT (bounty_id, member_id, period) DO UPDATE
                  SET proof_url = excluded.proof_url, note = excluded.note, reach = excluded.reach, state = 'waiting'
                WHERE x.state = 'declined' RETURNING id""",
            bounty_id,
            member_id,
            period,
            proof,
            note,
            reach,
            now,
        )
        if taken is None:
            # Otherwise one thing could be looked at and another one be there when it is approved.
            raise Conflict(_("What you handed in is being looked at, or was approved."))
        await _attach(taken, bounty, member_id, new.files)
        await watching.begin(taken, bounty["store_id"], place)
    assert taken is not None
    return taken


async def decide(viewer: Viewer, store_slug: str, submission_id: int, verdict: Verdict) -> None:
    """Approve, which pays, or decline with a reason. Nobody decides on their own work."""
    store = await access_own_store(viewer, store_slug)
    actor_id = require_member(viewer)
    reason = clean(verdict.reason, "reason", most=500, lines=True)
    if verdict.verdict not in ("approved", "declined"):
        raise Invalid("verdict", _("Approve it or decline it."))
    if verdict.verdict == "declined" and not reason:
        raise Invalid("reason", _("Say why, so that they can do better."))
    async with db.transaction():
        row = await db.fetch_one(
            f"SELECT {awards.COLUMNS} FROM {awards.WORK} WHERE x.id = $1 AND p.store_id = $2 FOR UPDATE OF x, b",
            submission_id,
            store["id"],
        )
        if row is None:
            raise NotFound()
        if row["member_id"] == actor_id:
            raise Forbidden(_("Somebody else must look at your own work."))
        if row["state"] == "approved":
            raise Conflict(_("It was approved already."))
        if row["state"] == "declined" and verdict.verdict == "approved":
            # Its member was told no, and may be about to hand in something else.
            raise Conflict(_("It was declined; it can be handed in again."))
        if verdict.verdict == "approved":
            await _check_figure(row)
        await awards.settle(row, verdict.verdict, reason=reason, actor_id=actor_id)


async def _check_figure(row: asyncpg.Record) -> None:
    """What we look at is judged once it reached what was asked for, or when its time is over."""
    watch = (await watch_queries.watches_of([row["id"]])).get(row["id"])
    if watch and watch["is_growing"] and watch["state"] == "new":
        raise Conflict(_("Nobody has looked at this post yet. Try again in a while."))
    if watch and watch["is_growing"]:
        so_far, least = f"{watch['figure'] or 0:,}", f"{row['least']:,}"
        raise Conflict(_("It asks for %(least)s; there are %(n)s so far.", least=least, n=so_far))


async def _check_account(member_id: int, place: Place) -> None:
    if not await has_proven(member_id, place.platform):
        title = title_of(place.platform)
        raise Invalid("proof_url", _("Prove first that your account on %(platform)s is yours.", platform=title))


async def _figure(bounty: asyncpg.Record, period: str, member_id: int, told: int) -> int:
    """What the work has reached: counted here where we can, as told where not; Invalid when it is not enough yet."""
    reach = min(max(told, 0), 2_000_000_000)
    if bounty["metric"] in COUNTED_HERE:
        asked = dict(bounty) | {"member_id": member_id, "period": period, "offered_at": bounty["created_at"]}
        reach = (await queries.counted_for([asked]))[bounty["id"]]
    if reach < bounty["least"]:
        so_far, least = f"{reach:,}", f"{bounty['least']:,}"
        raise Invalid("reach", _("It asks for %(least)s; there are %(n)s so far.", least=least, n=so_far))
    return reach


async def _attach(submission_id: int, bounty: asyncpg.Record, member_id: int, files: Sequence[str]) -> None:
    """The files brought for it are its files now. Those of an earlier try stay: they were looked at."""
    wanted = sorted({int(one) for one in files if one.isdecimal() and len(one) < 19})
    await db.execute(
        """UPDATE bounty_file SET submission_id = $1
            WHERE id = ANY($2::bigint[]) AND member_id = $3 AND bounty_id = $4 AND submission_id IS NULL""",
        submission_id,
        wanted,
        member_id,
        bounty["id"],
    )
    there = [row["id"] for row in (await queries.files_of([submission_id]))[submission_id]]
    if len(wanted) != len(set(files)) or not set(wanted) <= set(there):
        raise Invalid("files", _("One of these files is not here any more. Please choose it again."))
    if len(wanted) > MOST_FILES:
        raise Invalid("files", _("At most %(n)s files.", n=MOST_FILES))
    if bounty["needs_proof"] and not there:
        raise Invalid("files", _("This bounty asks for a screenshot or a PDF as proof."))


def _check_days(opens_at: datetime | None, closes_at: datetime) -> None:
    if closes_at.tzinfo is None or (opens_at and opens_at.tzinfo is None):
        raise Invalid("closes_at", _("Say the time zone, like 2026-11-30T23:59:59Z."))
    if closes_at <= clock.now():
        raise Invalid("closes_at", _("A day to come, please."))
    # Further off no promise is meant, and a day at the end of all days cannot be reckoned with.
    if closes_at > clock.now() + AHEAD:
        raise Invalid("closes_at", _("At most two years ahead, please."))
    if opens_at and opens_at < clock.now() - AHEAD:
        raise Invalid("opens_at", _("At most two years ago, please."))
    if opens_at and opens_at >= closes_at:
        raise Invalid("opens_at", _("It opens before it closes."))
