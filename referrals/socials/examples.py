"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from referrals.socials.schemas import AccountList, AccountView, NewAccount

_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
new = NewAccount("https://bsky.app/profile/mara.example")
asked = AccountView("5", "bluesky", "account", "mara.example", "gv-7k3mx9qa2f", "asked", "", "", "", _AT, None, None)
looking = AccountView(
    "5", "bluesky", "account", "mara.example", "gv-7k3mx9qa2f", "looking", "", "", "", _AT, None, None
)
proven = AccountView(
    "5", "bluesky", "account", "mara.example", "", "proven", "", "Mara", "https://bsky.app/profile/did:plc:7iza6de2dwap",
    _AT, _AT, _AT,
)  # fmt: skip
accounts = AccountList([proven], ["bilibili", "mastodon", "bluesky"])
