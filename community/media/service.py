import secrets

from app import clock, db
from app.auth import Viewer, require_member
from community.media import storage
from community.media.pictures import Print, develop
from community.media.schemas import UploadView
from community.members.queries import avatar_url
from community.members.service import change_avatar

PICTURE_SIDE = 2000
# The first one is what a profile names; small faces ask for the other (see the macro `face`).
AVATAR_SIDES = (256, 64)


async def keep_picture(viewer: Viewer, raw: bytes) -> UploadView:
    """Re-encode and keep a member's picture."""
    member_id = require_member(viewer)
    (made,) = await develop(raw, [str(PICTURE_SIDE)], field="file")
    key = f"pictures/{secrets.token_hex(16)}.webp"
    await storage.put(key, made.content)
    upload_id = await _note(member_id, key, made)
    return UploadView(str(upload_id), avatar_url(key), made.width, made.height)


async def set_avatar(viewer: Viewer, raw: bytes) -> str:
    """Show this picture as the member's face; its key. The former one is forgotten."""
    member_id = require_member(viewer)
    key = await develop_avatar(raw)
    await _replace_avatar(member_id, key)
    return key


async def develop_avatar(raw: bytes) -> str:
    """Keep a picture in the sizes of a face; the key of the larger one."""
    prints = await develop(raw, [f"square:{side}" for side in AVATAR_SIDES], field="avatar")
    name = f"avatars/{secrets.token_hex(12)}"
    for side, made in zip(AVATAR_SIDES, prints, strict=True):
        await storage.put(f"{name}-{side}.webp", made.content)
    return f"{name}-{AVATAR_SIDES[0]}.webp"


async def remove_avatar(viewer: Viewer) -> None:
    await _replace_avatar(require_member(viewer), "")


async def _replace_avatar(member_id: int, key: str) -> None:
    former = await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", member_id)
    await change_avatar(member_id, key)
    if former and former != key:
        for side in AVATAR_SIDES:
            await storage.forget(former.replace(f"-{AVATAR_SIDES[0]}.", f"-{side}."))


async def _note(member_id: int, key: str, made: Print) -> int:
    return await db.fetch_val(
        """INSERT INTO upload (owner_id, key, media_type, width, height, bytes, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
        member_id,
        key,
        storage.media_type_of(key),
        made.width,
        made.height,
        len(made.content),
        clock.now(),
    )
