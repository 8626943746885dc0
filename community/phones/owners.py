"""Whose number it is, and whose it ever was. One's own stays one's own for whoever looks for it, also once removed."""

from app import db


def ever_theirs(member: str, fingerprint: str) -> str:
    """SQL: whether this member has ever typed the code that went to this number."""
    return f"""EXISTS (SELECT 1 FROM member_phone WHERE member_id = {member} AND fingerprint = {fingerprint}
                        UNION ALL SELECT 1 FROM phone_code WHERE member_id = {member} AND fingerprint = {fingerprint}
                                     AND state = 'used')"""


async def is_theirs(member_id: int, fingerprint: str) -> bool:
    """Whether it stands as theirs now."""
    return await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM member_phone WHERE member_id = $1 AND fingerprint = $2)", member_id, fingerprint
    )


async def was_ever_theirs(member_id: int, fingerprint: str) -> bool:
    return await db.fetch_val(f"SELECT {ever_theirs('$1', '$2')}", member_id, fingerprint)
