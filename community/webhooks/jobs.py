from app.jobs import every
from community.webhooks import service


@every("23 4 * * *")
async def forget_old_deliveries() -> None:
    while await service.forget_old():
        pass
