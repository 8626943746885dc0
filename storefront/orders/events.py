from app.events import Event


class WebhookReceived(Event):
    """A store's signed message lies in the inbox, waiting to be read."""

    inbox_id: int


class OrderFactsChanged(Event):
    """Something that is known of an order is different now, whatever it was. Fold all its facts again."""

    order_id: int


class OrderPaid(Event):
    order_id: int


class OrderDelivered(Event):
    order_id: int


class OrderCancelled(Event):
    order_id: int


class OrderRefunded(Event):
    """A refund stands beside its order, whichever of the two came first."""

    order_id: int
    refund_id: int


class CustomerSeen(Event):
    """A store's customer turned out to be a member (or somebody else than before)."""

    customer_id: int
    member_id: int
