from app.events import on
from referrals.socials import service
from referrals.socials.events import AccountToLookAt


@on(AccountToLookAt)
async def look_for_the_code(event: AccountToLookAt) -> None:
    await service.look_at(event.social_account_id)
