"""Codes of ours as promotion codes of a coupon the merchant made in Stripe: its rules stay theirs."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer
from storefront.connectors.schemas import Offer

# Later versions name the coupon another way; this one goes on being answered.
VERSION = "2024-06-20"
PAGE = 100
MOST_PAGES = 1000


class Promotion(msgspec.Struct):
    id: str
    code: str


class Page(msgspec.Struct):
    data: list[Promotion]
    has_more: bool = False


class Error(msgspec.Struct):
    message: str = ""


class Said(msgspec.Struct):
    error: Error | None = None


async def push_codes(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    """Each code with what stood in its way; empty when the shop takes it from now on, also when it did before.

    Stripe takes letters and digits only, so MARA-WZW7Y stands there as MARAWZW7Y, which is the same code to us; and it
    limits none for each buyer.
    """
    there = {code.upper() for code in await pull_codes(access, offer)}
    answers = {code: await _push(access, offer, _spelt(code)) for code in codes if _spelt(code) not in there}
    if any(answers.values()):
        # Somebody else may have written one meanwhile, or the answer to an earlier try was lost.
        there |= {code.upper() for code in await pull_codes(access, offer)}
    return {code: "" if _spelt(code) in there else answers[code] for code in codes}


async def pull_codes(access: Access, offer: Offer) -> list[str]:
    """Every code of the coupon that is on."""
    codes: list[str] = []
    after: dict[str, str] = {}
    for _page in range(MOST_PAGES):
        asked = urlencode({"coupon": offer.discount_id, "active": "true", "limit": PAGE, **after})
        page = read_answer(await ask("GET", f"{access.url}/v1/promotion_codes?{asked}", _headers(access)), Page)
        codes += [one.code for one in page.data]
        if not page.has_more or not page.data:
            return codes
        after = {"starting_after": page.data[-1].id}
    raise Refused("the list does not end")


def _spelt(code: str) -> str:
    return code.replace("-", "").upper()


async def _push(access: Access, offer: Offer, code: str) -> str:
    if offer.most_uses_per_buyer:
        return "Stripe limits no code for each buyer"
    asked = {"coupon": offer.discount_id, "code": code}
    if offer.most_uses:
        asked["max_redemptions"] = str(offer.most_uses)
    headers = _headers(access) | {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode(asked).encode()
    answer = await ask("POST", f"{access.url}/v1/promotion_codes", headers, body, takes=(400,))
    said = read_answer(answer, Said)
    return (said.error.message or "refused")[:200] if said.error else ""


def _headers(access: Access) -> dict[str, str]:
    return {"authorization": f"Bearer {access.keys}", "stripe-version": VERSION}
