import asyncio
from datetime import timedelta

from app import clock, db
from app.events import on
from app.jobs import every
from community.notifications.service import notify
from community.phones.events import CodeWanted, PhoneProven, PhoneRemoved
from community.phones.sending import letter_about_phone, send_code

# As long as they count for limits, and a day for whoever asks what happened.
KEPT = timedelta(days=2)


@on(CodeWanted)
async def send_the_code(event: CodeWanted) -> None:
    await send_code(event.code_id)


@on(PhoneProven)
async def tell_of_new_number(event: PhoneProven) -> None:
    await _tell(event.member_id, event.hint, f"phone:{event.code_id}:new")


@on(PhoneRemoved)
async def tell_of_removed_number(event: PhoneRemoved) -> None:
    await _tell(event.member_id, event.hint, f"phone:{event.phone_id}:gone", is_removed=True)


@every("47 * * * *")
async def forget_old_codes() -> None:
    """Of one that proved a number only its keyed hash stays: whoever had a number once may not bring themselves."""
    long_ago = clock.now() - KEPT
    await db.execute("DELETE FROM phone_code WHERE asked_at < $1 AND state <> 'used'", long_ago)
    await db.execute(
        """UPDATE phone_code SET sealed = '', hint = '', network_hmac = '', nonce = ''
            WHERE asked_at < $1 AND nonce <> ''""",
        long_ago,
    )


async def _tell(member_id: int, hint: str, source: str, *, is_removed: bool = False) -> None:
    data = {"number": hint, "removed": is_removed}
    await notify(member_id, "phone_changed", source=source, url="/settings/phone", data=data)
    await asyncio.wait_for(letter_about_phone(member_id, hint, is_removed=is_removed), timeout=60)
