"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from referrals.codes.schemas import CodeList, CodeView, Entered, InShop, MyCode, MyCodes, NewCode, ShopSetting

new_code = NewCode("SPRING-26", "ada-o", limit_total=500, limit_per_buyer=1, valid_until="2030-04-01")
code = CodeView(
    id="12",
    code="SPRING-26",
    kind="campaign",
    owner="ada-o",
    state="live",
    leak_state="ok",
    used=31,
    limit_total=500,
    limit_per_buyer=1,
    valid_from=None,
    valid_until="2030-04-01T00:00:00+00:00",
    replaces="",
    created_at="2026-03-14T09:26:53+00:00",
)
codes = CodeList([code], None)
my_codes = MyCodes([MyCode("ADA-7KQ2M", "north", "North", "live", 3, "I may earn from this code.")])
entered = Entered("FRIEND-OF-BOB")
shop_setting = ShopSetting(percent_bps=1000)
in_shop = InShop(True, True, True, 1000, "", False, 120, 118, 2, 1, 4, datetime(2026, 3, 14, 2, 23, tzinfo=UTC), "")
