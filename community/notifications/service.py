from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from app import clock, db, live
from app.auth import Viewer, require_member
from app.errors import NotFound
from community.privacy.queries import no_block_between


async def notify(
    member_id: int, kind: str, *, source: str, url: str, data: dict[str, Any] | None = None, by: int | None = None
) -> bool:
    """Ring a member's bell, once per `source`; False when it rang before, or when they and `by`, whose deed it was,
    want nothing to do with each other.

    `data` is free of language: names and numbers for `templates/community/notifications/kinds/<kind>.html`.
    """
    async with db.transaction() as change:
        told = await db.fetch_val(
            f"""INSERT INTO notification (member_id, source, kind, url, data, created_at)
                SELECT $1::bigint, $2::text, $3::text, $4::text, $5::jsonb, $6::timestamptz
                 WHERE {no_block_between("$1::bigint", "$7::bigint")}
                ON CONFLICT DO NOTHING RETURNING id""",
            member_id,
            source,
            kind,
            url,
            msgspec.json.encode(data or {}).decode(),
            clock.now(),
            by,
        )
        if told:
            change.after_commit(lambda: live.notify_member(member_id, kind=kind))
    return told is not None


async def notify_anew(member_id: int, kind: str, *, source: str, url: str, data: dict[str, Any] | None = None) -> bool:
    """Ring for what goes on and on: one line a `source`, at the top again when it was read; False while it waits."""
    async with db.transaction():
        await db.execute(
            "DELETE FROM notification WHERE member_id = $1 AND source = $2 AND read_at IS NOT NULL", member_id, source
        )
        rang = await notify(member_id, kind, source=source, url=url, data=data)
    return rang


async def seen(bells: Sequence[tuple[int, str]]) -> None:
    """(member, source): they have looked at it elsewhere, the bell need not say it any more."""
    member_ids, sources = zip(*bells, strict=True)
    await db.execute(
        """UPDATE notification n SET read_at = $3 FROM unnest($1::bigint[], $2::text[]) AS t(member_id, source)
            WHERE n.member_id = t.member_id AND n.source = t.source AND n.read_at IS NULL""",
        member_ids,
        sources,
        clock.now(),
    )


async def withhold(source: str) -> None:
    """Quote no longer what moderators hid, or its author took back, in any bell that rang for it."""
    await requote(source, "")


async def requote(source: str, excerpt: str, *, to: Collection[int] | None = None) -> None:
    """What was quoted has changed; bells that rang for it follow. With `to`, those of these members alone: nobody else
    may read the new words, and the old ones are quoted no longer."""
    await db.execute(
        """UPDATE notification n SET data = n.data || jsonb_build_object('excerpt', said.words)
             FROM notification same CROSS JOIN LATERAL (
                  SELECT CASE WHEN $3::bigint[] IS NULL OR same.member_id = ANY($3) THEN $2::text ELSE '' END
                      AS words) said
            WHERE n.source = $1 AND same.id = n.id AND n.data ->> 'excerpt' <> said.words""",
        source,
        excerpt,
        None if to is None else list(to),
    )


async def rung_for(source: str) -> list[int]:
    """Whose bells rang for it."""
    return [row["member_id"] for row in await db.fetch("SELECT member_id FROM notification WHERE source = $1", source)]


async def open_notification(viewer: Viewer, notification_id: int) -> str:
    """Mark it read; the address it leads to."""
    url = await db.fetch_val(
        """UPDATE notification SET read_at = coalesce(read_at, $3)
            WHERE id = $1 AND member_id = $2 RETURNING url""",
        notification_id,
        require_member(viewer),
        clock.now(),
    )
    if url is None:
        raise NotFound()
    return url


async def read_all(viewer: Viewer, *, up_to: int) -> int:
    """Mark everything up to the newest one the member has seen; what came in since stays new."""
    return await db.execute(
        "UPDATE notification SET read_at = $3 WHERE member_id = $1 AND id <= $2 AND read_at IS NULL",
        require_member(viewer),
        up_to,
        clock.now(),
    )
