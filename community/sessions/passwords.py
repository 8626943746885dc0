"""Changing a password, and getting back in without the old one. Either ends every other session of the member."""

import hmac
from datetime import timedelta

import asyncpg

from app import clock, db, mail
from app.auth import Viewer, require_member, sign
from app.errors import Gone, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from community.members.queries import find_credential
from community.members.service import check_password, hashed
from community.sessions import tokens
from community.sessions.events import PasswordChanged, PasswordForgotten
from community.sessions.service import close_sessions_but

GOOD_FOR = timedelta(hours=1)


async def change(viewer: Viewer, current: str, new: str, *, keep_tokens: bool = False) -> None:
    """A new password for who knows the old one; this browser stays signed in, all others are signed out. Whoever knew
    the old password may have made tokens with it: they go too, unless the member says that they are all right."""
    member_id = require_member(viewer)
    await limit("change-password", member_id, most=10, per=300)
    if await check_password(viewer.handle, current) != member_id:
        raise Invalid("current", _("This is not your password now."))
    await _set(member_id, await hashed(new, "password"), keep_session=viewer.session_id, keep_tokens=keep_tokens)


async def forget(login: str, *, address: str) -> None:
    """Have a link mailed to whoever is called so. The same answer for a name that nobody has."""
    await limit("forgotten-from", address, most=10, per=3600)
    await limit("forgotten-as", login.strip().lower(), most=5, per=3600)
    known = await find_credential(login.strip())
    if known:
        async with db.transaction():
            await publish(PasswordForgotten(member_id=known["member_id"]))


async def send_link(member_id: int) -> None:
    row = await _credential(member_id)
    if row is None or not mail.is_set_up():
        return
    await mail.send(
        row["email"],
        _("A new password"),
        _("Open this link within an hour to choose a new password:")
        + f"\n\n{settings().base_url}{address_of_reset(row)}\n\n"
        + _("If you did not ask for it, do nothing: your password stays as it is."),
    )


async def reset(token: str, new: str) -> None:
    """A new password for who holds the mailed link. It works once: the old password is part of what was signed."""
    row = await holder(token)
    if not await _set(row["id"], await hashed(new, "password"), instead_of=row["password_hash"]):
        raise _used_up()


async def give(member_id: int, new: str) -> None:
    """A new password from the operator, for a member whom no mail reaches."""
    await _set(member_id, await hashed(new, "password"))


async def holder(token: str) -> asyncpg.Record:
    """The member a link was mailed to, or Gone when it is used, too old or not ours."""
    handle, _dot, rest = token.partition(".")
    expires, _dot, _signature = rest.partition(".")
    row = await _credential(int(handle)) if handle.isascii() and handle.isdigit() and len(handle) < 19 else None
    is_ours = row is not None and hmac.compare_digest(token.encode(), _token(row, expires).encode())
    if row is None or not is_ours or int(expires) < clock.now().timestamp():
        raise _used_up()
    return row


def address_of_reset(row: asyncpg.Record) -> str:
    return f"/login/reset/{_token(row, str(int((clock.now() + GOOD_FOR).timestamp())))}"


async def _credential(member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT m.id, m.handle, m.email, c.password_hash
             FROM member m JOIN credential c ON c.member_id = m.id WHERE m.id = $1""",
        member_id,
    )


async def _set(
    member_id: int,
    password_hash: str,
    *,
    keep_session: int | None = None,
    keep_tokens: bool = False,
    instead_of: str | None = None,
) -> bool:
    """False, and nothing happened, when the password is no longer the one to be replaced."""
    async with db.transaction():
        changed = await db.execute(
            """UPDATE credential SET password_hash = $2, changed_at = $3
                WHERE member_id = $1 AND ($4::text IS NULL OR password_hash = $4)""",
            member_id,
            password_hash,
            clock.now(),
            instead_of,
        )
        if not changed:
            return False
        await close_sessions_but(member_id, keep_session)
        if not keep_tokens:
            await tokens.revoke_all_of(member_id)
        await publish(PasswordChanged(member_id=member_id), actor_id=member_id)
    return True


def _used_up() -> Gone:
    return Gone(_("This link was used before or is too old. Ask for a new one."))


def _token(row: asyncpg.Record, expires: str) -> str:
    signature = sign("new-password", f"{row['id']} {expires} {row['password_hash']}")
    return f"{row['id']}.{expires}.{signature}"
