from app.events import on
from community.members.events import MemberJoined
from community.sessions.events import SignedIn
from referrals.clicks import service


@on(MemberJoined)
async def credit_who_brought_them(event: MemberJoined) -> None:
    await service.credit_signup(event.member_id, event.gv)
    await service.claim(event.member_id, event.gv)


@on(SignedIn)
async def claim_click(event: SignedIn) -> None:
    await service.claim(event.member_id, event.gv)
