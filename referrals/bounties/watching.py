"""Posts handed in for bounties: whose they are, what they reach by and by, and what is odd about that.

The worker asks, never a request, and never inside a transaction. A look that sees nothing loses nothing.
"""

import hashlib
import logging
from datetime import datetime, timedelta

import asyncpg

from app import clock, db
from app.events import publish
from referrals.bounties import awards, odd, queries
from referrals.bounties.events import FigureReached, PostHandedIn
from referrals.socials.platforms import known
from referrals.socials.platforms.seen import CannotSee, Place, Seen
from referrals.socials.queries import has_proven
from referrals.socials.service import without_codes

log = logging.getLogger(__name__)
FETCHED = ("views", "likes", "comments")
AFTER_FIRST, THEN_EVERY = timedelta(hours=1), timedelta(days=1)
# Who cannot be reached when it is over is asked for some days more, then let go with the last figure.
PATIENCE = timedelta(days=3)
# For so long it is seen whether what was paid stays there as it was.
AFTER_APPROVAL = timedelta(days=30)
# A look takes seconds; who died over it is replaced after this.
LEASE = timedelta(hours=1)
DUE_AT_ONCE = 200
# Platforms say seconds, and their clocks are not ours.
CLOCKS_APART = timedelta(minutes=1)
FINAL = ("not_yours", "too_old", "taken", "gone")


def place_for(metric: str, url: str) -> Place | None:
    """The post whose figure of this metric we can fetch; None for what its member tells us."""
    place = known.place_of(url) if metric in FETCHED else None
    is_told = place is not None and place.kind == "post" and metric in known.ALL[place.platform].figures
    return place if is_told else None


def names_no_post(metric: str, url: str) -> bool:
    """Whether it is on a platform that tells this figure, but names no post there: its figure is not taken as told."""
    platform = known.platform_of(url) if metric in FETCHED else None
    return platform is not None and metric in platform.figures and place_for(metric, url) is None


async def begin(submission_id: int, store_id: int, place: Place | None) -> None:
    """From now on we look at this post for this work, in place of whichever it was before."""
    await drop(submission_id)
    if place is None:
        return
    watch_id = await db.fetch_val(
        """INSERT INTO bounty_watch (submission_id, store_id, platform, key, state, next_at, created_at)
           VALUES ($1, $2, $3, $4, 'new', $5, $6) RETURNING id""",
        submission_id,
        store_id,
        place.platform,
        place.key,
        # The event's job looks at once; should it be lost, the chore finds it.
        clock.now() + AFTER_FIRST,
        clock.now(),
    )
    await publish(PostHandedIn(watch_id=watch_id))


async def drop(submission_id: int) -> None:
    """Other work is handed in instead: what was seen of the one before says nothing of it."""
    await db.execute("DELETE FROM bounty_watch WHERE submission_id = $1", submission_id)


async def look_at(watch_id: int) -> str:
    """One look, and what it means for the work; the word of what kept us from seeing, if anything did."""
    row = await db.fetch_one("SELECT * FROM bounty_watch WHERE id = $1 AND next_at IS NOT NULL", watch_id)
    if row is None:
        return ""
    try:
        seen = await known.look(Place(row["platform"], "post", row["key"]))
    except CannotSee as blind:
        await _note_blind(watch_id, blind)
        if blind.wait:
            await _hold(row, clock.now() + timedelta(seconds=blind.wait))
        return blind.why
    try:
        await _note(watch_id, seen)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "bounty_watch_post_once":
            raise
        # The same post came in twice and the other one was first: the index decided.
        await _refuse(watch_id, "taken")
    return ""


async def look_at_due() -> int:
    """All whose time has come, a platform that is tired of us only once; how many looks were taken."""
    rows = await db.fetch(
        """UPDATE bounty_watch SET next_at = $2
            WHERE id IN (SELECT id FROM bounty_watch WHERE next_at <= $1 ORDER BY next_at LIMIT $3
                            FOR UPDATE SKIP LOCKED)
           RETURNING id, platform, key""",
        clock.now(),
        clock.now() + LEASE,
        DUE_AT_ONCE,
    )
    tired: set[str] = set()
    failed: set[str] = set()
    looks = 0
    for row in sorted(rows, key=lambda row: row["id"]):
        asked = _asked(row)
        if asked in tired:
            continue
        looks += 1
        why = await _one_of_many(row["id"])
        if why == "too_fast" or (why in ("refused", "unreachable") and asked in failed):
            log.warning("no more looks at posts on %s in this round: %s", asked, why)
            tired.add(asked)
        # Once may be the trouble of that one post; twice in a row it is theirs.
        (failed.add if why in ("refused", "unreachable") else failed.discard)(asked)
    return looks


