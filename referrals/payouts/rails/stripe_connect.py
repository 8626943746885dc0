"""Stripe Connect: a transfer to the member's connected account.

A transfer names our key three times over: as Idempotency-Key, so that Stripe itself makes it once; as `transfer_group`,
by which it can be found again when the answer was lost; and in its metadata, for whoever looks at Stripe's pages.
"""

import re
from urllib.parse import urlencode

import msgspec
import structlog

from app import http
from app.errors import Invalid
from app.i18n import gettext as _
from app.settings import settings
from referrals.payouts.rails.shape import Field, Outcome, PayOrder, Rail

log = structlog.get_logger()

URL = "https://api.stripe.com/v1/transfers"
ACCOUNTS = "https://api.stripe.com/v1/accounts"
STILL_WANTED = ("currently_due", "past_due", "pending_verification", "disabled_reason")
# The shapes this was written against; Stripe keeps answering in them.
VERSION = "2024-06-20"
# Stripe says "try again", or a person there has to look: it is not the transfer that was refused.
ASK_AGAIN = {409, 429}


def checked_account(value: str, field: str) -> str:
    account = value.strip()
    if not re.fullmatch(r"acct_[A-Za-z0-9]{8,40}", account):
        raise Invalid(field, _("A Stripe account looks like acct_1A2b3C4d5E6f7G8h."))
    return account


async def send(order: PayOrder) -> Outcome:
    body = urlencode(
        {
            "amount": order.amount,
            "currency": order.currency.lower(),
            "destination": order.details["account"],
            "transfer_group": order.key,
            "metadata[payout]": order.payout_id,
            "metadata[key]": order.key,
        }
    )
    form = {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": order.key}
    try:
        answer = await http.fetch("POST", URL, content=body.encode(), headers=_headers() | form)
    except http.CannotFetch as error:
        # Also when it never left: only a look-up may say so.
        return Outcome("unknown", said=error.why)
    return _read(answer)


async def look_up(order: PayOrder) -> Outcome:
    """What became of an attempt whose answer we never had."""
    try:
        answer = await http.fetch("GET", f"{URL}?{urlencode({'transfer_group': order.key})}", headers=_headers())
    except http.CannotFetch as error:
        return Outcome("unknown", said=error.why)
    if answer.status != 200:
        return Outcome("unknown", said=f"http_{answer.status}")
    found = _json(answer.body).get("data") or []
    return _transfer(found[0]) if found else Outcome("never_came")


async def is_known(details: dict[str, str]) -> bool | None:
    """Whether Stripe has verified the person behind a connected account, and wants nothing more of them. Of a company
    it says of nobody that they are who they say: there the store's people look."""
    try:
        answer = await http.fetch("GET", f"{ACCOUNTS}/{details['account']}", headers=_headers())
    except http.CannotFetch:
        return None
    told = _json(answer.body)
    code = _part(told, "error").get("code")
    if answer.status == 404 or (answer.status == 403 and code == "account_invalid"):
        return False  # not an account of this platform, or no longer
    if answer.status != 200:
        # 403 without that word is about our key: it says nothing of anybody's account.
        log.warning("stripe said nothing about an account", status=answer.status, code=code)
        return None
    needs = told.get("requirements")
    if not isinstance(needs, dict) or any(needs.get(name) for name in STILL_WANTED):
        return False
    is_verified = _part(_part(told, "individual"), "verification").get("status") == "verified"
    return told.get("payouts_enabled") is True and is_verified


def is_ready() -> bool:
    return bool(settings().stripe_key)


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings().stripe_key}", "Stripe-Version": VERSION}


def _read(answer: http.Answer) -> Outcome:
    told = _json(answer.body)
    if answer.status == 200 and told.get("id"):
        return _transfer(told)
    error = told.get("error") or {}
    said = str(error.get("code") or error.get("type") or f"http_{answer.status}")[:100]
    if answer.status in ASK_AGAIN or answer.status >= 500 or not error:
        return Outcome("unknown", said=said)
    return Outcome("failed", said=said)


def _transfer(told: dict) -> Outcome:
    # A transfer moves between balances at once; from there to the member's bank is between them and Stripe.
    if told.get("reversed"):
        return Outcome("failed", str(told["id"])[:100], "reversed")
    return Outcome("settled", str(told["id"])[:100])


def _part(told: dict, name: str) -> dict:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _json(body: bytes) -> dict:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}


RAIL = Rail("stripe", (Field("account", 60, check=checked_account),), "account", send, look_up, is_ready, is_known)
