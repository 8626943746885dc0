"""Guides that are not published yet: seen by their author alone, kept as they were typed."""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.i18n import gettext as _
from app.text import clean
from content.guides.schemas import GuideForm

MOST_DRAFTS = 50


async def keep(viewer: Viewer, given: GuideForm, *, draft_id: int | None = None, made_from: str = "") -> int:
    """Keep a draft, or what was changed in it; its id. It may be unfinished: only a title is needed."""
    author_id = require_member(viewer)
    title = clean(given.title, "title", least=1, most=160)
    summary = clean(given.summary, "summary", most=500)
    source = clean(given.source, "source", most=100_000, lines=True)
    if draft_id is not None:
        changed = await db.fetch_val(
            """UPDATE guide_draft SET title = $3, summary = $4, lang = $5, source = $6, changed_at = $7
                WHERE id = $1 AND author_id = $2 RETURNING id""",
            draft_id,
            author_id,
            title,
            summary,
            given.lang,
            source,
            clock.now(),
        )
        if changed is None:
            raise NotFound()
        return draft_id
    async with db.transaction():
        # Whoever keeps two at once waits here, so that the limit is one.
        await db.execute("SELECT 1 FROM member WHERE id = $1 FOR NO KEY UPDATE", author_id)
        if await db.fetch_val("SELECT count(*) FROM guide_draft WHERE author_id = $1", author_id) >= MOST_DRAFTS:
            raise Conflict(_("You have %(n)s drafts. Publish or discard one first.", n=MOST_DRAFTS))
        kept_id: int = await db.fetch_val(
            """INSERT INTO guide_draft (author_id, title, summary, lang, source, made_from, created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id""",
            author_id,
            title,
            summary,
            given.lang,
            source,
            made_from,
            clock.now(),
        )
    return kept_id


async def access_own(viewer: Viewer, draft_id: int) -> asyncpg.Record:
    """The viewer's own draft; another's and none look the same."""
    row = await db.fetch_one(
        "SELECT * FROM guide_draft WHERE id = $1 AND author_id = $2", draft_id, require_member(viewer, "read")
    )
    if row is None:
        raise NotFound()
    return row


async def discard(viewer: Viewer, draft_id: int) -> bool:
    """It is gone for good; whether it was there."""
    return bool(
        await db.execute("DELETE FROM guide_draft WHERE id = $1 AND author_id = $2", draft_id, require_member(viewer))
    )


async def drafts_of(viewer: Viewer) -> list[asyncpg.Record]:
    """The viewer's drafts, the last touched first."""
    return await db.fetch(
        """SELECT id, title, summary, lang, made_from, changed_at FROM guide_draft
            WHERE author_id = $1 ORDER BY changed_at DESC, id DESC""",
        require_member(viewer, "read"),
    )
