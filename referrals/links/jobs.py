from app.events import on
from community.members.events import MemberJoined
from referrals.links import service


@on(MemberJoined)
async def give_personal_link(event: MemberJoined) -> None:
    await service.make_personal_link(event.member_id, event.handle)
