"""Codes of ours as promotions of Medusa, a percentage off the order."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from storefront.connectors.ask import Access, Refused, ask, basic, read_answer
from storefront.connectors.schemas import Offer

PAGE = 100
MOST_PAGES = 1000


class Promotion(msgspec.Struct):
    code: str | None = None
    status: str = "active"


class Page(msgspec.Struct):
    promotions: list[Promotion]


class Said(msgspec.Struct):
    message: str = ""
    promotion: Promotion | None = None


async def push_codes(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    """Each code with what stood in its way; empty when the shop takes it from now on, also when it did before."""
    there = {code.upper() for code in await pull_codes(access, offer)}
    answers = {code: await _push(access, offer, code) for code in codes if code.upper() not in there}
    if any(answers.values()):
        # Somebody else may have written one meanwhile, or the answer to an earlier try was lost.
        there |= {code.upper() for code in await pull_codes(access, offer)}
    return {code: "" if code.upper() in there else answers[code] for code in codes}


async def pull_codes(access: Access, offer: Offer) -> list[str]:
    """Every code that is on."""
    codes: list[str] = []
    for number in range(MOST_PAGES):
        asked = urlencode({"fields": "id,code,status", "order": "id", "limit": PAGE, "offset": number * PAGE})
        page = read_answer(await ask("GET", f"{access.url}/admin/promotions?{asked}", _headers(access)), Page)
        codes += [one.code for one in page.promotions if one.code and one.status == "active"]
        if len(page.promotions) < PAGE:
            return codes
    raise Refused("the list does not end")


async def _push(access: Access, offer: Offer, code: str) -> str:
    if offer.most_uses_per_buyer:
        return "Medusa limits no code for each buyer"
    promotion: dict[str, Any] = {
        "code": code,
        "type": "standard",
        "status": "active",
        "application_method": {
            "type": "percentage",
            "target_type": "order",
            "allocation": "across",
            "value": offer.percent_bps / 100,
        },
    }
    if offer.most_uses:
        # Older versions of Medusa do not know it, and say so.
        promotion["limit"] = offer.most_uses
    headers = _headers(access) | {"content-type": "application/json"}
    body = msgspec.json.encode(promotion)
    answer = await ask("POST", f"{access.url}/admin/promotions", headers, body, takes=(400, 409, 422))
    said = read_answer(answer, Said)
    return "" if said.promotion else (said.message or "refused")[:200]


def _headers(access: Access) -> dict[str, str]:
    return {"authorization": basic(f"{access.keys}:")}
