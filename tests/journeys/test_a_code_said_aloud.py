"""A friend says a code aloud; somebody types it at the shop on a device that never followed any link."""

import re

from tests.journeys.steps import books_are_right, buy, join, until


def test_a_code_typed_on_another_device_credits_whose_it_is(demo, window):
    _base, folder = demo
    sharer, buyer = window(), window()
    join(sharer, "aloud")
    sharer.goto("/earn/codes")
    mine = sharer.locator("article.card", has_text="Northfold")
    code = mine.locator("input, output, code").first.evaluate("element => element.value || element.textContent").strip()
    assert mine.get_by_text("used 0 times").is_visible()

    # Spelled as people spell what they have heard.
    buyer.goto("/demo-shop/p/NF-PACK-18")
    buy(buyer, "somebody-else@example.org", code=f" {code.lower()} ")
    assert "No referral link led here" in buyer.locator("main").inner_text()

    def has_earned() -> bool:
        sharer.goto("/earn")
        return sharer.locator("main a[href^='/earn/orders/']").count() == 1

    until(has_earned, "the order on the page of whose code it was")
    sharer.locator("main a[href^='/earn/orders/']").first.click()
    sharer.wait_for_load_state()
    told = sharer.locator("main").inner_text()
    # 84.00, of which 8 % are theirs.
    assert "Why you earned" in told and "$6.72" in told and re.search("code", told, re.I)
    assert "somebody-else" not in told
    sharer.goto("/earn/codes")
    assert sharer.get_by_text("used 1 time", exact=False).first.is_visible()
    books_are_right(folder)
