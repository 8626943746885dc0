"""A group's webhooks, as pages and as JSON."""

from community.bots.jobs import SOURCE
from community.webhooks.api import webhook_api
from community.webhooks.pages import webhook_pages

GroupWebhookPages = webhook_pages(
    "/g/{slug:str}", SOURCE, "community/bots/webhooks.html", "community/bots/webhook.html"
)
GroupWebhookApi = webhook_api("/groups/{slug:str}", SOURCE)
