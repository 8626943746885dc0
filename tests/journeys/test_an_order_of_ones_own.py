"""Somebody orders by their own link in their own browser: a case, a decision, an objection, and another decision."""

import re
import time

from tests.journeys.steps import books_are_right, buy, join, make_link, press, until

# The redirect notes every five seconds which browsers members use.
NOTED_AFTER = 6


def test_buying_by_ones_own_link_waits_for_a_person_who_may_be_wrong(demo, window):
    _base, folder = demo
    member = window()
    join(member, "ownlink")
    code = make_link(member, "product:alder-day-pack-18", "ownlink-day")
    member.goto("/earn")
    time.sleep(NOTED_AFTER)

    # Another window of the same browser, signed out, with another address.
    buyer = window(like=member)
    buyer.goto(f"/r/{code}")
    buyer.wait_for_url(re.compile("/demo-shop/p/"))
    buy(buyer, "not-me@example.org")

    def has_a_case() -> bool:
        member.goto("/earn/checks")
        return member.locator("main a[href^='/earn/checks/']").count() == 1

    until(has_a_case, "the case that the member can read")
    member.locator("main a[href^='/earn/checks/']").first.click()
    member.wait_for_load_state()
    told = member.locator("main").inner_text()
    assert "not-me@" not in told and "browser" not in told.lower(), "why, and not by what it was noticed"

    owner = window("ines")
    case = _case_of(owner, "ownlink")
    assert "browser" in owner.locator("main").inner_text().lower()
    owner.fill("textarea[name=words]", "The order was made in your own browser.")
    press(owner, "Against the rules, take it back")

    member.reload()
    member.fill("textarea[name=words]", "My sister used my laptop. She can write to you.")
    press(member, "Send it")

    # Whoever decided does not decide the objection.
    owner.goto(case)
    assert owner.get_by_role("button", name="They are right, give it back").count() == 0
    other = window("dmitri")
    other.goto(case)
    assert "My sister used my laptop" in other.locator("main").inner_text()
    other.fill("textarea[name=words]", "Your sister wrote to us. It counts.")
    press(other, "They are right, give it back")

    member.reload()
    assert "Your sister wrote to us" in member.locator("main").inner_text()
    member.goto("/earn")
    assert "$6.72" in member.locator("main").inner_text()
    books_are_right(folder)


def _case_of(page, handle: str) -> str:
    """Open the case about somebody; its address."""
    page.goto("/admin/programs/demo/cases")
    page.locator("main a[href*='/cases/']", has_text=handle).first.click()
    page.wait_for_load_state()
    return page.url
