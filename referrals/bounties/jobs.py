from app.jobs import every
from referrals.bounties import proofs


@every("27 4 * * *")
async def sweep_unused_proofs() -> None:
    await proofs.sweep()
