"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.attribution.overrides import NewOverride
from referrals.attribution.schemas import (
    ConversionView,
    DeferredLink,
    Device,
    NewConversion,
    NewInvite,
    NewPhoneInvite,
    OverrideList,
    OverrideView,
    ReadyMessage,
)

new_conversion = NewConversion(
    store="north",
    id="trial-5531",
    kind="trial_started",
    customer_id="c1",
    quantity=1,
    value=Money(900, "USD"),
    fields={"plan": "pro", "seats": 3},
)
conversion = ConversionView(
    "trial-5531", "north", "trial_started", False, "2026-03-14T09:26:53+00:00", {"plan": "pro", "seats": 3}
)
device = Device(browser="Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36")
deferred = DeferredLink(True, "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "https://shop.example/p/grinder-38", 80)
new_override = NewOverride("1002", "bob-o", "They met at our stand; the customer wrote to us.")
override = OverrideView(
    id="3",
    order="1002",
    winner="bob-o",
    reason="They met at our stand; the customer wrote to us.",
    state="proposed",
    proposed_by="ada-o",
    decided_by=None,
    needs_second=True,
    at_stake=Money(12_000, "USD"),
    proposed_at="2026-03-14T09:26:53+00:00",
)
invite = NewInvite("friend@example.org")
overrides = OverrideList([override], None)

phone_invite = NewPhoneInvite("+49 171 1234567")
_TOLD = "https://community.example/told/kT3vX0mQ2rY8"
ready = ReadyMessage(
    _TOLD,
    f"I thought you might like this: {_TOLD} I may earn from this link.",
    "https://wa.me/491711234567?text=I%20thought%20you%20might%20like%20this",
    "sms:+491711234567?&body=I%20thought%20you%20might%20like%20this",
)
