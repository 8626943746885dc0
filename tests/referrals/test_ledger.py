"""The books: what is written stays, sums to zero, and shows when somebody touched it."""

import asyncio
import itertools
import json
import random
import sys
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from app.money import share_of
from referrals.commissions.audit import check_commissions
from referrals.ledger.audit import check_entries
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from tests.conftest import examples
from tests.factories import Browser, a_member
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import a_shop, line, order

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


def legs(amount: int = 500, currency: str = "USD") -> list[Leg]:
    return [
        Leg(AccountName("store", 1, "commission_expense", currency), amount),
        Leg(AccountName("member", 7, "pending", currency), -amount),
    ]


async def some_commissions(web: Browser) -> None:
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    for number in range(3):
        await tell(web, shop, "order.paid", order(f"o{number}", gv=gv))


async def test_a_posting_that_does_not_sum_to_zero_is_refused_by_the_database(web: Browser):
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction():
            await post("accrue", "commission", 1, 1, [legs()[0], Leg(legs()[1].account, -499)])
    assert await db.fetch_val("SELECT count(*) FROM ledger_transaction") == 0


async def test_two_currencies_that_cancel_out_are_refused_too(web: Browser):
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction():
            await post("accrue", "commission", 1, 1, [legs()[0], legs(500, "EUR")[1]])


async def test_posting_the_same_thing_twice_is_one_posting(web: Browser):
    for _ in range(2):
        async with db.transaction():
            await post("accrue", "commission", 1, 1, legs())
    assert await check_entries() == (2, [])


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_transaction"])
async def test_nothing_in_the_books_can_be_changed_or_removed(web: Browser, statement: str):
    async with db.transaction():
        await post("accrue", "commission", 1, 1, legs())
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("UPDATE ledger_entry SET amount = amount * 2", "was changed after it was written"),
        ("UPDATE ledger_entry SET amount = amount + 1 WHERE line = 1", "not to zero"),
        ("UPDATE ledger_transaction SET reason = 'a gift'", "was changed after it was written"),
        ("UPDATE ledger_account SET owner_id = owner_id + 1 WHERE owner_kind = 'member'", "was changed after"),
        (
            "DELETE FROM ledger_entry WHERE transaction_id = (SELECT min(id) FROM ledger_transaction);"
            "DELETE FROM ledger_transaction WHERE id = (SELECT min(id) FROM ledger_transaction)",
            "does not follow the one before",
        ),
    ],
)
async def test_whoever_tampers_with_the_books_is_found_out(web: Browser, tampering: str, complaint: str):
    await some_commissions(web)
    await books_are_right()
    await with_triggers_off(tampering)
    _entries, errors = await check_entries()
    assert any(complaint in error for error in errors), errors


async def with_triggers_off(statements: str) -> None:
    async with db.acquired() as connection:
        await connection.execute(
            f"SET session_replication_role = replica; {statements}; SET session_replication_role = origin"
        )


async def test_money_that_does_not_fit_the_facts_is_found(web: Browser):
    await some_commissions(web)
    await db.execute("UPDATE order_line SET gross = gross - 5000 WHERE id = (SELECT min(id) FROM order_line)")
    assert ["700" in error for error in await check_commissions()] == [True]
    await db.execute("UPDATE order_line SET gross = gross + 5000 WHERE id = (SELECT min(id) FROM order_line)")
    await db.execute("UPDATE commission SET state = 'approved' WHERE id = (SELECT min(id) FROM commission)")
    lies, trail = await check_commissions()
    assert "its money lies in pending" in lies and "its last step led to pending" in trail


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("DELETE FROM commission_event", "no step says how it came to be"),
        ("UPDATE commission_event SET seq = 2", "misses a step before number 2"),
        ("UPDATE commission_event SET to_state = 'paid'", "which nothing may"),
        (
            "UPDATE commission SET state = 'approved', screened_at = NULL; INSERT INTO commission_event"
            " (commission_id, seq, from_state, to_state, reason, at)"
            " SELECT id, 2, 'pending', 'approved', 'x', now() FROM commission",
            "without having been looked at",
        ),
    ],
)
async def test_a_commission_whose_trail_was_touched_is_found(web: Browser, tampering: str, complaint: str):
    await some_commissions(web)
    await with_triggers_off(tampering)
    assert any(complaint in error for error in await check_commissions())


async def test_a_commission_that_is_missing_is_found(web: Browser):
    await some_commissions(web)
    await with_triggers_off(
        "DELETE FROM commission_event WHERE commission_id = (SELECT max(id) FROM commission);"
        "DELETE FROM commission WHERE id = (SELECT max(id) FROM commission)"
    )
    assert any("nobody was credited" in error for error in await check_commissions())


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM ledger_entry; DELETE FROM ledger_transaction; DELETE FROM commission_event; "
        "DELETE FROM commission; DELETE FROM attribution",
        "UPDATE commission SET hold_until = hold_until - interval '1 day'",
        "UPDATE commission SET granted = granted + 1",
        "UPDATE commission SET base = 1",
        "UPDATE program_version SET rate_bps = rate_bps + 1",
    ],
)
async def test_neither_a_cut_off_end_nor_better_terms_go_unnoticed(web: Browser, tampering: str):
    await some_commissions(web)
    clock.travel(timedelta(hours=13))
    await books_are_right()
    await with_triggers_off(tampering)
    assert await check_commissions()


