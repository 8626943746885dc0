from app.jobs import every
from referrals.campaigns import escrow


@every("17 * * * *")
async def free_what_is_late() -> None:
    await escrow.expire_what_is_late()
