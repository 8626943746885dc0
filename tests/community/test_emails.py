import asyncio
import re
from datetime import timedelta

import pytest

from app import clock, db, mail
from community.members.emails import address_of_proof
from storefront.orders.queries import purchases_of
from tests.content.people import buy, say
from tests.factories import PASSWORD, Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, click, standing, tell
from tests.storefront.shop import a_product, a_shop, order

pytestmark = pytest.mark.anyio


async def test_whoever_types_the_buyers_address_is_not_the_buyer(web: Browser):
    """Before or after the purchase: neither the old orders nor the next ones become a stranger's."""
    shop = await a_shop()
    slug = await a_product(shop)
    early = await a_member("early", email_is_proven=False)
    await buy(web, shop, early, order_id="1")
    await buy(web, shop, await a_member("late", email_is_proven=False), order_id="2")
    review = await say(early, slug)
    assert await db.fetch_val("SELECT evidence FROM review WHERE id = $1", review) == "none"
    assert await db.fetch_val("SELECT count(*) FROM customer WHERE member_id IS NOT NULL") == 0


async def test_a_proven_address_brings_its_purchases_along(web: Browser):
    shop = await a_shop()
    slug = await a_product(shop)
    bob = await a_member("bob", email_is_proven=False)
    await buy(web, shop, bob)
    review = await say(bob, slug)
    browser = await sign_in(web(), bob)
    shown = await browser.get("/settings/email")
    link = re.search(r'href="(/settings/email/[0-9a-f.]+)"', shown.text)[1]
    assert (await browser.get(link)).status_code == 200
    assert await db.fetch_val("SELECT email_proven_at FROM member WHERE id = $1", bob.id) is None
    assert (await submit(browser, link, {}, page=link)).status_code == 303
    await run_jobs()
    assert await db.fetch_val("SELECT evidence FROM review WHERE id = $1", review) == "bought"
    assert (await submit(browser, link, {}, page="/settings/")).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'EmailProven'") == 1


async def test_a_link_is_worth_nothing_to_another_account_changed_or_late(web: Browser):
    bob, eve = await a_member("bob", email_is_proven=False), await a_member("eve", email_is_proven=False)
    link = address_of_proof(bob.id, "bob@example.org")
    browser = await sign_in(web(), eve)
    for wrong in (link, link[:-1] + "0", "/settings/email/x", "/settings/email/9.", "/settings/email/²." + "0" * 64):
        assert (await submit(browser, wrong, {}, page="/settings/")).status_code == 422
    assert (await web().get(link)).status_code == 303
    clock.travel(timedelta(hours=49))
    assert (await submit(await sign_in(web(), bob), link, {}, page="/settings/")).status_code == 410
    assert await db.fetch_val("SELECT count(*) FROM member WHERE email_proven_at IS NOT NULL") == 0


async def test_nobody_earns_for_good_by_joining_under_a_buyers_address(web: Browser):
    """Mallory brings an account of her own under Bob's address; what Bob buys later is not hers."""
    mallory, shop = await a_member("mallory"), await a_paying_shop()
    phone = web()
    await click(phone, (await a_link(web, mallory))["code"])
    await submit(phone, "/join", {"handle": "puppet", "email": "bob@example.org", "password": PASSWORD})
    await run_jobs()
    await tell(web, shop, "order.paid", order())
    assert await standing(mallory) == {}


@pytest.mark.parametrize("way", ["MARA+deal@Example.org", " mara+1+2@example.org"])
async def test_another_way_of_writing_ones_address_does_not_hide_who_bought(web: Browser, way: str):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv, customer={"id": "c9", "email": way}))
    assert await standing(mara) == {}
    product_id = await db.fetch_val("SELECT id FROM product")
    assert await purchases_of(mara.id, product_id) == []


def test_one_mailbox_has_one_fingerprint():
    from storefront.orders.fingerprints import mailbox_fingerprint

    assert mailbox_fingerprint("An.n.B+x@GoogleMail.com") == mailbox_fingerprint("annb@gmail.com")
    assert mailbox_fingerprint("an.n@example.org") != mailbox_fingerprint("ann@example.org")
    assert mailbox_fingerprint("") == mailbox_fingerprint("   ") == ""
    assert mailbox_fingerprint("+@a.example") != mailbox_fingerprint("+b@a.example")


async def test_the_link_is_mailed_once_asked_for(web: Browser, monkeypatch: pytest.MonkeyPatch):
    sent = []

    async def note(to: str, subject: str, text: str) -> None:
        sent.append((to, text))

    monkeypatch.setattr(mail, "is_set_up", lambda: True)
    monkeypatch.setattr(mail, "send", note)
    bob = await a_member("bob", email_is_proven=False)
    await run_jobs()
    browser = await sign_in(web(), bob)
    for _ in range(5):
        assert (await submit(browser, "/settings/email/proof", {}, page="/settings/email")).status_code == 303
    assert (await submit(browser, "/settings/email/proof", {}, page="/settings/email")).status_code == 429
    await run_jobs()
    assert len(sent) == 6 and sent[0][0] == "bob@example.org"
    link = re.search(r"http://test\.example(/settings/email/\S+)", sent[-1][1])[1]
    assert (await submit(browser, link, {}, page=link)).status_code == 303
    assert await db.fetch_val("SELECT email_proven_at FROM member WHERE id = $1", bob.id) is not None


async def test_a_mail_goes_out_over_smtp(monkeypatch: pytest.MonkeyPatch):
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        while line := await reader.readline():
            heard.append(line)
            if in_data and line != b".\r\n":
                continue
            in_data = line.upper().startswith(b"DATA")
            is_over = line.upper().startswith(b"QUIT")
            writer.write(b"354 go on\r\n" if in_data else b"221 bye\r\n" if is_over else b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(mail, "settings", lambda: _Settings(f"smtp://127.0.0.1:{port}"))
    await mail.send("bob@example.org", "Is this your address?", "https://community.example/settings/email/1.a")
    server.close()
    told = b"".join(heard).replace(b"rcpt TO", b"RCPT TO")
    assert b"RCPT TO:<bob@example.org>" in told and b"/settings/email/1.a" in told


class _Settings:
    base_url = "https://community.example"

    def __init__(self, smtp_url: str) -> None:
        self.smtp_url = smtp_url
