"""Codes of ours in a voucher the merchant made in Saleor: its rules stay theirs, we only add and list names."""

from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from storefront.connectors.ask import Access, Refused
from storefront.connectors.saleor.pull import MOST_PAGES, PageInfo, query
from storefront.connectors.schemas import Offer

PAGE = 100
AT_ONCE = 50
_ADD = """mutation ($id: ID!, $codes: [String!]!) {
  voucherUpdate(id: $id, input: {addCodes: $codes}) { errors { field code message } } }"""
_LIST = """query ($id: ID!, $first: Int!, $after: String) { voucher(id: $id) {
  codes(first: $first, after: $after) { edges { node { code isActive } } pageInfo { hasNextPage endCursor } } } }"""


class Code(msgspec.Struct, rename="camel"):
    code: str | None = None
    is_active: bool | None = True


class Edge(msgspec.Struct):
    node: Code


class Page(msgspec.Struct, rename="camel"):
    edges: list[Edge]
    page_info: PageInfo


class Voucher(msgspec.Struct):
    codes: Page


class Listed(msgspec.Struct):
    voucher: Voucher | None = None


class Reason(msgspec.Struct):
    message: str | None = None


class Outcome(msgspec.Struct):
    errors: list[Reason]


class Added(msgspec.Struct, rename="camel"):
    voucher_update: Outcome


async def push_codes(access: Access, offer: Offer, codes: Sequence[str]) -> dict[str, str]:
    """Each code with what stood in its way; empty when the shop takes it from now on, also when it did before."""
    answers: dict[str, str] = {}
    batches = [codes[start : start + AT_ONCE] for start in range(0, len(codes), AT_ONCE)]
    refused = [some for some in batches if await _add(access, offer, some)]
    # One that it does not take, or has, keeps the others out. A voucher may have thousands, so it is listed only then.
    there = set(await pull_codes(access, offer)) if refused else set()
    for code in (code for some in refused for code in some if code not in there):
        answers[code] = await _add(access, offer, [code])
    if any(answers.values()):
        # Somebody else may have written one meanwhile, or the answer to an earlier try was lost.
        there = set(await pull_codes(access, offer))
    return {code: "" if code in there else answers.get(code, "") for code in codes}


async def pull_codes(access: Access, offer: Offer) -> list[str]:
    """Every code of the voucher that is on."""
    codes: list[str] = []
    asked = {"id": _voucher(offer), "first": PAGE, "after": None}
    for _page in range(MOST_PAGES):
        voucher = (await query(access, _LIST, asked, Listed)).voucher
        if voucher is None:
            raise Refused("there is no such voucher")
        codes += [one.node.code for one in voucher.codes.edges if one.node.code and one.node.is_active]
        if not voucher.codes.page_info.has_next_page:
            return codes
        asked["after"] = voucher.codes.page_info.end_cursor
    raise Refused("the list does not end")


async def _add(access: Access, offer: Offer, codes: Sequence[str]) -> str:
    added = await query(access, _ADD, {"id": _voucher(offer), "codes": codes}, Added)
    return "; ".join(error.message or "refused" for error in added.voucher_update.errors)[:200]


def _voucher(offer: Offer) -> str:
    # Copied out of the dashboard's address it ends in %3D rather than =.
    return unquote(offer.discount_id)