def _asked(row: asyncpg.Record) -> str:
    """Who is asked about it: the platform, or the one server of many."""
    platform: str = row["platform"]
    return platform if platform != "mastodon" else row["key"].partition("/")[0]


async def _hold(row: asyncpg.Record, until: datetime) -> None:
    """They said when to come again: nobody of theirs is looked at before."""
    server = f"{_asked(row)}/" if row["platform"] == "mastodon" else ""
    await db.execute(
        """UPDATE bounty_watch SET next_at = $3
            WHERE id IN (SELECT id FROM bounty_watch WHERE platform = $1 AND starts_with(key, $2) AND next_at < $3
                          ORDER BY id FOR UPDATE SKIP LOCKED)""",
        row["platform"],
        server,
        until,
    )


async def _one_of_many(watch_id: int) -> str:
    try:
        return await look_at(watch_id)
    except Exception:
        # A fault of ours with one post is none of the others', and would come again before them in every round.
        log.exception("could not look at the post of watch %s", watch_id)
        return ""


async def _note(watch_id: int, seen: Seen) -> None:
    async with db.transaction():
        row = await _locked(watch_id)
        if row is None:
            return
        if row["watch_state"] == "new" and (why := await _why_not(row, seen)):
            await _refuse_locked(row, why)
            return
        figure, now = seen.figures.get(row["metric"]), clock.now()
        text_hash = hashlib.sha256(without_codes(seen.text).encode()).digest()
        has_changed = row["text_hash"] is not None and row["text_hash"] != text_hash
        await db.execute(
            """UPDATE bounty_watch SET key = $9, post_hash = coalesce(post_hash, $2), published_at = $3, failures = 0,
                      state = CASE WHEN $4::timestamptz IS NULL THEN 'ended' ELSE 'watched' END, next_at = $4,
                      text_hash = coalesce(text_hash, $5), why = $6,
                      changed_at = CASE WHEN $7 THEN coalesce(changed_at, $8) ELSE changed_at END,
                      account_hash = coalesce(account_hash, $10)
                WHERE id = $1""",
            watch_id,
            hashlib.sha256(f"{row['platform']}:{seen.post}".encode()).digest(),
            seen.published_at,
            None if await _is_done(row, now) else _next_look(row, now),
            text_hash,
            "" if figure is not None else "hidden",
            has_changed,
            now,
            # As it stays: a handle in the address may be somebody else's tomorrow.
            seen.post,
            _account_hash(row, seen),
        )
        if figure is not None:
            await _note_figure(row, figure, seen, now)
            await _tell_or_award(row, figure)


async def _note_figure(row: asyncpg.Record, figure: int, seen: Seen, now: datetime) -> None:
    before, then = row["figure"], row["figure_at"]
    is_sudden = before is not None and odd.is_jump(
        before,
        figure,
        seconds=_seconds(then, now),
        age=_seconds(seen.published_at, then),
        times=row["jump_times"],
        least=row["least"],
    )
    await db.execute(
        """UPDATE bounty_watch SET figure = $2, figure_at = $3, top = greatest(top, $2),
                  jump_from = CASE WHEN $4 THEN $5 ELSE jump_from END, jump_to = CASE WHEN $4 THEN $2 ELSE jump_to END,
                  jump_at = CASE WHEN $4 THEN $3 ELSE jump_at END
            WHERE id = $1""",
        row["watch_id"],
        figure,
        now,
        is_sudden,
        before,
    )
    await db.execute(
        "INSERT INTO bounty_figure (watch_id, metric, figure, source, at) VALUES ($1, $2, $3, $4, $5)",
        row["watch_id"],
        row["metric"],
        figure,
        seen.source,
        now,
    )
    if row["state"] == "waiting":
        # What was approved keeps the figure it was approved with.
        most = min(figure, 2_000_000_000)
        await db.execute("UPDATE bounty_submission SET reach = $2 WHERE id = $1", row["id"], most)


