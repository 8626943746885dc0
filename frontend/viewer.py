"""Who is looking, and what the frame around every page shows them: one query, whatever they belong to."""

from datetime import timedelta

import asyncpg
import msgspec
from litestar import Request

from app import clock, db, ids
from app.auth import STRANGER, NavGroup, Viewer, session_cookie_name
from app.errors import SignInFirst
from app.live_tickets import Ticket
from app.web import address_of
from community.chat.lists import MINE, unread
from community.chat.reads import is_loud
from community.members.queries import avatar_url
from community.sessions import tokens
from community.sessions.queries import member_of_session, member_of_token, member_to_speak_for
from referrals.clicks import visitors
from referrals.clicks.heard import DENIED, consent_of

NAV_GROUPS = 8
SEEN_EVERY = timedelta(hours=1)


async def provide_viewer(request: Request) -> Viewer:
    """The viewer of a page, by the session cookie."""
    viewer = await viewer_of_page(request.cookies.get(session_cookie_name(), ""))
    request.state["viewer"] = viewer
    if viewer.member_id is not None:
        _note_browser(request, viewer.member_id)
    return viewer


def _note_browser(request: Request, member_id: int) -> None:
    """Whose browser this is today, so that nobody earns by clicks of their own; not of whoever denied it."""
    headers = dict(request.scope["headers"])
    if request.client and consent_of(headers, b"") != DENIED:
        visitors.saw_member(member_id, request.client.host, headers.get(b"user-agent", b""))


async def provide_api_viewer(request: Request) -> Viewer:
    """The viewer of an API request, by its bearer token; cookies count for nothing here."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not token:
        return STRANGER
    row = await member_of_token(token.strip()) if kind.lower() == "bearer" else None
    if row is None:
        raise SignInFirst("This token is unknown or was revoked.")
    await tokens.note_use(row, address_of(request))
    return _by_token(row, row["scopes"].split(","), row["token_id"])


def _by_token(row: asyncpg.Record, scopes: list[str], token_id: int | None) -> Viewer:
    return Viewer(
        member_id=row["id"],
        handle=row["handle"],
        name=row["name"],
        role=row["role"],
        avatar_url=avatar_url(row["avatar_key"]),
        token_id=token_id,
        scopes=frozenset(scopes),
    )


async def viewer_of_ticket(ticket: Ticket) -> Viewer:
    """The viewer a ticket to the live socket speaks for, while the token it was asked for with still holds."""
    row = await member_to_speak_for((ticket.member_id, ticket.token_id))
    return _by_token(row, ticket.scopes, ticket.token_id) if row else STRANGER


async def viewer_of_session(token: str) -> Viewer:
    """The viewer of a live socket, by the token in its cookie: without what the frame of a page shows."""
    row = await member_of_session(ids.digest(token)) if token else None
    if row is None:
        return STRANGER
    return Viewer(
        member_id=row["id"],
        handle=row["handle"],
        name=row["name"],
        role=row["role"],
        avatar_url=avatar_url(row["avatar_key"]),
        session_id=row["session_id"],
    )


async def viewer_of_page(token: str) -> Viewer:
    """The viewer of a page, by the token in its cookie."""
    if not token:
        return STRANGER
    row = await db.fetch_one(
        f"""SELECT s.id AS session_id, s.seen_at, m.id, m.handle, m.name, m.role, m.avatar_key,
                  (SELECT count(*) FROM (SELECT 1 FROM notification n
                    WHERE n.member_id = m.id AND n.read_at IS NULL LIMIT 100) few) AS unread,
                  (SELECT coalesce(json_agg(g), '[]') FROM (
                     SELECT g.slug, g.name,
                            CASE WHEN {is_loud("p")} AND r.id IS NOT NULL THEN {unread("m.id")} ELSE 0 END AS unread
                       FROM membership ms JOIN groups g ON g.id = ms.group_id
                       LEFT JOIN room r ON r.group_id = g.id AND r.kind = 'group'
                       LEFT JOIN read_pointer p ON p.room_id = r.id AND p.member_id = m.id
                      WHERE ms.member_id = m.id AND ms.state = 'active'
                      ORDER BY g.active_at DESC LIMIT $3) g)::text AS groups,
                  (SELECT coalesce(sum(least({unread("m.id")}, 99)), 0) FROM ({MINE.format(member="m.id")}) mine
                     JOIN room r ON r.id = mine.id
                     LEFT JOIN read_pointer p ON p.room_id = r.id AND p.member_id = m.id
                    WHERE {is_loud("p")})::int AS unread_chat,
                  ARRAY(SELECT st.slug FROM store st WHERE st.owner_id = m.id ORDER BY st.id LIMIT 2) AS stores
             FROM session s JOIN member m ON m.id = s.member_id
            WHERE s.token_digest = $1 AND s.expires_at > $2
              AND NOT EXISTS (SELECT 1 FROM suspension x WHERE x.member_id = m.id AND x.lifted_at IS NULL
                                                          AND (x.until IS NULL OR x.until > $2))""",
        ids.digest(token),
        clock.now(),
        NAV_GROUPS,
    )
    if row is None:
        return STRANGER
    if clock.now() - row["seen_at"] > SEEN_EVERY:
        await db.execute("UPDATE session SET seen_at = $2 WHERE id = $1", row["session_id"], clock.now())
    return Viewer(
        member_id=row["id"],
        handle=row["handle"],
        name=row["name"],
        role=row["role"],
        avatar_url=avatar_url(row["avatar_key"]),
        session_id=row["session_id"],
        unread_notifications=row["unread"],
        unread_chat=row["unread_chat"],
        groups=tuple(msgspec.json.decode(row["groups"], type=list[NavGroup])),
        stores=tuple(row["stores"]),
    )
