from datetime import timedelta

from app import db, jobs
from app.events import on
from app.live import notify_member
from community.chat.events import DirectSaid
from community.chat.reads import bell, is_loud
from community.notifications.service import notify_anew
from community.privacy.queries import no_block_between

# Who reads along needs no bell.
PATIENCE = timedelta(seconds=20)

# Who was written to and has not looked yet: not who was only asked, nor who muted the room.
_WAITING = f"""
    SELECT rm.member_id, a.name, a.handle
      FROM room_event e JOIN member a ON a.id = e.author_id
      JOIN message m ON m.id = e.message_id AND m.deleted_at IS NULL
      JOIN room_member rm ON rm.room_id = e.room_id AND rm.member_id <> e.author_id AND rm.state = 'active'
      LEFT JOIN read_pointer p ON p.room_id = e.room_id AND p.member_id = rm.member_id
     WHERE e.room_id = $1 AND e.seq = $2 AND coalesce(p.seq, 0) < e.seq AND {is_loud("p")}
       AND {no_block_between("rm.member_id", "a.id")}"""


@on(DirectSaid)
async def light_badges(event: DirectSaid) -> None:
    """Open pages of whom was written to count it now; the bell rings later, if they do not look."""
    waiting = await db.fetch(_WAITING, event.room_id, event.seq)
    for row in waiting:
        await notify_member(row["member_id"], kind="direct", room=str(event.room_id))
    if waiting:
        async with db.transaction():
            await jobs.enqueue_one(ring, f"{event.room_id}:{event.seq}".encode(), after=PATIENCE)


@jobs.job
async def ring(payload: bytes) -> None:
    """One line in the bell a room, however much was said there, until it is read. It quotes nothing."""
    room_id, _sign, seq = payload.decode().partition(":")
    for row in await db.fetch(_WAITING, int(room_id), int(seq)):
        data = {"name": row["name"], "handle": row["handle"]}
        url = f"/chat/{room_id}#latest"
        await notify_anew(row["member_id"], "direct", source=bell(int(room_id)), url=url, data=data)
