"""The lines that docs/WEBHOOKS.md gives to developers do what they say, judged by the official library."""

import re
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from app import signed

DOCS = (Path(__file__).parents[2] / "docs" / "WEBHOOKS.md").read_text(encoding="utf-8")


def lines_of(function: str) -> dict[str, Any]:
    """What the block that defines this function makes."""
    block = next(block for block in re.findall(r"```python\n(.*?)```", DOCS, re.S) if f"def {function}(" in block)
    made: dict[str, Any] = {}
    exec(block, made)
    return made


def test_ten_lines_take_what_we_sign_and_nothing_else():
    is_ours = lines_of("is_ours")["is_ours"]
    secret, other, body = signed.new_secret(), signed.new_secret(), '{"a":"Zoë"}'.encode()
    headers = signed.headers_of([secret], "msg_1", body)
    Webhook(secret).verify(body, headers)
    assert is_ours(secret, headers, body)
    assert is_ours(secret, signed.headers_of([other, secret], "msg_1", body), body), "while a secret changes"
    assert not is_ours(other, headers, body) and not is_ours(secret, headers, body + b" ")
    old = datetime.fromtimestamp(time.time() - 301, UTC)
    late = {**headers, "webhook-timestamp": str(int(old.timestamp()))}
    late["webhook-signature"] = Webhook(secret).sign("msg_1", old, body.decode())
    assert not is_ours(secret, late, body)


def test_what_a_bot_of_the_docs_sends_is_taken(monkeypatch: pytest.MonkeyPatch):
    sent: list[urllib.request.Request] = []
    monkeypatch.setattr(urllib.request, "urlopen", sent.append)
    secret = signed.new_secret()
    lines_of("say")["say"]("https://community.example/hooks/rooms/x", secret, "The roast is **out**")
    headers = {name.lower(): value for name, value in sent[0].headers.items()}
    assert signed.verified_id([secret], headers, sent[0].data) == headers["webhook-id"]


def test_the_docs_name_every_type_that_is_told():
    from community.bots.room_webhooks import TYPES as of_rooms
    from referrals.webhooks.telling import TYPES as of_stores

    for name in of_rooms + of_stores:
        kind, _sign, what = name.partition(".")
        assert f"`{name}`" in DOCS or (f"`.{what}`" in DOCS and f"`{kind}." in DOCS), name
