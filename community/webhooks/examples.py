"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime, timedelta

from community.webhooks.schemas import (
    AttemptView,
    ChangedEndpoint,
    Deliveries,
    DeliveryView,
    EndpointMade,
    Endpoints,
    EndpointView,
    NewEndpoint,
    NewRedelivery,
    NewSecret,
    Queued,
    Secret,
)

_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
new = NewEndpoint("https://hooks.shop.example/grapevine")
changed = ChangedEndpoint("https://hooks.shop.example/grapevine")
endpoint = EndpointView("5", "https://hooks.shop.example/grapevine", [], True, "", 0, None, _AT)
endpoints = Endpoints([endpoint], ["message.created", "member.joined"])
made = EndpointMade(endpoint, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
new_secret = NewSecret(True)
secret = Secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", _AT + timedelta(days=1))
redelivery = NewRedelivery(since=_AT)
queued = Queued(3)
deliveries = Deliveries(
    [
        DeliveryView(
            id="81",
            message_id="room_3_k7m2p9x_34",
            type="message.created",
            state="delivered",
            tries=2,
            occurred_at=_AT,
            next_at=None,
            attempts=[
                AttemptView(_AT + timedelta(seconds=6), 200, "", 31, "ok"),
                AttemptView(_AT + timedelta(seconds=1), 502, "", 12, "Bad gateway"),
            ],
        )
    ]
)
