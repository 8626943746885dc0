from app.events import Event


class ProductListed(Event):
    product_id: int


class ProductChanged(Event):
    product_id: int


class ProductWithdrawn(Event):
    """The store no longer sells it; its reviews stay."""

    product_id: int
