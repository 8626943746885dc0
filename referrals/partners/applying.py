"""Becoming a partner of a programme: ask, be let in or not, come by an invitation, leave."""

import secrets
from collections.abc import Sequence

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from community.notifications.service import notify
from referrals.partners.events import PartnerApplied, PartnerDecided
from referrals.partners.risk import risk_of
from referrals.partners.schemas import FormTold, Question
from storefront.catalog.service import checked_url

MOST_QUESTIONS = 12
LONGEST_ANSWER = 2000


async def access_program(slug: str) -> asyncpg.Record:
    """A store's programme with its form, for every member who may ask to join it."""
    row = await db.fetch_one(
        """SELECT p.id, s.id AS store_id, s.slug, s.name, s.owner_id, s.currency, coalesce(f.is_open, false) AS is_open,
                  coalesce(f.welcome, '') AS welcome, f.questions, coalesce(f.auto_below, 0) AS auto_below
             FROM program p JOIN store s ON s.id = p.store_id LEFT JOIN partner_form f ON f.program_id = p.id
            WHERE s.slug = $1""",
        slug,
    )
    if row is None:
        raise NotFound(_("This store has no programme yet."))
    return row


async def has_program(slug: str) -> bool:
    return bool(await db.fetch_val("SELECT 1 FROM program p JOIN store s ON s.id = p.store_id WHERE s.slug = $1", slug))


def questions_of(program: asyncpg.Record) -> list[Question]:
    asked = program["questions"]
    return msgspec.convert(asked, list[Question]) if isinstance(asked, list) else []


async def apply(viewer: Viewer, slug: str, answers: Sequence[str]) -> str:
    """Ask to become a partner; "approved" when the programme's rule lets them in at once, else "waiting"."""
    member_id = require_member(viewer)
    await limit("partner:apply", member_id, most=20, per=3600)
    program = await access_program(slug)
    if not program["is_open"]:
        raise Gone(_("This programme takes no applications just now."))
    answered = check_answers(questions_of(program), answers)
    risk = await risk_of(member_id, program["id"])
    state = "approved" if risk.score < program["auto_below"] else "waiting"
    async with db.transaction():
        await _keep(program["id"], member_id, answered, risk.score, risk.reasons, state, None)
        await publish(PartnerApplied(program_id=program["id"], member_id=member_id, risk=risk.score))
        if state == "approved":
            await _let_in(program["id"], member_id, "")
        else:
            await db.execute(
                """INSERT INTO partner (program_id, member_id, state, created_at) VALUES ($1, $2, 'applied', $3)
                   ON CONFLICT (program_id, member_id) DO UPDATE SET state = 'applied'
                    WHERE partner.state <> 'approved'""",
                program["id"],
                member_id,
                clock.now(),
            )
            await _tell_owner(program, member_id, viewer.handle)
    return state


async def accept_invite(viewer: Viewer, code: str) -> str:
    """Come in by an invitation; the store's slug."""
    member_id = require_member(viewer)
    await limit("partner:invite", member_id, most=30, per=3600)
    invite = await invite_by_code(code)
    if invite["by_id"] == member_id:
        raise Forbidden(_("This invitation is your own. Somebody else must invite you."))
    async with db.transaction():
        if await is_partner(invite["program_id"], member_id):
            raise Conflict(_("You are a partner of this store already."))
        # The guard is in the statement: of two who come for the last place at once, one gets it.
        taken = await db.fetch_val(
            """UPDATE partner_invite SET used = used + 1
                WHERE id = $1 AND used < most_uses AND ended_at IS NULL AND expires_at > $2 RETURNING id""",
            invite["id"],
            clock.now(),
        )
        if taken is None:
            raise Gone(_("This invitation is used up or over."))
        await _keep(invite["program_id"], member_id, [], 0, [], "approved", invite["id"])
        await _let_in(invite["program_id"], member_id, invite["tier"])
    slug: str = invite["slug"]
    return slug


