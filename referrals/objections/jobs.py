from app.jobs import every
from referrals.objections.service import escalate


@every("47 * * * *")
async def escalate_objections() -> None:
    await escalate()
