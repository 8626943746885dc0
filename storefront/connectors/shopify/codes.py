"""Codes of ours in a discount the merchant made in Shopify: its rules stay theirs, we only add and list names."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer
from storefront.connectors.schemas import Offer
from storefront.connectors.shopify.pull import VERSION

AT_ONCE = 100
LOOKS = 20
MOST_PAGES = 1000
_ADD = """mutation ($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) { bulkCreation { id } userErrors { message } } }"""
_LOOK = """query ($id: ID!) { discountRedeemCodeBulkCreation(id: $id) {
  done codes(first: 100) { nodes { code errors { message } } } } }"""

_CODES = "codes(first: 100, after: $after) { nodes { code } pageInfo { hasNextPage endCursor } }"
_LIST = f"""query ($id: ID!, $after: String) {{ codeDiscountNode(id: $id) {{ codeDiscount {{
  ... on DiscountCodeBasic {{ {_CODES} }} ... on DiscountCodeBxgy {{ {_CODES} }}
  ... on DiscountCodeFreeShipping {{ {_CODES} }} }} }} }}"""


class Said(msgspec.Struct):
    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None


async def push_codes(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    """Each code with what stood in its way; empty when the shop takes it from now on, also when it did before."""
    answers: dict[str, str] = {}
    for start in range(0, len(codes), AT_ONCE):
        answers |= await _push_some(access, offer, codes[start : start + AT_ONCE])
    return answers


async def pull_codes(access: Access, offer: Offer) -> list[str]:
    """Every code of the discount, as Shopify writes it."""
    codes: list[str] = []
    after: str | None = None
    for _page in range(MOST_PAGES):
        node = (await _query(access, _LIST, {"id": offer.discount_id, "after": after}))["codeDiscountNode"]
        if not node or "codes" not in node["codeDiscount"]:
            raise Refused("there is no such discount with codes")
        page = node["codeDiscount"]["codes"]
        codes += [one["code"] for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return codes
        after = page["pageInfo"]["endCursor"]
    raise Refused("the list does not end")


async def _push_some(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    asked = {"id": offer.discount_id, "codes": [{"code": code} for code in codes]}
    added = (await _query(access, _ADD, asked))["discountRedeemCodeBulkAdd"]
    if added["userErrors"]:
        raise Refused("; ".join(error["message"] for error in added["userErrors"])[:300])
    for _look in range(LOOKS):
        creation = (await _query(access, _LOOK, {"id": added["bulkCreation"]["id"]}))["discountRedeemCodeBulkCreation"]
        if creation["done"]:
            return {node["code"]: _reason(node) for node in creation["codes"]["nodes"]}
        await asyncio.sleep(0.5)
    raise Refused("the shop is still at it; ask again later")


def _reason(node: dict[str, Any]) -> str:
    messages = [error["message"] for error in node["errors"]]
    # Pushing twice is how a lost answer is made up for.
    return "; ".join(message for message in messages if "already" not in message.lower() and "taken" not in message)


async def _query(access: Access, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    body = msgspec.json.encode({"query": query, "variables": variables})
    headers = {"x-shopify-access-token": access.keys, "content-type": "application/json"}
    said = read_answer(await ask("POST", f"{access.url}/admin/api/{VERSION}/graphql.json", headers, body), Said)
    if said.errors or said.data is None:
        raise Refused("; ".join(str(error.get("message")) for error in said.errors or [])[:300] or "no data")
    return said.data
