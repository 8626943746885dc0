from app.events import on
from community.notifications.service import notify
from referrals.attribution import notices
from referrals.attribution.events import CreditOverruled, OverrideProposed


@on(CreditOverruled)
async def tell_whom_it_concerns(event: CreditOverruled) -> None:
    for told in await notices.of_override(event.override_id):
        await notify(told.member_id, told.kind, source=told.source, url=told.url, data=told.data)


@on(OverrideProposed)
async def ask_for_a_second(event: OverrideProposed) -> None:
    for told in await notices.of_proposal(event.override_id):
        await notify(told.member_id, told.kind, source=told.source, url=told.url, data=told.data)
