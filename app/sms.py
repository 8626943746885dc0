"""Short messages to phones, through the gateway that the operator names. Sent from jobs, never while somebody waits.

Each message costs money and some numbers earn by it, so nothing goes out before both a gateway and the beginnings of
the numbers it may write to are set.
"""

import base64
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit

import msgspec

from app import signed
from app.http import Answer, CannotFetch, fetch
from app.settings import settings

TWILIO = "https://api.twilio.com/2010-04-01"
GOOD_FOR_SECONDS = 600
MOST_SAID = 10_000


SURELY_NOT_SENT = {"no_such_host", "not_http", "not_public", "http_429"}
"""Why no gateway has a message. After any other end of a line it may have gone out."""

# Somebody typed a number that gets no messages (21211, 21614), or does not want any of ours (21610).
ABOUT_THE_NUMBER = {"http_400", "twilio_21211", "twilio_21614", "twilio_21610"}


class NotSent(Exception):
    """It did not go out, or nobody knows (`perhaps`). `why` is a stable word or the gateway's number; `again`: it may
    be tried."""

    def __init__(self, why: str, *, again: bool, perhaps: bool = False) -> None:
        self.why, self.again, self.perhaps = why, again, perhaps
        super().__init__(why)


def is_set_up() -> bool:
    return bool(settings().sms_url and settings().sms_countries)


def may_reach(digits: str) -> bool:
    """Whether numbers that begin so are written to; the longest beginning that fits decides."""
    fits = [one for one in settings().sms_countries.split() if digits.startswith(one[1:])]
    return bool(fits) and max(fits, key=len).startswith("+")


def may_repeat() -> bool:
    """Whether a message that perhaps went out may be sent once more: its id tells the gateway that it is the same."""
    return not settings().sms_url.startswith("twilio:")


async def send(message_id: str, digits: str, text: str) -> None:
    """One message, or NotSent."""
    by = _GATEWAYS.get(urlsplit(settings().sms_url).scheme)
    if by is None or not may_reach(digits):
        raise NotSent("not_set_up", again=False)
    await by(message_id, f"+{digits}", text)


async def _by_webhook(message_id: str, to: str, text: str) -> None:
    """Any gateway behind an address of the operator's: `{to, text}`, signed by Standard Webhooks, the same id again."""
    body = msgspec.json.encode({"to": to, "text": text})
    headers = signed.headers_of([settings().sms_secret], message_id, body)
    try:
        # The operator's own address may lie in the operator's own network.
        answer = await fetch("POST", settings().sms_url, content=body, headers=headers, allow_local=True, cut=True,
                             most_bytes=MOST_SAID)  # fmt: skip
    except CannotFetch as nothing:
        raise NotSent(nothing.why, again=True, perhaps=nothing.why not in SURELY_NOT_SENT) from nothing
    _expect_taken(answer, f"http_{answer.status}")


async def _by_twilio(message_id: str, to: str, text: str) -> None:
    """Twilio's Messages resource. It knows no key by which a message that was sent already is not sent again."""
    user, _at, account = urlsplit(settings().sms_url).netloc.rpartition("@")
    sender = settings().sms_from
    fields = {
        "To": to,
        "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
        "Body": text,
        # What waits in a queue for longer is of no use to anybody.
        "ValidityPeriod": str(GOOD_FOR_SECONDS),
    }
    key = base64.b64encode(f"{user or account}:{settings().sms_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = await fetch("POST", f"{TWILIO}/Accounts/{account}/Messages.json", content=urlencode(fields).encode(),
                             headers=headers, cut=True, most_bytes=MOST_SAID)  # fmt: skip
    except CannotFetch as nothing:
        # Only what never reached them is sure not to have gone out.
        raise NotSent(
            nothing.why, again=nothing.why == "no_such_host", perhaps=nothing.why not in SURELY_NOT_SENT
        ) from nothing
    _expect_taken(answer, _error_of(answer))


def _expect_taken(answer: Answer, why: str) -> None:
    if not 200 <= answer.status < 300:
        # 429 was refused before anything happened; what broke on their side may have happened, but says its id.
        broke = answer.status >= 500
        raise NotSent(why, again=answer.status == 429 or (broke and may_repeat()), perhaps=broke)


def _error_of(answer: Answer) -> str:
    """Twilio's own number (21211 is no phone number, 21408 a region that is not switched on), or the status."""
    try:
        code = msgspec.json.decode(answer.body).get("code")
    except (msgspec.DecodeError, AttributeError):
        code = None
    return f"twilio_{code}" if isinstance(code, int) else f"http_{answer.status}"


_GATEWAYS: dict[str, Callable[[str, str, str], Awaitable[None]]] = {
    "https": _by_webhook,
    "http": _by_webhook,
    "twilio": _by_twilio,
}
