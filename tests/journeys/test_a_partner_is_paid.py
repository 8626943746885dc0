"""From asking to be a partner to the money in the bank, and back: a link, its poster, an order, a batch, a statement,
and a refund after it was paid."""

import io
import re

from PIL import Image

from tests.journeys.steps import books_are_right, buy, holds_end, make_link, press, until

STORE = "/admin/programs/demo"


def test_a_partner_is_paid_and_a_later_refund_is_owed(demo, window):
    _base, folder = demo
    partner, owner = window("jonas"), window("ines")
    _becomes_a_partner(partner, owner)
    _holds_last_no_longer_than_the_parcel(owner)

    code = make_link(partner, "product:fen-boot-mid", "jonas-ridge")
    partner.goto(f"/share/{code}/kit")
    poster = partner.locator("a.button[download]").first.get_attribute("href")
    picture = partner.request.get(poster)
    assert picture.ok and Image.open(io.BytesIO(picture.body())).width >= 600

    buyer = window()
    buyer.goto(f"/r/{code}")
    buyer.wait_for_url(re.compile("/demo-shop/p/"))
    buy(buyer, "walker@example.org")
    order = buyer.url
    # 164.00, of which 9.5 % were agreed with Jonas.
    until(lambda: "$15.58" in _told(partner, "/earn"), "the commission on the partner's page")
    press(buyer, "Deliver")
    until(lambda: holds_end(folder) > 0, "the end of the hold")
    until(lambda: "$15.58" in _told(partner, "/earn/payouts"), "what can be taken")

    _the_batch_that_waited_is_sent(owner, window)
    batch = _a_batch_for_the_partner(owner, window)
    owner.goto(batch)
    row = owner.locator("tr", has_text="jonas")
    row.locator("summary").first.click()
    row.locator("input[name=reference]").fill("NF-2026-11")
    row.get_by_role("button", name="Arrived", exact=True).click()
    owner.wait_for_load_state()
    partner.goto("/earn/statements")
    partner.locator("main a[href^='/earn/statements/']").first.click()
    partner.wait_for_load_state()
    assert re.search(r"15\.58", partner.locator("main").inner_text())

    # Part of it goes back after it was paid: a debt, said as one.
    buyer.goto(order)
    buyer.locator("form[action$='/refunds'] input[name=amount]").first.fill("18.00")
    press(buyer, "Refund")
    until(lambda: "$1.71" in _told(partner, "/earn"), "9.5 % of what went back, owed")
    owner.goto(f"{STORE}/debts")
    assert "jonas" in owner.locator("main").inner_text()
    books_are_right(folder)


def _becomes_a_partner(partner, owner) -> None:
    partner.goto("/earn/partners/demo")
    partner.locator("main form input[type=url]").first.fill("https://boots.example/jonas")
    press(partner, "Apply")
    owner.goto(f"{STORE}/partners/applications")
    asked = owner.locator("article, section, form", has=owner.locator("form[action$='/applications/jonas']")).last
    assert "boots.example" in owner.locator("main").inner_text()
    asked.locator("form[action$='/applications/jonas'] button[value=approved]").click()
    owner.wait_for_load_state()
    partner.goto("/earn/partners/demo")
    assert partner.locator("form[action='/earn/partners/demo/messages']").count() == 1


def _holds_last_no_longer_than_the_parcel(owner) -> None:
    """New rules, looked at before they are put in force: what is delivered is earned."""
    owner.goto(f"{STORE}/rules")
    owner.select_option("[name=release]", "delivered")
    owner.fill("[name=release_days]", "0")
    press(owner, "See what would change")
    press(owner, "Put in force")
    assert "is in force" in owner.locator("body").inner_text()


def _the_batch_that_waited_is_sent(owner, window) -> None:
    second = window("wenjing")
    second.goto(f"{STORE}/payouts")
    second.locator("main a[href*='/payouts/']", has_text=re.compile("2")).first.click()
    second.wait_for_load_state()
    second.fill("[name=password]", "grapevine-demo")
    press(second, "Approve exactly this list")
    _send(owner, second.url)


def _a_batch_for_the_partner(owner, window) -> str:
    """Gathered by the owner, approved by two others, sent; its address."""
    owner.goto(f"{STORE}/payouts/new?currency=USD&minimum=5.00")
    assert "jonas" in owner.locator("main").inner_text()
    press(owner, "Gather this batch")
    owner.goto(f"{STORE}/payouts")
    owner.locator("main a[href*='/payouts/']", has_text=re.compile("3")).first.click()
    owner.wait_for_load_state()
    batch = owner.url
    until(lambda: "Approvals" in _told(owner, batch), "the batch to be put together")
    assert owner.get_by_role("button", name="Approve exactly this list").count() == 0, "who asked does not approve"
    for handle in ("dmitri", "wenjing"):
        admin = window(handle)
        admin.goto(batch)
        admin.fill("[name=password]", "grapevine-demo")
        press(admin, "Approve exactly this list")
    _send(owner, batch)
    until(lambda: owner.locator("tr", has_text="jonas").locator("summary").count() > 0 or not owner.reload(), "sending")
    return batch


def _send(owner, batch: str) -> None:
    owner.goto(batch)
    owner.locator("summary", has_text="Send it").first.click()
    press(owner, "Send it now")


def _told(page, path: str) -> str:
    page.goto(path)
    return page.locator("main").inner_text()
