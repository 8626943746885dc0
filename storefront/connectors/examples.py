"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from storefront.connectors.generic.shapes import Envelope
from storefront.connectors.schemas import (
    Asked,
    Find,
    Finds,
    HeldOrder,
    HeldOrders,
    KeptMessage,
    KeptMessages,
    NewClearance,
    NewReplay,
    Pull,
    Pulls,
    Received,
    Refused,
    RefusedList,
    Replayed,
)

order_paid = Envelope(
    type="order.paid",
    timestamp=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
    data={
        "id": "1001",
        "number": "#1001",
        "currency": "USD",
        "placed_at": "2026-03-14T09:26:40Z",
        "paid_at": "2026-03-14T09:26:52Z",
        "customer": {"id": "c17", "email": "bob@example.org", "name": "Bob"},
        "gv": "7f0c1c9ad5a94b6c8b7d1f3e2a4b5c6d",
        "codes": [],
        "lines": [
            {
                "id": "l1",
                "product_id": "GR-38",
                "title": "Hand grinder 38 mm",
                "quantity": 1,
                "gross": 8900,
                "discount": 0,
                "tax": 712,
            }
        ],
        "shipping": 490,
        "updated_at": "2026-03-14T09:26:52Z",
    },
)
received = Received(True)
# Standard Webhooks.
headers = {
    "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "webhook-timestamp": "1773480413",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}

held_order = HeldOrder(
    ref="1001",
    number="#1001",
    doubt="the total is USD 130.00, but its parts add up to USD 125.00",
    placed_at=datetime(2026, 3, 14, 9, 26, 40, tzinfo=UTC),
)
held_orders = HeldOrders(items=[held_order])
clearance = NewClearance(note="They bought a gift card with it.")
cleared = HeldOrder(ref="1001", number="#1001", doubt="", placed_at=datetime(2026, 3, 14, 9, 26, 40, tzinfo=UTC))
kept_messages = KeptMessages(
    items=[
        KeptMessage(
            id="7",
            event_id="msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            topic="order.paid",
            state="flagged",
            note="a line's discount is larger than its price",
            received_at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
        )
    ]
)
refused = RefusedList(
    items=[
        Refused(
            kind="signature",
            many=12,
            reason="wrong",
            first_at=datetime(2026, 3, 14, 8, 0, 12, tzinfo=UTC),
            last_at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
        )
    ]
)
replay = NewReplay(since=datetime(2026, 3, 14, tzinfo=UTC))
replayed = Replayed(queued=1)

_night = datetime(2026, 3, 14, 3, 17, tzinfo=UTC)
pulls = Pulls(
    items=[
        Pull(
            id="12",
            since=datetime(2026, 3, 11, 3, 17, tzinfo=UTC),
            started_at=_night,
            ended_at=datetime(2026, 3, 14, 3, 17, 4, tzinfo=UTC),
            seen=41,
            missed=1,
            stale=0,
            extra=0,
            error="",
        )
    ]
)
asked = Asked(asked=True)
finds = Finds(items=[Find(ref="1001", number="#1001", kind="missing", found_at=_night)])
