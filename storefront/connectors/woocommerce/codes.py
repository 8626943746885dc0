"""Codes of ours as coupons of the shop, a hundred at a time."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from storefront.connectors.ask import Access, Refused, ask, basic, read_answer
from storefront.connectors.schemas import Offer

AT_ONCE = 100
MOST_PAGES = 1000
EXISTS = "woocommerce_rest_coupon_code_already_exists"


class Coupon(msgspec.Struct):
    code: str
    status: str = "publish"


async def push_codes(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    """Each code with what stood in its way; empty when the shop takes it from now on, also when it did before."""
    answers: dict[str, str] = {}
    for start in range(0, len(codes), AT_ONCE):
        some = codes[start : start + AT_ONCE]
        body = msgspec.json.encode({"create": [_coupon(offer, code) for code in some]})
        headers = {"authorization": basic(access.keys), "content-type": "application/json"}
        answer = await ask("POST", f"{access.url}/wp-json/wc/v3/coupons/batch", headers, body)
        made: list[dict[str, Any]] = read_answer(answer, dict[str, Any]).get("create", [])
        if len(made) != len(some):
            raise Refused("the shop did not answer for every code")
        # Answered in the sequence they were asked in; a refused one names no code.
        answers |= {code: _reason(one) for code, one in zip(some, made, strict=True)}
    return answers


async def pull_codes(access: Access, offer: Offer) -> list[str]:
    """Every code the shop takes, in capitals as ours are: it keeps them in small letters."""
    codes: list[str] = []
    for number in range(1, MOST_PAGES + 1):
        url = f"{access.url}/wp-json/wc/v3/coupons?per_page={AT_ONCE}&page={number}&orderby=id&order=asc"
        made = read_answer(await ask("GET", url, {"authorization": basic(access.keys)}), list[Coupon])
        codes += [coupon.code.upper() for coupon in made if coupon.status == "publish"]
        if len(made) < AT_ONCE:
            return codes
    raise Refused("the list does not end")


def _coupon(offer: Offer, code: str) -> dict[str, Any]:
    return {
        "code": code,
        "discount_type": "percent",
        "amount": str(Decimal(offer.percent_bps) / 100),
        "individual_use": offer.is_alone,
        "usage_limit": offer.most_uses,
        "usage_limit_per_user": offer.most_uses_per_buyer,
        "description": offer.note,
    }


def _reason(made: dict[str, Any]) -> str:
    error = made.get("error") or {}
    # Pushing twice is how a lost answer is made up for.
    return "" if not error or error.get("code") == EXISTS else str(error.get("message") or error.get("code"))[:200]
