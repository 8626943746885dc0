"""The webhooks of rooms, as pages and as JSON: a group's, and those of a product or a live event."""

from community.bots.jobs import SOURCE, SOURCE_OF_ROOMS
from community.webhooks.api import webhook_api
from community.webhooks.pages import webhook_pages

GroupWebhookPages = webhook_pages(
    "/g/{slug:str}", SOURCE, "community/bots/webhooks.html", "community/bots/webhook.html"
)
GroupWebhookApi = webhook_api("/groups/{slug:str}", SOURCE)
RoomWebhookPages = webhook_pages(
    "/chat/{room_id:int}", SOURCE_OF_ROOMS, "community/bots/webhooks.html", "community/bots/webhook.html"
)
RoomWebhookApi = webhook_api("/rooms/{room_id:int}", SOURCE_OF_ROOMS)
