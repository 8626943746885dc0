"""What the JSON doors take and give, as the OpenAPI document shows it."""

from referrals.clicks.schemas import ClickMade, DirectClick, Stay

direct_click = DirectClick(
    "ada-here", "https://shop.example/p/grinder-38?ref=ada-here", "https://forum.example/t/12", "granted"
)
click_made = ClickMade("0197a3c25f407c1d8e9a4b6d2f10c3e8")
stay = Stay("0197a3c25f407c1d8e9a4b6d2f10c3e8", 42)
