"""A store's webhooks, as pages and as JSON."""

from community.webhooks.api import webhook_api
from community.webhooks.pages import webhook_pages
from referrals.webhooks.jobs import SOURCE

StoreWebhookPages = webhook_pages(
    "/admin/programs/{slug:str}", SOURCE, "referrals/webhooks/index.html", "referrals/webhooks/show.html"
)
StoreWebhookApi = webhook_api("/stores/{slug:str}", SOURCE)