async def _tell_or_award(row: asyncpg.Record, figure: int) -> None:
    if row["state"] != "waiting" or figure < row["least"]:
        return
    if not await _award_itself(row) and (row["figure"] is None or row["figure"] < row["least"]):
        await publish(FigureReached(submission_id=row["id"]))


async def _award_itself(row: asyncpg.Record) -> bool:
    """Pay without a person, where the offer says so; what is odd, seen late or was declined by one waits for one."""
    is_late = clock.now() - AFTER_FIRST > queries.span_of(row)[1]
    if not row["awards_itself"] or row["decided_by_id"] or is_late:
        return False
    if await odd.is_odd(row) or await awards.are_given(row):
        return False
    await awards.settle(row, "approved")
    return True


async def _why_not(row: asyncpg.Record, seen: Seen) -> str:
    """Why this post does not count, at the first look; empty when it does."""
    if seen.published_at is None or not await has_proven(row["member_id"], row["platform"], seen.account):
        return "not_yours"
    if await _is_another_members(row, _account_hash(row, seen)):
        return "taken"
    opened = row["opens_at"] or row["offered_at"]
    return "too_old" if seen.published_at < opened - CLOCKS_APART else ""


async def _is_another_members(row: asyncpg.Record, account_hash: bytes) -> bool:
    """Whether this channel's work counts for somebody else in this bounty, whose row is locked."""
    found: bool = await db.fetch_val(
        """SELECT EXISTS (SELECT FROM bounty_watch w JOIN bounty_submission x ON x.id = w.submission_id
                           WHERE x.bounty_id = $1 AND x.member_id <> $2 AND w.account_hash = $3
                             AND w.state IN ('watched', 'ended'))""",
        row["bounty_id"],
        row["member_id"],
        account_hash,
    )
    return found


def _account_hash(row: asyncpg.Record, seen: Seen) -> bytes:
    return hashlib.sha256(f"{row['platform']}:{seen.account}".encode()).digest()


async def _note_blind(watch_id: int, blind: CannotSee) -> None:
    async with db.transaction():
        row = await _locked(watch_id)
        if row is None:
            return
        if row["watch_state"] == "new" and blind.why in FINAL:
            await _refuse_locked(row, blind.why)
            return
        now, failures = clock.now(), row["failures"] + 1
        wait = max(timedelta(seconds=blind.wait), min(AFTER_FIRST * 2 ** min(failures - 1, 10), THEN_EVERY))
        is_over = now - PATIENCE >= queries.span_of(row)[1] or await _is_done(row, now)
        again = None if is_over else now + wait
        await db.execute(
            """UPDATE bounty_watch SET failures = $2, why = $3, next_at = $4,
                      state = CASE WHEN $4::timestamptz IS NULL THEN 'ended' ELSE state END
                WHERE id = $1""",
            watch_id,
            failures,
            blind.why,
            again,
        )


async def _refuse(watch_id: int, why: str) -> None:
    async with db.transaction():
        if row := await _locked(watch_id):
            await _refuse_locked(row, why)


async def _refuse_locked(row: asyncpg.Record, why: str) -> None:
    await db.execute(
        "UPDATE bounty_watch SET state = 'refused', why = $2, next_at = NULL WHERE id = $1", row["watch_id"], why
    )
    if row["state"] == "waiting":
        await awards.settle(row, "declined")


async def _locked(watch_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        f"""SELECT {awards.COLUMNS}, w.id AS watch_id, w.platform, w.key, w.state AS watch_state, w.figure,
                   w.figure_at, w.text_hash, w.failures
              FROM {awards.WORK} JOIN bounty_watch w ON w.submission_id = x.id
             WHERE w.id = $1 AND w.next_at IS NOT NULL FOR UPDATE OF x, b, w""",
        watch_id,
    )


async def _is_done(row: asyncpg.Record, now: datetime) -> bool:
    """Whether nothing that we might see matters any more: it was paid long ago, or all awards are given to others."""
    if row["state"] == "approved":
        return bool(now - AFTER_APPROVAL >= row["decided_at"])
    return await awards.are_given(row)


def _next_look(row: asyncpg.Record, now: datetime) -> datetime | None:
    """After an hour, then every day, and a last time when the period is over."""
    until = queries.span_of(row)[1]
    if now >= until:
        return None
    return min(now + (AFTER_FIRST if row["watch_state"] == "new" else THEN_EVERY), until)


def _seconds(since: datetime | None, until: datetime) -> int:
    return max(int((until - since).total_seconds()), 1) if since else 1
