from app.events import on
from app.jobs import every
from community.members.events import MemberErased
from referrals.kit import posters


@on(MemberErased)
async def take_down_their_posters(event: MemberErased) -> None:
    await posters.forget_of(event.member_id)


@every("40 3 * * *")
async def take_down_old_posters() -> None:
    await posters.forget_old()
