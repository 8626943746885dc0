import asyncpg

from app import clock, db, live
from app.auth import Viewer, require_member, require_moderator
from app.errors import Conflict, Forbidden, NotFound
from app.events import Event, publish
from app.i18n import gettext as _
from app.text import clean
from community.moderation.events import SubjectHidden, SubjectKept, SubjectReported, SubjectRestored
from community.moderation.schemas import Flagged, Subject


async def report(viewer: Viewer, subject: Subject, reason: str, note: str = "") -> Flagged:
    """Flag a subject: its open case, or a new one, gets the viewer's report. Reporting twice changes nothing."""
    member_id = require_member(viewer)
    reason = clean(reason, "reason", least=2, most=200)
    note = clean(note, "note", most=2000, lines=True)
    now = clock.now()
    async with db.transaction():
        # The no-op update locks the open case, so that no moderator closes it under this report.
        case_id = await db.fetch_val(
            """INSERT INTO moderation_case
                      (subject_kind, subject_id, author_id, url, excerpt, opened_at, around, state)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')
               ON CONFLICT (subject_kind, subject_id) WHERE state = 'open'
               DO UPDATE SET state = 'open' RETURNING id""",
            subject.kind,
            subject.id,
            subject.author_id,
            subject.url,
            subject.excerpt,
            now,
            list(subject.around),
        )
        flag = await db.fetch_one(
            """INSERT INTO flag (case_id, reporter_id, reason, note, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id, created_at""",
            case_id,
            member_id,
            reason,
            note,
            now,
        )
        if flag:
            await publish(
                SubjectReported(case_id=case_id, kind=subject.kind, subject_id=subject.id), actor_id=member_id
            )
        else:
            flag = await db.fetch_one(
                "SELECT id, created_at FROM flag WHERE case_id = $1 AND reporter_id = $2", case_id, member_id
            )
    assert flag is not None
    return Flagged(id=str(flag["id"]), subject=subject.name, state="open", created_at=flag["created_at"])


async def keep(viewer: Viewer, case_id: int, reason: str) -> None:
    """Close a case: the subject stays as it is."""
    member_id, reason = require_moderator(viewer), _reason(reason)
    async with db.transaction():
        case = await _close(case_id, "kept", member_id, reason)
        await _log(member_id, "kept", case, reason)
        await publish(_told(SubjectKept, case, reason), actor_id=member_id)


async def hide(viewer: Viewer, case_id: int, reason: str) -> None:
    """Close a case: the subject leaves every list. A hidden member is suspended until restored."""
    member_id, reason = require_moderator(viewer), _reason(reason)
    async with db.transaction():
        case = await _close(case_id, "hidden", member_id, reason)
        await db.execute(
            """INSERT INTO hiding (subject_kind, subject_id, case_id, by_id, reason, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            case["subject_kind"],
            case["subject_id"],
            case_id,
            member_id,
            reason,
            clock.now(),
        )
        if case["subject_kind"] == "member":
            await _suspend(viewer, case["subject_id"], reason)
        await _log(member_id, "hidden", case, reason)
        await publish(_told(SubjectHidden, case, reason), actor_id=member_id)


async def restore(viewer: Viewer, case_id: int, reason: str) -> None:
    """Undo a hiding: the subject is back where it was."""
    member_id, reason = require_moderator(viewer), _reason(reason)
    async with db.transaction():
        case = await db.fetch_one(
            """DELETE FROM hiding h USING moderation_case c
                WHERE c.id = $1 AND h.subject_kind = c.subject_kind AND h.subject_id = c.subject_id
               RETURNING c.id, c.subject_kind, c.subject_id""",
            case_id,
        )
        if case is None:
            raise Conflict(_("This is not hidden (any more)."))
        if case["subject_kind"] == "member":
            await db.execute(
                "UPDATE suspension SET lifted_at = $2 WHERE member_id = $1 AND lifted_at IS NULL",
                case["subject_id"],
                clock.now(),
            )
        await _log(member_id, "restored", case, reason)
        await publish(_told(SubjectRestored, case, reason), actor_id=member_id)


async def _close(case_id: int, state: str, member_id: int, reason: str) -> asyncpg.Record:
    """Win the open case, or learn that another moderator did."""
    case = await db.fetch_one(
        """UPDATE moderation_case SET state = $2, decided_by_id = $3, decided_at = $4, reason = $5
            WHERE id = $1 AND state = 'open' RETURNING id, subject_kind, subject_id, author_id""",
        case_id,
        state,
        member_id,
        clock.now(),
        reason,
    )
    if case is None:
        if await db.fetch_val("SELECT 1 FROM moderation_case WHERE id = $1", case_id):
            raise Conflict(_("Another moderator has decided this already."))
        raise NotFound()
    if case["author_id"] == member_id:
        raise Forbidden(_("This is about you. Another moderator decides it."))
    return case


async def _suspend(viewer: Viewer, member_id: int, reason: str) -> None:
    role = await db.fetch_val("SELECT role FROM member WHERE id = $1", member_id)
    if role != "member" and not viewer.is_admin:
        raise Forbidden(_("Only an admin suspends a moderator."))
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, $3, $4)",
        member_id,
        viewer.member_id,
        reason,
        clock.now(),
    )
    db.after_commit(lambda: live.shut_out_member(member_id))


async def note_deed(by_id: int, action: str, kind: str, subject_id: int, reason: str) -> None:
    """Write into the public log what a moderator did, in the caller's transaction."""
    await db.execute(
        """INSERT INTO modlog_entry (by_id, action, subject_kind, subject_id, reason, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        by_id,
        action,
        kind,
        subject_id,
        reason,
        clock.now(),
    )


async def _log(by_id: int, action: str, case: asyncpg.Record, reason: str) -> None:
    await note_deed(by_id, action, case["subject_kind"], case["subject_id"], reason)


def _told(event: type[Event], case: asyncpg.Record, reason: str) -> Event:
    return event(kind=case["subject_kind"], subject_id=case["subject_id"], case_id=case["id"], reason=reason)


def _reason(reason: str) -> str:
    return clean(reason, "reason", least=3, most=500)