async def invite_by_code(code: str) -> asyncpg.Record:
    row = await db.fetch_one(
        """SELECT i.*, s.slug, s.name AS store_name,
                  i.ended_at IS NULL AND i.expires_at > $2 AND i.used < i.most_uses AS is_open
             FROM partner_invite i JOIN program p ON p.id = i.program_id JOIN store s ON s.id = p.store_id
            WHERE i.code = $1""",
        code[:80].replace("\0", ""),
        clock.now(),
    )
    if row is None:
        raise NotFound()
    return row


async def is_partner(program_id: int, member_id: int) -> bool:
    return bool(
        await db.fetch_val(
            "SELECT 1 FROM partner WHERE program_id = $1 AND member_id = $2 AND state = 'approved'",
            program_id,
            member_id,
        )
    )


async def withdraw(viewer: Viewer, slug: str) -> None:
    """Take back an application, or leave as a partner. What was earned stays."""
    member_id = require_member(viewer)
    program = await access_program(slug)
    async with db.transaction():
        left = await db.execute(
            """UPDATE partner SET state = 'left', tier = ''
                WHERE program_id = $1 AND member_id = $2 AND state IN ('applied', 'approved')""",
            program["id"],
            member_id,
        )
        if not left:
            raise NotFound()
        await db.execute(
            "UPDATE partner_application SET state = 'withdrawn' WHERE program_id = $1 AND member_id = $2",
            program["id"],
            member_id,
        )
        await publish(PartnerDecided(program_id=program["id"], member_id=member_id, state="left"), actor_id=member_id)


async def decide(viewer: Viewer, slug: str, handle: str, verdict: str, *, reason: str = "", tier: str = "") -> None:
    """Approve or decline who waits; a partner may be declined later, too. The caller has seen who runs the store."""
    actor_id = require_member(viewer)
    program = await access_program(slug)
    reason, tier = clean(reason, "reason", most=500, lines=True), clean(tier, "tier", most=80)
    if verdict not in ("approved", "declined"):
        raise Invalid("verdict", _("Approve it or decline it."))
    if verdict == "declined" and not reason:
        raise Invalid("reason", _("Say why, so that they can do better."))
    member_id = await db.fetch_val("SELECT id FROM member WHERE lower(handle) = lower($1)", handle)
    if member_id == actor_id:
        raise Forbidden(_("Somebody else must decide about you."))
    async with db.transaction():
        decided = await db.fetch_val(
            """UPDATE partner_application SET state = $3, reason = $4, decided_by_id = $5, decided_at = $6
                WHERE program_id = $1 AND member_id = $2 AND state <> $3 AND state <> 'withdrawn' RETURNING id""",
            program["id"],
            member_id,
            verdict,
            reason,
            actor_id,
            clock.now(),
        )
        if decided is None:
            raise NotFound(_("There is no such application, or it was decided so already."))
        if verdict == "approved":
            await _let_in(program["id"], member_id, tier)
        else:
            await db.execute(
                "UPDATE partner SET state = 'declined', tier = '' WHERE program_id = $1 AND member_id = $2",
                program["id"],
                member_id,
            )
            declined = PartnerDecided(program_id=program["id"], member_id=member_id, state="declined")
            await publish(declined, actor_id=actor_id)
        await notify(
            member_id,
            "partner_decided",
            source=f"partner:{program['id']}:{member_id}:{verdict}:{clock.now():%Y%m%d%H%M%S}",
            url=f"/earn/partners/{slug}",
            data={"store": program["name"], "state": verdict},
        )


async def set_form(viewer: Viewer, slug: str, told: FormTold) -> None:
    by_id = require_member(viewer)
    program = await access_program(slug)
    if len(told.questions) > MOST_QUESTIONS:
        raise Invalid("questions", _("At most %(n)s questions.", n=MOST_QUESTIONS))
    if not 0 <= told.auto_below <= 100:
        raise Invalid("auto_below", _("The risk is 0 to 100."))
    for one in told.questions:
        if not 1 <= len(one.label) <= 200:
            raise Invalid("questions", _("A question has 1 to 200 characters."))
        if one.kind == "choice" and len(one.options) < 2:
            raise Invalid("questions", _("“%(label)s” needs two or more options.", label=one.label[:60]))
    await db.execute(
        """INSERT INTO partner_form (program_id, is_open, welcome, questions, auto_below, updated_at, by_id)
           VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)
           ON CONFLICT (program_id) DO UPDATE SET is_open = excluded.is_open, welcome = excluded.welcome,
              questions = excluded.questions, auto_below = excluded.auto_below, updated_at = excluded.updated_at,
              by_id = excluded.by_id""",
        program["id"],
        told.is_open,
        clean(told.welcome, "welcome", most=2000, lines=True),
        msgspec.json.encode(told.questions).decode(),
        told.auto_below,
        clock.now(),
        by_id,
    )


