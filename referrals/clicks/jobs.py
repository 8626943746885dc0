from app.events import on
from app.jobs import every
from community.members.events import MemberJoined
from community.sessions.events import SignedIn
from referrals.clicks import behaviour, days, service, visitors
from referrals.clicks.rescore import AT_ONCE, rescore


@on(MemberJoined)
async def credit_who_brought_them(event: MemberJoined) -> None:
    await service.credit_signup(event.member_id, event.gv)
    await service.claim(event.member_id, event.gv)


@on(SignedIn)
async def claim_click(event: SignedIn) -> None:
    await service.claim(event.member_id, event.gv)


@every("7 * * * *")
async def make_partitions_ahead() -> None:
    await days.make_ahead()


@every("11 * * * *")
async def forget_visitors() -> None:
    await visitors.delete_old_salts()
    await visitors.forget_old_members()


@every("17 * * * *")
async def note_stays() -> None:
    for _batch in range(20):
        if await behaviour.note_stays() < behaviour.AT_ONCE:
            return


@every("*/5 * * * *")
async def score_anew() -> None:
    # After a better score was installed this goes on until every click of the last weeks has it.
    for _batch in range(20):
        if await rescore() < AT_ONCE:
            return