async def test_the_commands_open_a_programme_and_say_whether_the_books_are_right(web: Browser):
    await a_shop()
    status, said = await grapevine("program", "create", "--store", "north", "--rate-bps", "750", "--model", "first")
    assert status == 0 and said["version"] == 1 and said["rate_bps"] == 750
    assert (await grapevine("program", "create", "--store", "nowhere", "--rate-bps", "750"))[0] == 1
    assert (await grapevine("program", "create", "--store", "north", "--rate-bps", "10001"))[0] == 1
    assert await grapevine("ledger", "verify") == (0, {"ok": True, "entries": 0, "errors": []})
    await with_triggers_off(
        "INSERT INTO ledger_transaction (kind, ref_type, ref_id, ref_seq, reason, occurred_at, prev_hash, hash)"
        " VALUES ('accrue', 'commission', 1, 1, '', now(), '', '')"
    )
    status, said = await grapevine("ledger", "verify")
    assert status == 1 and said["ok"] is False and len(said["errors"]) == 3


async def grapevine(*words: str) -> tuple[int, dict]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", *words, "--json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, _error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out or b"{}")


# --- histories -------------------------------------------------------------------------------------------------

amounts = st.integers(0, 200_000)
lines = st.lists(st.tuples(amounts, st.integers(0, 5000)), min_size=1, max_size=3)
refunds = st.lists(st.tuples(st.integers(0, 2), amounts), max_size=4)


# Without shrinking: each example is a whole history against the database.
@settings(
    max_examples=examples(25),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    told=lines,
    given_back=refunds,
    rate=st.sampled_from([1, 333, 1000, 9999, 10_000]),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    cancelled=st.booleans(),
    seed=st.integers(0, 10**6),
)
async def test_any_order_and_repetition_of_the_same_events_gives_the_same_balance(
    web: Browser, told: list, given_back: list, rate: int, currency: str, cancelled: bool, seed: int
):
    """Two shops tell the same story, one as it happened and order by order, one shuffled, with repetitions, and settled
    together with all orders there are."""
    from storefront.orders.service import apply_order, apply_refund
    from storefront.stores.queries import store_by_slug

    number = next(_numbers)
    story = events_of(told, given_back, currency, cancelled)
    shuffled = story * 2
    random.Random(seed).shuffle(shuffled)
    balances = []
    for name, events in ((f"a{number}", story), (f"b{number}", shuffled)):
        member = await a_member(f"kol-{name}")
        shop = await a_paying_shop(name, currency=currency, rate_bps=rate)
        slug = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1", shop.id)
        gv = await click(web(), (await a_link(web, member, f"product:{slug}"))["code"])
        store = await store_by_slug(shop.slug)
        for event in events:
            await (apply_refund if "refund" in event else apply_order)(store, facts(event, gv))
            await settle_all(shop.id, together=name == f"b{number}")
        balances.append(await standing(member))
    told_lines = list(enumerate(told))
    left = [max(gross - discount, 0) - sum(a for at, a in given_back if at == n) for n, (gross, discount) in told_lines]
    # More given back than was paid cannot be right, and nothing is earned until a person says that it is.
    in_doubt = any(rest < 0 < gross - discount for rest, (_n, (gross, discount)) in zip(left, told_lines, strict=True))
    expected = 0 if in_doubt else sum(share_of(max(0, rest), rate) for rest in left)
    assert balances[0] == balances[1]
    assert balances[0] == ({} if cancelled or expected == 0 else {("pending", currency): expected})
    await books_are_right()


def events_of(told: list, given_back: list, currency: str, cancelled: bool) -> list[dict[str, Any]]:
    now = clock.now()
    paid = order(
        currency=currency,
        lines=[line(f"l{n}", gross=gross, discount=min(discount, gross)) for n, (gross, discount) in enumerate(told)],
        placed_at=now,
        updated_at=now,
    )
    events: list[dict[str, Any]] = [{"order": paid, "happening": "paid", "at": now, "currency": currency}]
    for n, (at, amount) in enumerate(given_back):
        events.append({"refund": f"r{n}", "line": f"l{at}", "amount": amount, "currency": currency, "at": now})
    if cancelled:
        events.append(events[0] | {"happening": "cancelled", "at": now + timedelta(seconds=1)})
    return events


def facts(event: dict[str, Any], gv: str):
    from uuid import UUID

    from storefront.orders.schemas import LineTold, OrderTold, RefundLineTold, RefundTold

    if "refund" in event:
        back = [RefundLineTold(event["line"], 1, event["amount"])]
        return RefundTold(event["refund"], "1001", event["currency"], event["at"], back)
    told = event["order"]
    return OrderTold(
        happening=event["happening"],
        happened_at=event["at"],
        external_id="1001",
        updated_at=told["updated_at"],
        currency=told["currency"],
        lines=[
            LineTold(one["id"], one["product_id"], one["title"], 1, one["gross"], one["discount"], 0)
            for one in told["lines"]
        ],
        placed_at=told["placed_at"],
        paid_at=told["placed_at"],
        gv=UUID(gv),
    )


async def settle_all(store_id: int, *, together: bool) -> None:
    """One after the other; or all orders there are in one transaction."""
    from referrals.commissions import service
    from referrals.commissions import together as in_company

    if together:
        await in_company.settle_all([row["id"] for row in await db.fetch("SELECT id FROM orders")])
    else:
        for row in await db.fetch("SELECT id FROM orders WHERE store_id = $1", store_id):
            await service.settle(row["id"])
