"""Where an order is explained to those who had a part in it, and where they say that it should be otherwise."""

from urllib.parse import quote


def why_address(order_ref: str, store_slug: str) -> str:
    return _address(order_ref, store_slug, "why")


def objection_address(order_ref: str, store_slug: str) -> str:
    return _address(order_ref, store_slug, "objection")


def _address(order_ref: str, store_slug: str, what: str) -> str:
    """Stores number their orders alike, so the number alone may mean several."""
    return f"/earn/orders/{quote(order_ref, safe='')}/{what}?store={quote(store_slug, safe='')}"
