"""Stripe as it answers, recorded from its documentation: transfers made once per key, lists by group, its errors."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app import http


class PlayedStripe:
    """Answers of the transfers API. `next_answers` are played first: an error's body with its status, or a word:
    `lost` (made, but the answer never comes), `timeout` (neither)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.transfers: dict[str, dict[str, Any]] = {}
        self.next_answers: list[Any] = []
        self.is_away = False
        self.accounts: dict[str, dict[str, Any]] = {}
        """What it says of connected accounts; of others that it knows none."""

    @property
    def paid(self) -> int:
        return sum(transfer["amount"] for transfer in self.transfers.values())

    async def fetch(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> http.Answer:
        told = {key: values[0] for key, values in parse_qs(content.decode()).items()}
        assert headers and headers["Authorization"] == "Bearer rk_test_123" and headers["Stripe-Version"]
        if method == "GET":
            if self.is_away:
                raise http.CannotFetch("timeout", url)
            if "/v1/accounts/" in url:
                account = self.accounts.get(url.rpartition("/")[2])
                return _answer(200, account) if account else _answer(403, {"error": {"code": "account_invalid"}})
            group = parse_qs(urlsplit(url).query)["transfer_group"][0]
            found = [one for one in self.transfers.values() if one["transfer_group"] == group]
            return _answer(200, {"object": "list", "url": "/v1/transfers", "has_more": False, "data": found})
        key = headers["Idempotency-Key"]
        self.asked.append((key, told))
        plays = self.next_answers.pop(0) if self.next_answers else None
        if plays == "timeout":
            raise http.CannotFetch("timeout", url)
        if isinstance(plays, tuple):
            return _answer(*plays)
        transfer = self.transfers.setdefault(key, _transfer(len(self.transfers) + 1, told))
        if plays == "lost":
            raise http.CannotFetch("timeout", url)
        return _answer(200, transfer)


def _transfer(number: int, told: dict[str, str]) -> dict[str, Any]:
    return {
        "id": f"tr_1MiN3gLkdIwHu7ixNCZvFd{number}",
        "object": "transfer",
        "amount": int(told["amount"]),
        "amount_reversed": 0,
        "balance_transaction": "txn_1MiN3gLkdIwHu7ixxapQrznl",
        "created": 1678043844,
        "currency": told["currency"],
        "description": None,
        "destination": told["destination"],
        "livemode": False,
        "metadata": {"payout": told["metadata[payout]"], "key": told["metadata[key]"]},
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": told["transfer_group"],
    }


def refusal(code: str, status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {
        "error": {
            "code": code,
            "doc_url": f"https://stripe.com/docs/error-codes/{code}",
            "message": "No such destination: 'acct_1'",
            "param": "destination",
            "type": "invalid_request_error",
        }
    }


def _answer(status: int, body: Any) -> http.Answer:
    return http.Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
