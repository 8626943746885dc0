from datetime import timedelta

from app import clock, db, ids, live
from app.errors import Forbidden, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from community.members.service import check_password
from community.sessions import queries
from community.sessions.events import SignedIn
from community.sessions.tables import ApiToken, Session

SESSION_DAYS = 30
SCOPES = ("read", "write", "moderate", "admin")


async def sign_in(login: str, password: str, *, address: str) -> int:
    """The member's id, or Invalid with the same words whether the name or the password was wrong."""
    await limit("sign-in-from", address, most=20, per=300)
    # Counted apart: a name that looks like somebody's address must not use up that address's tries.
    await limit("sign-in-as", login.strip().lower(), most=10, per=300)
    member_id = await check_password(login, password)
    if member_id is None:
        raise Invalid("password", _("This name and password do not belong together."))
    if suspension := await queries.suspension_of(member_id):
        raise Forbidden(_("This account is suspended: %(reason)s", reason=suspension["reason"]))
    return member_id


async def open_session(member_id: int, *, user_agent: str = "", gv: str = "") -> str:
    """A new session, whatever the browser brought along; the token for its cookie."""
    token = ids.new_token()
    now = clock.now()
    async with db.transaction():
        await Session(
            member_id=member_id,
            token_digest=ids.digest(token),
            user_agent=user_agent[:300],
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=SESSION_DAYS),
        ).save()
        await publish(SignedIn(member_id=member_id, gv=gv), actor_id=member_id)
    return token


async def close_session(session_id: int, member_id: int) -> None:
    """Its browser is signed out, and the live lines of its open pages are cut."""
    await _close(member_id, "id = $2", session_id)


async def close_sessions_but(member_id: int, kept: int | None) -> None:
    """All of a member's browsers are signed out, or all but one."""
    await _close(member_id, "id IS DISTINCT FROM $2", kept)


async def _close(member_id: int, which: str, session_id: int | None) -> None:
    """`which` is SQL of ours over $2."""
    async with db.transaction() as change:
        ended = await db.fetch(
            f"DELETE FROM session WHERE member_id = $1 AND {which} RETURNING id", member_id, session_id
        )
        for row in ended:
            change.after_commit(lambda id=row["id"]: live.shut_out_session(member_id, id))


async def make_token(member_id: int, scopes: list[str], *, name: str = "") -> str:
    """An API token, shown once."""
    for scope in scopes:
        if scope not in SCOPES:
            raise Invalid("scope", _("The scopes are %(scopes)s.", scopes=", ".join(SCOPES)))
    token = "gv_" + ids.new_token()
    await ApiToken(
        member_id=member_id,
        token_digest=ids.digest(token),
        name=name,
        scopes=",".join(scopes),
        created_at=clock.now(),
    ).save()
    return token
