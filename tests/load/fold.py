"""How fast orders with refunds become money, and how long the books take to be verified.

    python -m tests.load.fold [--orders 100000] [--entries 1000000] [--tasks 40] [--terms] [--codes]
                             [--budget] [--friend] [--recruiting] [--first] [--override]

A fresh durable PostgreSQL; the facts are written by COPY, then every order is settled through `settle_soon`,
as the worker does, and once more with its refunds. Afterwards the ledger is filled to so many entries and verified.
With `--terms` the programme pays by rules, for a tier, flat and with something left out, and one member by a rate of
their own. With `--codes` every order carries a code, and no click: the first ten thousand uses of each count.
With `--budget` all of it comes out of one budget that lasts for two orders of three, with `--friend` each buyer gets
credit. With `--recruiting` half of the members were brought by the others, who get a share; with `--first` each buyer
has three orders, of which two pay, and is another customer each time; with `--override` a person decided on each order.
"""

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

KINDS = ("terms", "budget", "friend", "recruiting", "first", "override")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--tasks", type=int, default=40, help="orders asked for at once, as by the worker")
    parser.add_argument("--terms", action="store_true", help="pay by terms instead of one plain rate")
    parser.add_argument("--codes", action="store_true", help="orders carry a code with a limit instead of a click")
    parser.add_argument("--budget", action="store_true", help="one budget, for two orders of three")
    parser.add_argument("--friend", action="store_true", help="buyers that get credit, too")
    parser.add_argument("--recruiting", action="store_true", help="a second level")
    parser.add_argument("--first", action="store_true", help="pay for the first two orders of a buyer")
    parser.add_argument("--override", action="store_true", help="orders that a person decided on")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if getattr(options, kind)]
    from app import embedded

    with tempfile.TemporaryDirectory(prefix="gv-fold-") as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        urls = running.enter_context(embedded.servers(Path(folder)))
        os.environ.update(
            GRAPEVINE_DATABASE_URL=urls.database_url,
            GRAPEVINE_REDIS_URL=urls.redis_url,
            GRAPEVINE_DATA_DIR=folder,
            GRAPEVINE_ENV="demo",
        )
        figures = asyncio.run(measure(options.orders, options.entries, options.tasks, *kinds, codes=options.codes))
        print(f"--- {', '.join([*kinds, *(['codes'] if options.codes else [])]) or 'one plain rate'}")
        for name, figure in figures.items():
            print(f"{name:<44} {figure:>12,.1f}", flush=True)


