"""Who came twice on a day, without knowing who: a hash of address and agent under a random salt of the day.

The salt is shared by all processes through the database and deleted after 72 hours. From then on nobody, we least of
all, can find out whether an address was among the visitors of that day. No address is stored anywhere.
"""

import hashlib
import logging
import secrets
from datetime import date, datetime, timedelta

from app import clock, db

log = logging.getLogger(__name__)

SALT_LIVES = timedelta(hours=72)
MEMBERS_KEPT = timedelta(days=120)
MOST_WAITING, MOST_NOTED = 20_000, 50_000

_salts: dict[date, bytes] = {}
_own: dict[date, bytes] = {}
_to_note: set[tuple[date, int, str]] = set()
_noted: set[tuple[date, int, str]] = set()


def hash_of(at: datetime, address: str, agent: bytes) -> str:
    """The same for one browser on one day (UTC), of no use on the next."""
    return hashlib.blake2b(address.encode() + agent, key=_salt(at.date()), digest_size=12).hexdigest()


async def learn_salts() -> None:
    """Know the salts of today and tomorrow, drawing them when nobody has; forget the older ones."""
    today = clock.now().date()
    for day in (today, today + timedelta(days=1)):
        if day not in _salts:
            _salts[day] = await _shared_salt(day)
    for kept in (_salts, _own):
        for day in [day for day in kept if day < today]:
            del kept[day]


async def delete_old_salts() -> int:
    """Whatever ended more than 72 hours ago can no longer be hashed again."""
    oldest = (clock.now() - SALT_LIVES).date()
    return await db.execute("DELETE FROM visitor_salt WHERE day < $1", oldest)


def saw_member(member_id: int, address: str, agent: bytes) -> None:
    """A signed-in member is this visitor today: noted within a second, so that a click on their own link is known."""
    now = clock.now()
    if now.date() not in _salts:
        return  # A hash by a salt of this process alone would be of no use.
    note = (now.date(), member_id, hash_of(now, address, agent))
    if note not in _noted and len(_to_note) < MOST_WAITING:
        _to_note.add(note)


async def note_members() -> int:
    """Write down which members were which visitors; how many were new to this process."""
    notes = list(_to_note)
    if not notes:
        return 0
    await db.execute(
        """INSERT INTO member_visitor (day, member_id, visitor_day_hash)
           SELECT n.* FROM unnest($1::date[], $2::bigint[], $3::text[]) n (day, member_id, hash)
            WHERE EXISTS (SELECT 1 FROM member m WHERE m.id = n.member_id)
           ON CONFLICT DO NOTHING""",
        *zip(*notes, strict=True),
    )
    _to_note.difference_update(notes)
    if len(_noted) > MOST_NOTED:
        _noted.clear()
    _noted.update(notes)
    return len(notes)


async def forget_old_members() -> int:
    return await db.execute("DELETE FROM member_visitor WHERE day < $1", (clock.now() - MEMBERS_KEPT).date())


async def _shared_salt(day: date) -> bytes:
    """The salt of a day: whoever comes first draws it, everybody else reads it."""
    await db.execute(
        "INSERT INTO visitor_salt (day, salt, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        day,
        secrets.token_bytes(32),
        clock.now(),
    )
    return await db.fetch_val("SELECT salt FROM visitor_salt WHERE day = $1", day)


def _salt(day: date) -> bytes:
    """The shared salt, or one of this process alone while the database cannot be asked."""
    known = _salts.get(day)
    if known is not None:
        return known
    if day not in _own:
        _own[day] = secrets.token_bytes(32)
    return _own[day]


def forget() -> None:
    """What this process remembers (tests: the tables were emptied)."""
    _salts.clear()
    _own.clear()
    _to_note.clear()
    _noted.clear()
