"""API tokens: programs' keys to a member's account. Their owner sees each, and what was revoked opens nothing more."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from app import clock, db, ids, live
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.paging import Page, cut, decode
from app.text import clean
from community.members.service import check_password
from community.sessions.events import TokenMade, TokensRevoked
from community.sessions.schemas import TokenView
from community.sessions.service import SCOPES, close_sessions_but, make_token

# How exactly it is known when a token was last used: a busy program writes one row in so long, not one a request.
NOTED_EVERY = timedelta(minutes=5)
MOST_NOTED = 10_000
MOST_ID = 2**63

_noted: dict[int, datetime] = {}


def scopes_for(role: str) -> tuple[str, ...]:
    """What a token of somebody with this role may carry; what they may not do themselves no program may for them."""
    return SCOPES[: {"admin": 4, "moderator": 3}.get(role, 2)]


async def make(member_id: int, name: str, scopes: Sequence[str]) -> str:
    """A token for this member, who has just shown their password; it is shown this once."""
    name = clean(name, "name", most=60)
    role = await db.fetch_val("SELECT role FROM member WHERE id = $1", member_id)
    if refused := [scope for scope in scopes if scope not in scopes_for(role)]:
        raise Invalid("scopes", _("Your account cannot give the scope “%(scope)s”.", scope=refused[0]))
    if not scopes:
        raise Invalid("scopes", _("What may it do? Choose at least one."))
    async with db.transaction():
        token = await make_token(member_id, [scope for scope in SCOPES if scope in scopes], name=name)
        token_id = await db.fetch_val("SELECT id FROM api_token WHERE token_digest = $1", ids.digest(token))
        await publish(TokenMade(member_id=member_id, token_id=token_id, scopes=sorted(scopes)), actor_id=member_id)
    return token


async def make_on_page(viewer: Viewer, name: str, scopes: Sequence[str], password: str) -> str:
    """The same from a page. A browser left open is no key to the account for ever: the password is asked for."""
    member_id = require_member(viewer)
    clean(name, "name", least=1, most=60)
    await limit("token-password", member_id, most=10, per=300)
    if await check_password(viewer.handle, password) != member_id:
        raise Invalid("password", _("This is not your password now."))
    return await make(member_id, name, scopes)


async def tokens_of(viewer: Viewer, *, cursor: str | None, limit: int = 50) -> Page[TokenView]:
    """Those that hold, the newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT id, name, scopes, created_at, used_at, used_from FROM api_token
            WHERE member_id = $1 AND revoked_at IS NULL AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
        require_member(viewer, "read"),
        before,
        limit + 1,
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([_view(row, viewer) for row in found.items], found.next)


async def revoke(viewer: Viewer, token_id: int) -> None:
    """It opens nothing more, from the next request and the next frame on."""
    revoked = await _revoke(require_member(viewer), "id = $3", token_id) if token_id < MOST_ID else []
    if not revoked:
        raise NotFound()


async def revoke_all(viewer: Viewer) -> int:
    """Every token and every session but what the viewer asks by; how many tokens. For whoever fears that somebody else
    is in their account."""
    member_id = require_member(viewer)
    async with db.transaction():
        revoked = await _revoke(member_id, "id IS DISTINCT FROM $3", viewer.token_id)
        await close_sessions_but(member_id, viewer.session_id)
    return len(revoked)


async def revoke_all_of(member_id: int) -> None:
    """Whoever gets back into an account by a mailed link, or by the operator's hand, has it alone."""
    await _revoke(member_id, "id IS DISTINCT FROM $3", None)


async def note_use(row: asyncpg.Record, address: str) -> None:
    """Remember that a token was used, and roughly from where."""
    now, network = clock.now(), rough_network_of(address)
    known = row["used_at"]
    if known and now - known < NOTED_EVERY and row["used_from"] == network:
        return
    # Of many requests in the same moment one writes.
    if (noted := _noted.get(row["token_id"])) and abs(now - noted) < timedelta(seconds=5):
        return
    if len(_noted) > MOST_NOTED:
        _noted.clear()
    _noted[row["token_id"]] = now
    await db.execute("UPDATE api_token SET used_at = $2, used_from = $3 WHERE id = $1", row["token_id"], now, network)


def rough_network_of(address: str) -> str:
    """As much of an address as its owner recognises, and no more: 203.0.113.0/24."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return str(ipaddress.ip_network(f"{known}/{24 if known.version == 4 else 48}", strict=False))


async def _revoke(member_id: int, which: str, given: int | None) -> list[int]:
    """`which` is SQL of ours over $3."""
    async with db.transaction() as change:
        rows = await db.fetch(
            f"""UPDATE api_token SET revoked_at = $2 WHERE member_id = $1 AND revoked_at IS NULL AND {which}
                RETURNING id""",
            member_id,
            clock.now(),
            given,
        )
        revoked = [row["id"] for row in rows]
        if revoked:
            await publish(TokensRevoked(member_id=member_id, token_ids=revoked), actor_id=member_id)
        for token_id in revoked:
            change.after_commit(lambda id=token_id: live.shut_out_token(member_id, id))
    return revoked


def _view(row: asyncpg.Record, viewer: Viewer) -> TokenView:
    return TokenView(
        id=str(row["id"]),
        name=row["name"],
        scopes=row["scopes"].split(","),
        created_at=row["created_at"],
        used_at=row["used_at"],
        used_from=row["used_from"],
        is_this=row["id"] == viewer.token_id,
    )
