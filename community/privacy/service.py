from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from community.privacy.events import MemberBlocked, MemberUnblocked
from community.privacy.schemas import PrivacyView


async def block(viewer: Viewer, other_id: int) -> bool:
    """Have nothing to do with another member any more; False when that was so before. They are not told."""
    member_id = require_member(viewer)
    if other_id == member_id:
        raise Invalid("handle", _("That is you."))
    async with db.transaction():
        blocked = await db.fetch_val(
            """INSERT INTO member_block (member_id, blocked_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            member_id,
            other_id,
            clock.now(),
        )
        if blocked:
            await publish(MemberBlocked(member_id=member_id, blocked_id=other_id), actor_id=member_id)
    return blocked is not None


async def unblock(viewer: Viewer, other_id: int) -> bool:
    """Take a block back; False when there was none."""
    member_id = require_member(viewer)
    async with db.transaction():
        unblocked = await db.execute(
            "DELETE FROM member_block WHERE member_id = $1 AND blocked_id = $2", member_id, other_id
        )
        if unblocked:
            await publish(MemberUnblocked(member_id=member_id, blocked_id=other_id), actor_id=member_id)
    return bool(unblocked)


async def change(viewer: Viewer, wanted: PrivacyView) -> None:
    await db.execute(
        """INSERT INTO privacy (member_id, may_write, is_hidden, hides_reading, changed_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (member_id) DO UPDATE
                 SET may_write = excluded.may_write, is_hidden = excluded.is_hidden,
                     hides_reading = excluded.hides_reading, changed_at = excluded.changed_at""",
        require_member(viewer),
        wanted.may_write,
        wanted.is_hidden,
        wanted.hides_reading,
        clock.now(),
    )
