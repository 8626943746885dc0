from app.events import on
from storefront.connectors import service
from storefront.orders.events import WebhookReceived


@on(WebhookReceived)
async def read_message(event: WebhookReceived) -> None:
    await service.read_message(event.inbox_id)
