"""What a store keeps about its partners and says to them: invitations, tags, notes, messages, things to use."""

from datetime import UTC, datetime, time, timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from community.notifications.service import notify
from referrals.partners.applying import access_program, new_code
from referrals.partners.schemas import NewAsset, NewInvite
from storefront.catalog.service import checked_url

LONGEST_INVITE = timedelta(days=366)
MOST_TAGS = 20
MOST_ASSETS = 200


async def invite(viewer: Viewer, program_id: int, new: NewInvite) -> str:
    """A link that lets people in; its code."""
    by_id, now = require_member(viewer), clock.now()
    await limit("partner:invites", program_id, most=200, per=3600)
    if not 1 <= new.most_uses <= 10_000:
        raise Invalid("most_uses", _("1 to 10,000 people."))
    try:
        expires_at = datetime.combine(datetime.fromisoformat(new.expires_on.strip()).date(), time(23, 59, 59), UTC)
    except ValueError as error:
        sentence = _("“%(value)s” is not a day; write 2026-11-30.", value=new.expires_on[:30])
        raise Invalid("expires_on", sentence) from error
    if not now < expires_at <= now + LONGEST_INVITE:
        raise Invalid("expires_on", _("A day to come, within a year."))
    code: str = await db.fetch_val(
        """INSERT INTO partner_invite (program_id, code, note, tier, most_uses, expires_at, by_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING code""",
        program_id,
        new_code(),
        clean(new.note, "note", most=200),
        clean(new.tier, "tier", most=80),
        new.most_uses,
        expires_at,
        by_id,
        now,
    )
    return code


async def end_invite(program_id: int, invite_id: int) -> None:
    ended = await db.execute(
        "UPDATE partner_invite SET ended_at = $3 WHERE id = $2 AND program_id = $1 AND ended_at IS NULL",
        program_id,
        invite_id,
        clock.now(),
    )
    if not ended:
        raise NotFound()


async def set_tags(program_id: int, member_id: int, typed: str) -> None:
    """Exactly these, separated by commas."""
    tags = sorted({clean(one, "tags", most=40).lower() for one in typed.replace("，", ",").split(",")} - {""})
    if len(tags) > MOST_TAGS:
        raise Invalid("tags", _("At most %(n)s tags.", n=MOST_TAGS))
    async with db.transaction():
        await db.execute("SELECT 1 FROM program WHERE id = $1 FOR UPDATE", program_id)
        await db.execute(
            "DELETE FROM partner_tag WHERE program_id = $1 AND member_id = $2 AND NOT tag = ANY($3::text[])",
            program_id,
            member_id,
            tags,
        )
        await db.execute(
            """INSERT INTO partner_tag (program_id, member_id, tag) SELECT $1, $2, unnest($3::text[])
               ON CONFLICT DO NOTHING""",
            program_id,
            member_id,
            tags,
        )


async def note(viewer: Viewer, program_id: int, member_id: int, body: str) -> None:
    """For people of the store alone."""
    await db.execute(
        "INSERT INTO partner_note (program_id, member_id, author_id, body, created_at) VALUES ($1, $2, $3, $4, $5)",
        program_id,
        member_id,
        require_member(viewer),
        clean(body, "note", least=1, most=4000, lines=True),
        clock.now(),
    )


async def write(viewer: Viewer, slug: str, member_id: int, body: str, *, is_from_store: bool) -> int:
    """One message in a partner's thread. The other side's bell rings; no mail goes out."""
    author_id = require_member(viewer)
    await limit("partner:message", author_id, most=60, per=3600)
    program = await access_program(slug)
    body = clean(body, "body", least=1, most=4000, lines=True)
    if not await db.fetch_val(
        "SELECT 1 FROM partner WHERE program_id = $1 AND member_id = $2 AND state IN ('applied', 'approved')",
        program["id"],
        member_id,
    ):
        raise NotFound() if is_from_store else Forbidden(_("Only partners and applicants can write to a store."))
    if not is_from_store and author_id != member_id:
        raise NotFound()
    async with db.transaction():
        message_id: int = await db.fetch_val(
            """INSERT INTO partner_message (program_id, member_id, author_id, is_from_store, body, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
            program["id"],
            member_id,
            author_id,
            is_from_store,
            body,
            clock.now(),
        )
        reader, url = member_id, f"/earn/partners/{slug}"
        if not is_from_store:
            handle = await db.fetch_val("SELECT handle FROM member WHERE id = $1", member_id)
            reader, url = program["owner_id"], f"/admin/programs/{slug}/partners/m/{handle}"
        if reader is not None and reader != author_id:
            said = {"store": program["name"], "excerpt": body[:140], "is_from_store": is_from_store}
            await notify(reader, "partner_message", source=f"partner_message:{message_id}", url=url, data=said)
    return message_id


async def read(program_id: int, member_id: int, *, by_store: bool) -> None:
    await db.execute(
        """UPDATE partner_message SET read_at = $4
            WHERE program_id = $1 AND member_id = $2 AND is_from_store <> $3 AND read_at IS NULL""",
        program_id,
        member_id,
        by_store,
        clock.now(),
    )


async def add_asset(viewer: Viewer, program_id: int, new: NewAsset, picture: str = "") -> None:
    if new.kind not in ("text", "picture", "page"):
        raise Invalid("kind", _("A text, a picture or a page."))
    body = clean(new.body, "body", most=4000, lines=True)
    if new.kind == "page":
        body = checked_url(body, "body")
    if new.kind == "text" and not body:
        raise Invalid("body", _("Write the text."))
    if new.kind == "picture" and not picture:
        raise Invalid("file", _("Please choose a picture."))
    added = await db.fetch_val(
        """INSERT INTO partner_asset (program_id, kind, title, body, key, by_id, created_at)
           SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE (SELECT count(*) FROM partner_asset WHERE program_id = $1 AND ended_at IS NULL) < $8 RETURNING id""",
        program_id,
        new.kind,
        clean(new.title, "title", least=1, most=120),
        body,
        picture,
        require_member(viewer),
        clock.now(),
        MOST_ASSETS,
    )
    if added is None:
        raise Conflict(_("There are %(n)s already. Take one away first.", n=MOST_ASSETS))


async def end_asset(program_id: int, asset_id: int) -> None:
    if not await db.execute(
        "UPDATE partner_asset SET ended_at = $3 WHERE id = $2 AND program_id = $1 AND ended_at IS NULL",
        program_id,
        asset_id,
        clock.now(),
    ):
        raise NotFound()


async def access_partner(program_id: int, handle: str) -> asyncpg.Record:
    """Somebody who applied to a programme or is its partner, by handle."""
    row = await db.fetch_one(
        """SELECT p.*, m.handle, m.name, m.created_at AS joined_at, a.answers, a.risk, a.risk_reasons, a.reason,
                  a.state AS application, a.created_at AS applied_at, i.note AS invited_by
             FROM partner p JOIN member m ON m.id = p.member_id
             LEFT JOIN partner_application a ON a.program_id = p.program_id AND a.member_id = p.member_id
             LEFT JOIN partner_invite i ON i.id = a.invite_id
            WHERE p.program_id = $1 AND lower(m.handle) = lower($2)""",
        program_id,
        handle,
    )
    if row is None:
        raise NotFound()
    return row