async def measure(orders: int, entries: int, tasks: int, *kinds: str, codes: bool = False) -> dict[str, float]:
    from app import db, features, migrate
    from app.settings import settings

    assert features
    settings.cache_clear()
    await db.open(settings().database_url, max_size=10)
    await migrate.migrate()
    figures: dict[str, float] = {}
    ids = await _facts(orders, *kinds)
    if codes:
        await _carry_codes()
    # A database that has never looked at its tables plans as if they were empty; after a minute of life it has.
    few = ids[: max(200, orders // 50)]
    await _fold(few, tasks)
    await db.execute("ANALYZE")
    figures["orders folded a second"] = len(ids[len(few) :]) / await _timed(_fold(ids[len(few) :], tasks))
    await _refunds(ids)
    figures["orders with a refund folded a second"] = orders / await _timed(_fold(ids, tasks))
    await _fill(entries)
    await db.execute("ANALYZE")
    figures["entries in the books"] = await db.fetch_val("SELECT count(*) FROM ledger_entry")
    began = time.perf_counter()
    for name, check in (await _checks()).items():
        started = time.perf_counter()
        said = await check()
        errors = said[1] if isinstance(said, tuple) else said
        assert errors == [], errors[:5]
        figures[f"seconds to verify: {name}"] = time.perf_counter() - started
    figures["seconds to verify all of it"] = time.perf_counter() - began
    await db.close()
    return figures


async def _checks() -> dict[str, Any]:
    """Every check of `grapevine ledger verify`."""
    from referrals.books.service import CHECKS
    from referrals.ledger.audit import check_entries

    checks = {one.__name__.removeprefix("check_").replace("_", " "): one for one in CHECKS}
    return {"entries and chain": check_entries, **checks}


async def _carry_codes() -> None:
    from app import db

    await db.execute(
        """INSERT INTO code (program_id, text, code_norm, kind, owner_id, limit_total, limit_per_buyer, used_total,
                             leak_state, created_at)
           SELECT p.id, 'CODE' || m.id, 'CODE' || m.id, 'campaign', m.id, 10000, 0, 0, 'ok', now() - interval '1 day'
             FROM program p, member m"""
    )
    await db.execute(
        """UPDATE orders o SET gv = NULL, codes = jsonb_build_array('CODE' || m.id)
             FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM member) m WHERE o.id % 20 + 1 = m.n"""
    )


async def _facts(orders: int, *kinds: str) -> list[int]:
    """Members with a link each, clicks, and orders of two lines that carry them."""
    from app import clock, db
    from app.ids import new_click_id
    from community.members.schemas import NewMember
    from community.members.service import join
    from referrals.commissions.limits import set_budget
    from referrals.programs.policy import Policy
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules
    from storefront.stores.schemas import NewStore
    from storefront.stores.service import open_store

    now = clock.now()
    members = [
        await join(NewMember(f"member{n}", f"member{n}@example.org", "correct horse battery", "")) for n in range(20)
    ]
    await open_store(NewStore("north", "North", "generic", "USD", "https://north.example"), owner_id=None)
    store_id = await db.fetch_val("SELECT id FROM store")
    # Each order comes to about 110.00: the second person is asked about, and not needed.
    policy = Policy(second_approver_from=1_000_000)
    await publish_rules("north", Rules(rate_bps=1000), terms=_terms(*kinds), policy=policy)
    if "budget" in kinds:
        # Two lines of about 55.00 at ten percent.
        await set_budget(await db.fetch_val("SELECT id FROM program"), "autumn", orders * 2 // 3 * 1_098, "USD")
    if "terms" in kinds:
        await _tiers_and_rates(members)
    if "recruiting" in kinds:
        await db.execute(
            """INSERT INTO signup_referral (member_id, referrer_id, created_at)
               SELECT b, a, $3 FROM unnest($1::bigint[], $2::bigint[]) AS t (a, b)""",
            members[:10],
            members[10:],
            now,
        )
    links = [await _a_link(member_id, f"member{n}") for n, member_id in enumerate(members)]
    clicks = [(new_click_id(now), links[n % len(links)]) for n in range(orders)]
    await _copy_clicks(clicks, now)
    await db.execute(
        """INSERT INTO orders (store_id, external_id, currency, placed_at, paid_at, gv, codes, shipping,
                               source_updated_at, created_at)
           SELECT $1, 'o' || n, 'USD', $2, $2, gv, '[]', 500, $2, $2
             FROM unnest($3::uuid[]) WITH ORDINALITY AS t (gv, n)""",
        store_id,
        now + timedelta(minutes=1),
        [click for click, _link in clicks],
    )
    if "friend" in kinds or "first" in kinds:
        # Three customers are one person, by their e-mail or by their mailbox.
        await db.execute(
            """INSERT INTO customer (store_id, external_id, email_hmac, mailbox_hmac, created_at)
               SELECT store_id, 'c' || id, CASE WHEN $1 THEN 'e' || id / 3 * 3 + (id % 3) / 2 ELSE '' END,
                      CASE WHEN $1 THEN 'm' || id / 3 ELSE '' END, created_at FROM orders""",
            "first" in kinds,
        )
        await db.execute(
            """UPDATE orders o SET customer_id = c.id FROM customer c
                WHERE c.store_id = o.store_id AND c.external_id = 'c' || o.id"""
        )
    await db.execute(
        """INSERT INTO order_line (order_id, external_id, external_product_id, quantity, gross, discount, tax)
           SELECT id, 'l' || n, 'p' || (id + n) % 5, 1, 5000 + id % 997, id % 13, 0
             FROM orders, generate_series(1, 2) n"""
    )
    if "override" in kinds:
        await db.execute(
            """INSERT INTO attribution_override (order_id, winner_id, reason, state, stake, currency, needs_second,
                                                 proposed_by, proposed_at, decided_by, decided_at)
               SELECT id, $1::bigint + id % 19, 'They met at our stand.', 'in_force', 0, 'USD', false, $2, $3, $2, $3
                 FROM orders""",
            members[0],
            members[-1],
            now,
        )
    await db.execute("ANALYZE")
    return [row["id"] for row in await db.fetch("SELECT id FROM orders ORDER BY id")]


def _terms(*kinds: str) -> Any:
    from referrals.programs.terms import Exclusion, Friend, Recruiting, Rule, Terms

    terms = Terms(
        currency="USD",
        budget="autumn" * ("budget" in kinds),
        friend=Friend("percent", 500) if "friend" in kinds else None,
        market="US",
        recruiting=Recruiting(1000, 12) if "recruiting" in kinds else None,
        pays_for="first_orders" if "first" in kinds else "every_order",
        pays_for_n=2 if "first" in kinds else 0,
    )
    if "terms" not in kinds:
        return terms if {"budget", "friend", "recruiting", "first"} & {*kinds} else Terms()
    return msgspec.structs.replace(
        terms,
        rules=[
            Rule("shoes", "product", "p1", "percent", 1500),
            Rule("shoes of friends", "product", "p1", "percent", 2000, tier="friend"),
            Rule("packs", "product", "p2", "flat", 0, 250),
        ],
        deny=[Exclusion("product", "p3")],
    )


async def _tiers_and_rates(members: list[int]) -> None:
    """A third of the members are of a tier, and one has a rate of their own."""
    from app import clock, db

    program_id, now = await db.fetch_val("SELECT id FROM program"), clock.now()
    await db.execute(
        """INSERT INTO partner (program_id, member_id, state, tier, created_at)
           SELECT $1, id, 'approved', 'friend', $3 FROM unnest($2::bigint[]) id WHERE id % 3 = 0""",
        program_id,
        members,
        now,
    )
    await db.execute(
        """INSERT INTO rate_override (program_id, member_id, rate_bps, starts_at, expires_at, by_id)
           VALUES ($1, $2, 1200, $3, $4, $2)""",
        program_id,
        members[0],
        now - timedelta(days=1),
        now + timedelta(days=30),
    )


async def _a_link(member_id: int, handle: str) -> int:
    from app.auth import Viewer
    from referrals.links.schemas import NewLink
    from referrals.links.service import share

    link, _is_new = await share(
        Viewer(member_id=member_id, handle=handle, name=handle, role="member"), NewLink("page:/")
    )
    return link["id"]


async def _copy_clicks(clicks: list[tuple[UUID, int]], now: Any) -> None:
    from app import db

    columns = {
        row["column_name"]: row
        for row in await db.fetch(
            """SELECT column_name, is_nullable, column_default, data_type FROM information_schema.columns
            WHERE table_name = 'click'"""
        )
    }
    known = {"id": None, "link_id": None, "occurred_at": now, "kind": "human"}
    blank = {
        "text": "",
        "boolean": False,
        "integer": 0,
        "bigint": 0,
        "smallint": 0,
        "date": now.date(),
        "bytea": b"",
        "jsonb": "{}",
    }
    rest = {
        name: blank[row["data_type"]]
        for name, row in columns.items()
        if name not in known
        and row["is_nullable"] == "NO"
        and row["column_default"] is None
        and row["data_type"] in blank
    }
    names = [*known, *rest]
    rows = [(click, link, now, "human", *rest.values()) for click, link in clicks]
    await db.copy_rows("click", names, rows)
    await db.execute(
        """INSERT INTO click_count (link_id, day, kind, slot, clicks)
           SELECT link_id, $1, 'human', 0, count(*) FROM click GROUP BY 1""",
        now.date(),
    )


async def _refunds(order_ids: list[int]) -> None:
    from app import clock, db

    await db.execute(
        """INSERT INTO refund (store_id, external_id, order_external_id, currency, refunded_at, created_at)
           SELECT store_id, 'r' || id, external_id, currency, $1, $1 FROM orders""",
        clock.now(),
    )
    await db.execute(
        """INSERT INTO refund_line (refund_id, external_line_id, quantity, amount)
           SELECT id, 'l1', 0, 1234 FROM refund"""
    )
    await db.execute("ANALYZE refund, refund_line")


async def _fold(order_ids: list[int], tasks: int) -> None:
    from referrals.commissions.soon import settle_soon

    waiting = iter(order_ids)

    async def work() -> None:
        for order_id in waiting:
            await settle_soon(order_id)

    await asyncio.gather(*(work() for _ in range(tasks)))


async def _fill(entries: int) -> None:
    """Postings of nobody in particular, through the books' own door, until there are so many entries."""
    from app import db
    from referrals.ledger.schemas import AccountName, Leg, Posting
    from referrals.ledger.service import post_all

    missing = entries - await db.fetch_val("SELECT count(*) FROM ledger_entry")
    cash = AccountName("store", 1, "cash", "USD")
    for first in range(0, missing // 2, 1000):
        async with db.transaction():
            await post_all(
                [
                    Posting(
                        "fill",
                        "bench",
                        number,
                        1,
                        (
                            Leg(cash, 100 + number % 7),
                            Leg(AccountName("store", number % 50, "fees", "USD"), -100 - number % 7),
                        ),
                        "fill",
                    )
                    for number in range(first, min(first + 1000, missing // 2))
                ]
            )


async def _timed(work: Any) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