def check_answers(questions: list[Question], answers: Sequence[str]) -> list[list[str]]:
    """Question and answer side by side, or Invalid naming the first answer that does not fit."""
    if len(answers) != len(questions):
        raise Invalid("answers", _("One answer for each of the %(n)s questions.", n=len(questions)))
    kept = []
    for n, (question, given) in enumerate(zip(questions, answers, strict=True)):
        field = f"answer-{n}"
        said = clean(given, field, most=LONGEST_ANSWER, lines=question.kind == "long")
        if not said and question.is_required:
            raise Invalid(field, _("Please answer: %(question)s", question=question.label))
        if said and question.kind == "url":
            said = checked_url(said, field)
        if said and question.kind == "number" and not said.replace(",", "").replace(".", "").isdecimal():
            raise Invalid(field, _("A number, please."))
        if said and question.kind == "choice" and said not in question.options:
            raise Invalid(field, _("Choose one of those offered."))
        kept.append([question.label, said])
    return kept


def new_code() -> str:
    return secrets.token_urlsafe(12)


async def _keep(
    program_id: int,
    member_id: int,
    answers: list[list[str]],
    risk: int,
    reasons: list[str],
    state: str,
    invite_id: int | None,
) -> None:
    """One application a member and programme; a later one replaces it unless they are in."""
    kept = await db.fetch_val(
        """INSERT INTO partner_application AS a
                  (program_id, member_id, answers, risk, risk_reasons, state, invite_id, created_at, decided_at)
           VALUES ($1, $2, $3::jsonb, $4, $5::jsonb, $6, $7, $8, CASE WHEN $6 = 'approved' THEN $8::timestamptz END)
           ON CONFLICT (program_id, member_id) DO UPDATE
              SET answers = excluded.answers, risk = excluded.risk, risk_reasons = excluded.risk_reasons,
                  state = excluded.state, invite_id = excluded.invite_id, created_at = excluded.created_at,
                  reason = '', decided_by_id = NULL, decided_at = excluded.decided_at
            WHERE a.state IN ('declined', 'withdrawn') OR (a.state = 'waiting' AND excluded.state = 'approved')
           RETURNING id""",
        program_id,
        member_id,
        msgspec.json.encode(answers).decode(),
        risk,
        msgspec.json.encode(reasons).decode(),
        state,
        invite_id,
        clock.now(),
    )
    if kept is None:
        raise Conflict(_("Your application is there already."))


async def _let_in(program_id: int, member_id: int, tier: str) -> None:
    await db.execute(
        """INSERT INTO partner (program_id, member_id, state, tier, created_at) VALUES ($1, $2, 'approved', $3, $4)
           ON CONFLICT (program_id, member_id) DO UPDATE
              SET state = 'approved', tier = coalesce(nullif(excluded.tier, ''), partner.tier)""",
        program_id,
        member_id,
        tier,
        clock.now(),
    )
    await publish(PartnerDecided(program_id=program_id, member_id=member_id, state="approved"))


async def _tell_owner(program: asyncpg.Record, member_id: int, handle: str) -> None:
    if program["owner_id"] is not None and program["owner_id"] != member_id:
        await notify(
            program["owner_id"],
            "partner_applied",
            source=f"partner:{program['id']}:{member_id}:applied:{clock.now():%Y%m%d%H%M%S}",
            url=f"/admin/programs/{program['slug']}/partners/applications",
            data={"store": program["name"], "member": handle},
        )
