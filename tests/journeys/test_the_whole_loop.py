"""Two minutes in the demo, clicked through: a review, its author's link, joining, chat, an order, her earnings.

The demo is started as a person would start it; the browser is a real one, with a window for each of two people.
"""

import json
import re

from tests.journeys.steps import python, until

HERO = "/p/alder-trail-pack-28"


def test_from_a_review_to_a_commission(demo, window):
    _base, folder = demo
    author, reader = window("linwei"), window()
    author.goto("/earn")
    before = _on_hold(author)

    # A stranger reads the review; that its author earns, and where, stands beside her words.
    reader.goto(HERO)
    review = reader.locator("article.post", has=reader.locator("a[href='/r/linwei-pack']"))
    assert review.get_by_text("Earns from their link").is_visible()
    assert review.get_by_text(re.compile("^Bought")).is_visible()
    review.locator("a[href='/r/linwei-pack']").click()
    reader.wait_for_url(re.compile(r"/demo-shop/p/.*[?&]gv="))
    assert reader.locator("gv-rating").evaluate("element => !!element.shadowRoot")

    # She joins, and talks with the author in the group's room.
    reader.goto("/join?next=/g/weekend-hikers")
    reader.fill("[name=handle]", "newcomer")
    reader.fill("[name=email]", "newcomer@example.org")
    reader.fill("[name=password]", "a few good words")
    reader.press("[name=password]", "Enter")
    reader.wait_for_url("**/g/weekend-hikers")
    reader.locator("form[action='/g/weekend-hikers/membership'] button").first.click()
    reader.wait_for_load_state()
    room = reader.locator("main a[href^='/chat/'], aside a[href^='/chat/']").first.get_attribute("href")
    reader.goto(room)
    reader.wait_for_selector(".live.on")
    listening = author.context.new_page()
    listening.goto(room)
    listening.wait_for_selector(".live.on")
    reader.fill("textarea[name=body]", "Does the zip hold in sand?")
    reader.press("textarea[name=body]", "Enter")
    listening.locator(".message .bubble", has_text="Does the zip hold in sand?").wait_for()
    listening.fill("textarea[name=body]", "Keep it closed while you sit on the beach.")
    listening.press("textarea[name=body]", "Enter")
    reader.locator(".message .bubble", has_text="Keep it closed").wait_for()
    reader.reload()
    reader.wait_for_selector(".live.on")
    assert reader.locator(".message .bubble", has_text="Does the zip hold in sand?").count() == 1

    # She buys what the link was about: 129.00 less nothing, of which 8 % are the author's.
    reader.goto("/r/linwei-pack")
    reader.wait_for_url(re.compile("/demo-shop/p/"))
    reader.locator("form.buy button").click()
    reader.wait_for_url(re.compile("/cart"))
    reader.fill("#email", "newcomer@example.org")
    reader.locator("form.pay button").click()
    reader.wait_for_url(re.compile("/orders/"))
    assert reader.locator(".messages .answer").first.inner_text() == "202"
    earned = 1032
    until(lambda: _on_hold(author) == before + earned, "the order on the author's page, which nobody reloaded")

    # The same message again changes nothing; a partial refund takes back exactly its part.
    reader.locator(".messages form button").first.click()
    reader.wait_for_load_state()
    assert reader.locator(".messages .answer").nth(1).inner_text() == "200"
    reader.locator("form[action$='/refunds'] input[name=amount]").first.fill("29.00")
    reader.locator("form[action$='/refunds'] button").first.click()
    reader.wait_for_load_state()
    until(lambda: _on_hold(author) == before + 800, "8 % of what is left, 100.00")

    # She can see why, line by line; the buyer's name is not in it.
    author.locator("a[href^='/earn/orders/']").first.click()
    author.wait_for_load_state()
    told = author.locator("main").inner_text()
    assert "Why you earned" in told and "$8.00" in told and "newcomer" not in told

    verified = python(folder, "-m", "app", "ledger", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["ok"] and json.loads(verified.stdout)["entries"] > 0


def test_reading_searching_and_posting_need_no_javascript(demo, window):
    page = window("mara", java_script_enabled=False)
    page.goto("/g/weekend-hikers")
    page.locator("article.item a.title").first.click()
    page.fill("textarea[name=body]", "Posted with scripts turned off.")
    page.locator("form:has(textarea[name=body]) button:has-text('Reply')").last.click()
    page.wait_for_load_state()
    assert "Posted with scripts turned off." in page.locator("main").inner_text()
    page.goto("/search?q=limestone")
    assert page.locator("main a[href*='/t/']").count() > 0
    page.goto("/guides/")
    assert page.locator("main a[href^='/guides/']").count() > 5


def test_a_report_reaches_the_public_log(demo, window):
    page = window("mara")
    page.goto(HERO)
    page.locator("a[href^='/report?subject=review:']").first.click()
    page.wait_for_url(re.compile("/report"))
    page.locator("input[type=radio]").first.check()
    page.locator("main form button").last.click()
    page.wait_for_load_state()
    moderator = window("jonas")
    moderator.goto("/moderation/")
    assert moderator.locator("main a[href^='/moderation/'], main form").count() > 0
    assert "Nothing waits" not in moderator.locator("main").inner_text()


def _on_hold(page) -> int:
    """US cents on hold as the page shows them now."""
    figures = page.locator("earn-live .figures").all_inner_texts()
    (dollars,) = [text for text in figures if "USD" in text]
    return round(float(re.search(r"On hold\s*\$([\d,]+\.\d\d)", dollars)[1].replace(",", "")) * 100)
