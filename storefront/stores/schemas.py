import msgspec


class NewStore(msgspec.Struct):
    slug: str
    name: str
    provider: str
    currency: str
    origin: str
    secret: str = ""
    """What the shop signs with; made up when empty."""
    keys_at: str = ""
    """An address of the shop's API, where it publishes the keys it signs with instead (Saleor)."""


class OpenedStore(msgspec.Struct):
    """What the operator needs once: where to send webhooks, what to sign them with, how widgets name the store."""

    slug: str
    webhook_url: str
    secret: str
    publishable_key: str
