"""Shops and sales for generated lives, told straight to the services: each example has a shop of its own beside the
others', so that nothing is swept between them, and the whole of the books is verified when all have run."""

import itertools
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, settings

from app import clock, db, ids, jobs
from community.members import service as members
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from tests.conftest import examples
from tests.factories import Person
from tests.storefront.shop import Shop, a_shop

_numbers = itertools.count(1)


def generated(usual: int) -> Callable[[Any], Any]:
    """So many examples, or 100,000 with `--deep`; without shrinking: each is a whole story against the database."""
    return settings(
        max_examples=examples(usual),
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


async def a_quick_shop(owner: Person | None = None, *, currency: str = "USD", **rules: object) -> Shop:
    slug = f"q{next(_numbers)}-{uuid4().hex[:8]}"
    shop = await a_shop(slug, currency=currency, owner_id=owner.id if owner else None)
    await publish_rules(slug, Rules(**{"rate_bps": 1000, **rules}))  # type: ignore[arg-type]
    return shop


async def a_quick_click(shop: Shop, sharer: Person) -> UUID:
    now = clock.now()
    link_id = await db.fetch_val(
        """INSERT INTO link (code, owner_id, store_id, target_kind, destination, placement, created_at)
           VALUES ($1, $2, $3, 'url', $4, $1, $5) RETURNING id""",
        uuid4().hex,
        sharer.id,
        shop.id,
        shop.origin,
        now,
    )
    click_id = ids.new_click_id(now)
    await db.execute(
        "INSERT INTO click (id, link_id, occurred_at, kind) VALUES ($1, $2, $3, 'human')", click_id, link_id, now
    )
    return click_id


def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member for each example, and two looks at a password for each batch: here they may be quick."""
    monkeypatch.setattr(members, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def commissions_at(shop: Shop) -> list[int]:
    rows = await db.fetch(
        "SELECT c.id FROM commission c JOIN orders o ON o.id = c.order_id WHERE o.store_id = $1 ORDER BY c.id", shop.id
    )
    return [row["id"] for row in rows]


async def standing_at(shop: Shop) -> dict[str, int]:
    """What a shop's sharers are owed by it, by bucket, as the entries of its commissions and payouts say."""
    rows = await db.fetch(
        """SELECT a.kind, -sum(e.amount)::bigint AS amount
             FROM (SELECT 'commission' AS kind, c.id FROM orders o JOIN commission c ON c.order_id = o.id
                    WHERE o.store_id = $1
                   UNION ALL SELECT 'payout', id FROM payout WHERE store_id = $1) caused
             JOIN ledger_transaction t ON t.ref_type = caused.kind AND t.ref_id = caused.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
            GROUP BY 1""",
        shop.id,
    )
    return {row["kind"]: row["amount"] for row in rows}


async def run_jobs_of(*houses: str) -> None:
    """Run what waits for these houses, and for as long as it makes them more to do. The others have no say in it: what
    only rings a bell or tells an address took two thirds of a history's time."""
    mine = [f"{house}.%" for house in houses]
    while row := await db.fetch_one(
        """DELETE FROM pgqueuer WHERE id = (SELECT min(id) FROM pgqueuer WHERE entrypoint LIKE ANY($1::text[])
                                               AND status = 'queued' AND execute_after <= $2)
           RETURNING entrypoint, payload""",
        mine,
        clock.now(),
    ):
        await jobs._work[row["entrypoint"]](row["payload"])


async def forget_jobs() -> None:
    """Nobody works here: every life settled itself."""
    await db.execute("DELETE FROM pgqueuer")
