from app.jobs import every
from referrals.credit import lots


@every("23 * * * *")
async def end_credit_that_is_over() -> None:
    await lots.end_what_is_over()
