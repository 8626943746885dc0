import asyncio
import re

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import clock, db
from app.errors import Conflict, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.members import queries
from community.members.events import MemberJoined, ProfileChanged
from community.members.schemas import NewMember, Profile
from community.members.tables import Credential, Member

SHORTEST_PASSWORD = 10
RESERVED = set(
    "admin root system support help about api login logout join settings moderation moderator staff official room "
    "grapevine me everyone here all null undefined security abuse postmaster webmaster".split()
)
_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{1,28})[a-z0-9]")
# OWASP's second recommended profile: 19 MiB, two passes. It takes tens of milliseconds, so it runs off the event loop.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_decoy = _hasher.hash("nobody has this password")


class HandleTaken(Conflict):
    """That handle is taken."""


class EmailTaken(Conflict):
    """There is already an account with this e-mail. Sign in instead?"""


async def join(new: NewMember, *, role: str = "member", email_is_proven: bool = False) -> int:
    """Make an account; the member's id. Announces MemberJoined. An operator may vouch for the e-mail."""
    handle, email = checked_handle(new.handle), checked_email(new.email)
    name = clean(new.display_name, "display_name", most=60) or handle
    password_hash = await hashed(new.password, "password")
    try:
        async with db.transaction():
            now = clock.now()
            proven_at = now if email_is_proven else None
            member = Member(handle=handle, email=email, email_proven_at=proven_at, name=name, role=role, created_at=now)
            await member.save()
            await Credential(member_id=member.id, password_hash=password_hash, changed_at=clock.now()).save()
            await publish(MemberJoined(member_id=member.id, handle=handle, gv=new.gv), actor_id=member.id)
    except asyncpg.UniqueViolationError as lost:
        if lost.constraint_name == "member_email_once":
            raise EmailTaken(
                _("There is already an account with this e-mail. Sign in instead?"),
                fields={"email": _("Already used.")},
            ) from lost
        raise HandleTaken(_("That handle is taken."), fields={"handle": _("That handle is taken.")}) from lost
    return member.id


async def check_password(login: str, password: str) -> int | None:
    """The member's id when handle (or e-mail) and password belong together. Takes as long when nobody is called so."""
    row = await queries.find_credential(login.strip())
    stored = row["password_hash"] if row else _decoy
    fits = await asyncio.to_thread(_fits, stored, password)
    return row["member_id"] if row and fits else None


async def change_profile(member_id: int, profile: Profile) -> None:
    name = clean(profile.name, "name", least=1, most=60)
    bio = clean(profile.bio, "bio", most=2000, lines=True)
    async with db.transaction():
        await Member.update({"name": name, "bio": bio}).where(Member.id == member_id)
        await publish(ProfileChanged(member_id=member_id), actor_id=member_id)


async def change_language(member_id: int, lang: str) -> None:
    await Member.update({"lang": lang}).where(Member.id == member_id)


async def change_avatar(member_id: int, key: str) -> None:
    """Show this stored picture (an upload's key) as the member's face; an empty key goes back to initials."""
    async with db.transaction():
        await Member.update({"avatar_key": key}).where(Member.id == member_id)
        await publish(ProfileChanged(member_id=member_id), actor_id=member_id)


def checked_handle(handle: str) -> str:
    handle = handle.strip().lower().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise Invalid("handle", _("3 to 30 of a–z, 0–9, - and _, starting and ending with a letter or digit."))
    if handle in RESERVED:
        raise Invalid("handle", _("That handle is reserved."))
    return handle


def checked_email(email: str) -> str:
    email = clean(email, "email", least=3, most=254)
    local, at, domain = email.rpartition("@")
    if not at or not local or "." not in domain or " " in email or domain.startswith(".") or domain.endswith("."):
        raise Invalid("email", _("This does not look like an e-mail address."))
    return email


async def hashed(password: str, field: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(field, _("At least %(n)s characters, please.", n=SHORTEST_PASSWORD))
    if len(password) > 1024:
        raise Invalid(field, _("At most %(most)s characters, please; this has %(n)s.", most=1024, n=len(password)))
    return await asyncio.to_thread(_hasher.hash, password)


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
