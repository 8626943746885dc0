"""Where an order is explained to those who had a part in it."""

from urllib.parse import quote


def why_address(order_ref: str, store_slug: str) -> str:
    """Stores number their orders alike, so the number alone may mean several."""
    return f"/earn/orders/{quote(order_ref, safe='')}/why?store={quote(store_slug, safe='')}"
