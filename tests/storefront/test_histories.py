"""Generated histories of one order, told in every sequence, with repetitions: the facts and the money end the same."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import db
from storefront.stores.queries import store_by_slug
from tests.conftest import examples
from tests.factories import Browser, a_member, run_jobs
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click
from tests.storefront.shop import apply_body, line, message, order, refund

pytestmark = pytest.mark.anyio

# Times are few, so that many tellings fall on the same moment.
tellings = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 3),
        "lines": st.lists(
            st.tuples(st.sampled_from(["l1", "l2", "l3"]), st.integers(0, 20_000)),
            min_size=1,
            max_size=3,
            unique_by=lambda pair: pair[0],
        ),
        "codes": st.sampled_from([[], ["A"], ["B"]]),
        "customer": st.sampled_from([None, "c1", "c2"]),
        "total_is": st.sampled_from(["missing", "right", "wrong"]),
        "kind": st.sampled_from(["order.paid", "order.updated", "order.delivered", "order.cancelled"]),
    }
)
refunds = st.fixed_dictionaries(
    {
        "line": st.sampled_from(["l1", "l2", "", "dispute", "won"]),
        "amount": st.integers(0, 12_000),
    }
)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    told=st.lists(tellings, min_size=1, max_size=4),
    back=st.lists(refunds, max_size=3),
    seed=st.integers(0, 2**32),
)
async def test_any_history_ends_the_same_in_any_sequence(
    web: Browser, told: list[dict[str, Any]], back: list[dict[str, Any]], seed: int
):
    gv, started = await _the_stage(web)
    messages = [_order(one, gv, started) for one in told] + [_refund(n, one) for n, one in enumerate(back)]
    store, outcomes, chance = await store_by_slug("north"), [], random.Random(seed)
    for _ in range(3):
        sequence = messages + chance.sample(messages, min(2, len(messages)))
        chance.shuffle(sequence)
        for body in sequence:
            await apply_body(store, body)
        await run_jobs()
        await books_are_right()
        outcomes.append(await _everything())
        await _forget()
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def _the_stage(web: Browser) -> tuple[str, Any]:
    """A shop and somebody who shares, made for the first example and standing for all of them; a click before."""
    if not await db.fetch_val("SELECT 1 FROM store"):
        mara = (await a_paying_shop()) and await a_member("mara")
        await click(web(), (await a_link(web, mara))["code"])
    row = await db.fetch_one("SELECT id, occurred_at FROM click")
    assert row is not None
    return row["id"].hex, row["occurred_at"] + timedelta(seconds=1)


def _order(told: dict[str, Any], gv: str, started: Any) -> bytes:
    at = (started + timedelta(minutes=told["minute"])).isoformat()
    lines = [line(line_id, gross=gross, discount=0) for line_id, gross in told["lines"]]
    right = sum(gross for _, gross in told["lines"]) + 500
    total = {"missing": None, "right": right, "wrong": right + 1}[told["total_is"]]
    customer = {"id": told["customer"], "email": f"{told['customer']}@example.org"} if told["customer"] else None
    data = order(gv=gv, codes=told["codes"], customer=customer, lines=lines, total=total)
    data |= {"updated_at": at, "placed_at": started.isoformat(), "paid_at": started.isoformat()}
    return message(told["kind"], data, timestamp=at)


def _refund(number: int, told: dict[str, Any]) -> bytes:
    lines = [{"id": told["line"], "quantity": 0, "amount": told["amount"]}] if told["line"] in ("l1", "l2") else []
    if told["line"] in ("dispute", "won"):
        data = {"dispute_id": "d1", "order_id": "1001", "currency": "USD", "amount": 7_000}
        return message("order.disputed" if told["line"] == "dispute" else "dispute.won", data)
    return message("order.refunded", refund(f"r{number}", lines=lines, amount=told["amount"]))


async def _everything() -> list[Any]:
    facts = await db.fetch(
        """SELECT o.currency, o.total, o.doubt, o.codes, o.stamps, o.paid_at, o.delivered_at, o.cancelled_at,
                  c.external_id AS buyer, l.external_id, l.title, l.gross, l.discount, l.stamp,
                  (SELECT sum(CASE WHEN f.kind = 'dispute_won' THEN -rl.amount ELSE rl.amount END)
                     FROM refund f JOIN refund_line rl ON rl.refund_id = f.id
                    WHERE rl.external_line_id = l.external_id) AS back
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id LEFT JOIN order_line l ON l.order_id = o.id
            ORDER BY l.external_id"""
    )
    money = await db.fetch(
        """SELECT l.external_id, c.role, -sum(e.amount) AS owed FROM commission c
             JOIN order_line l ON l.id = c.order_line_id
             JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
            GROUP BY 1, 2 HAVING sum(e.amount) <> 0 ORDER BY 1, 2"""
    )
    return [tuple(row) for row in facts] + [tuple(row) for row in money]


async def _forget() -> None:
    """The order and its money away, past the triggers: the next telling starts with nothing."""
    kept = {"member", "store", "product", "program", "program_version", "link", "click", "click_count", "migration"}
    tables = await db.fetch(
        """SELECT DISTINCT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
              AND (c.relname ~ '^(orders|order_|refund|customer|commission|attribution|ledger|inbox|event|doubt)')"""
    )
    async with db.acquired() as connection:
        await connection.execute(
            "SET session_replication_role = replica;"
            + ";".join(f'DELETE FROM "{row["relname"]}"' for row in tables if row["relname"] not in kept)
            + ";SET session_replication_role = origin"
        )
