from app.events import Event


class StoreOpened(Event):
    store_id: int


class SecretChanged(Event):
    """The store signs with another secret from now on."""

    store_id: int


class AccessGiven(Event):
    """We may ask the store itself from now on."""

    store_id: int
