"""Made-up histories of a shop with its sharers, and a plain reckoning of what they should lead to.

The reckoning knows nothing of the code it judges: it keeps the facts in dictionaries and applies the promises of
docs/MONEY.md with fractions.
"""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app import clock, db, ids
from referrals.attribution.shares import WHOLE
from referrals.clicks.service import claim
from referrals.commissions import holds, release
from referrals.commissions.limits import set_budget
from referrals.commissions.service import settle
from referrals.commissions.together import settle_all
from referrals.payouts import claims, settlement
from referrals.programs.policy import Policy
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, Terms
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold
from storefront.orders.service import apply_order, apply_refund
from storefront.stores.queries import store_by_slug
from tests.factories import Person
from tests.referrals.limits_reckoned import Limits
from tests.storefront.shop import a_shop

_numbers = itertools.count(1)
SHARERS = 3


class Known(msgspec.Struct):
    """What the shop has told of an order so far."""

    rate: int
    sharer: int | None
    tellings: dict[int, dict[str, tuple[int, int]]] = {}
    refunds: dict[str, tuple[str, int, str]] = {}
    is_cancelled: bool = False
    cap: int = 0
    """The most the order may pay by the rules it was first heard under; 0: as much as it earns."""
    month: str = ""
    day: str = ""
    """When it was first told, as the calendar says."""
    customer: str = "buyer"
    caps: dict[str, int] = {}
    budget: str = ""
    """What limits it by the rules it was first heard under."""
    is_bound: bool = False
    """Whether the cap ever had something to say."""

    def lines(self) -> dict[str, int]:
        """What each line costs by the newest telling; one it no longer names costs nothing."""
        newest = self.tellings[max(self.tellings)]
        named = dict.fromkeys(name for lines in self.tellings.values() for name in lines)
        return {name: max(0, newest[name][0] - newest[name][1]) if name in newest else 0 for name in named}

    def back(self, line: str, *kinds: str) -> int:
        return sum(amount for at, amount, kind in self.refunds.values() if at == line and kind in kinds)

    def left(self) -> dict[str, int]:
        """What the buyer kept of each line, in money; nothing while the sums do not add up."""
        lines = self.lines()
        returned = {line: self.back(line, "refund", "cancel", "exchange") for line in lines}
        disputed = {line: self.back(line, "chargeback") - self.back(line, "dispute_won") for line in lines}
        in_doubt = any(base and returned[line] + disputed[line] > base for line, base in lines.items())
        if in_doubt or self.is_cancelled:
            return dict.fromkeys(lines, 0)
        return {line: max(0, base - returned[line] - max(0, disputed[line])) for line, base in lines.items()}

    def earns(self) -> dict[str, int]:
        """What stands on each line when the dust has settled; minor units."""
        return {line: round(Fraction(net * self.rate, WHOLE)) for line, net in self.left().items()}


class History:
    """One shop and what happens to it. Every verb of it is a fact, a decision of a person, or the passing of time."""

    def __init__(
        self,
        sharers: list[Person],
        currency: str,
        *,
        together: bool = False,
        terms: Terms | None = None,
        policy: Policy | None = None,
        buyer: Person | None = None,
    ) -> None:
        self.sharers, self.currency, self.terms, self.policy = sharers, currency, terms, policy
        # A member here, who was led by every sharer in turn: the first of them introduced them.
        self.buyer = buyer
        self.erased: set[int] = set()
        # The worker settles one order, or all that wait in one transaction: both must come to the same.
        self.settle = settle_all if together else _settle_each
        self.orders: dict[int, Known] = {}
        self.facts: list[OrderTold | RefundTold] = []
        self.rejected: set[int] = set()
        self.clicks: list[UUID] = []
        self.rate = 0
        self.version = 0
        # Only where they are looked at: then every other order is somebody else's, too.
        self.limits: Limits | None = None
        self.put_off_for = 0

    async def begin(self, rate: int) -> None:
        self.shop = await a_shop(f"h{next(_numbers)}-{uuid4().hex[:8]}", currency=self.currency)
        self.store = await store_by_slug(self.shop.slug)
        await self.change_rules(rate)
        for sharer in self.sharers:
            self.clicks.append(await self._click(sharer))
            if self.buyer is not None:
                await claim(self.buyer.id, self.clicks[-1].hex)

    async def change_rules(self, rate: int) -> None:
        self.rate = rate
        rules = Rules(rate_bps=rate, hold_days=14, window_days=700)
        await publish_rules(self.shop.slug, rules, terms=self.terms, policy=self.policy)

    async def change_cap(self, most: int) -> None:
        """What an order may pay at most, for the orders that are first heard of from now on."""
        self.terms = Terms(currency=self.currency, caps=Caps(order=most))
        await self.change_rules(self.rate)

    async def change_limits(self, caps: dict[str, int], budget: str) -> None:
        """What limits the orders that are first heard of from now on."""
        self.terms = Terms(currency=self.currency, caps=Caps(**caps), budget=budget)
        await self.change_rules(self.rate)

    async def fill_budget(self, name: str, most: int) -> None:
        program_id = await db.fetch_val("SELECT id FROM program WHERE store_id = $1", self.store["id"])
        await set_budget(program_id, name, most, self.currency)
        assert self.limits is not None
        self.limits.fill(name, most)

    async def erase(self, which: int) -> None:
        """A sharer leaves: what was decided stays theirs, under a number; no later order is."""
        from app.people import erase

        if which not in self.erased:
            self.erased.add(which)
            await erase(self.sharers[which].handle)

    async def tell(self, number: int, sharer: int | None, lines: dict[str, tuple[int, int]]) -> None:
        known = self._known(number, sharer)
        self.version += 1
        known.tellings[self.version] = lines
        order = self._order(number, "paid", known, lines)
        known.day = known.day or f"{order.happened_at:%Y-%m-%d}"
        known.month = known.day[:7]
        # A cap binds as soon as the order would once have paid more.
        known.is_bound |= bool(known.cap) and sum(known.earns().values()) > known.cap
        await self._take(order)

    async def cancel(self, number: int) -> None:
        known = self.orders.get(number)
        if known is None or not known.tellings:
            return
        known.is_cancelled = True
        self.version += 1
        await self._take(self._order(number, "cancelled", known, None))

    async def give_back(self, number: int, line: str, amount: int, kind: str) -> None:
        known = self._known(number, None)
        name = f"r{len(self.facts)}"
        known.refunds[name] = (line, amount, kind)
        back = [RefundLineTold(line, 0, amount)]
        await self._take(RefundTold(name, f"o{number}", self.currency, clock.now(), back, kind))  # type: ignore[arg-type]

    async def pass_days(self, days: int) -> None:
        clock.travel(timedelta(days=days))

    async def release(self) -> None:
        await holds.mark_screened([row["id"] for row in await self.commissions()])
        await release.release_due()

    async def judge(self, which: int, verdict: str) -> None:
        rows = await self.commissions()
        if not rows:
            return
        one = rows[which % len(rows)]
        async with db.transaction():
            verb = {"hold": holds.hold, "lift": holds.lift, "reject": holds.reject}[verdict]
            touched = await verb([one["id"]], "case")
        if verdict == "reject":
            self.rejected |= set(touched)
            if touched and self.limits:
                self.limits.reject(int(one["order_ref"][1:]), one["line_ref"])

    async def ask_for_payout(self, sharer: int) -> None:
        """Twice at the same moment: whoever comes second finds nothing left."""
        await asyncio.gather(self._claim(sharer), self._claim(sharer))

    async def _claim(self, sharer: int) -> None:
        async with db.transaction():
            await claims.claim(
                self.sharers[sharer].id, self.store["id"], self.currency, "store_credit", asked_by="store"
            )

    async def end_payouts(self, *, well: bool) -> None:
        rows = await db.fetch(
            "SELECT id FROM payout WHERE store_id = $1 AND state = 'claimed' ORDER BY id", self.store["id"]
        )
        for row in rows:
            if well:
                await settlement.settle(row["id"])
            else:
                async with db.transaction():
                    await db.execute("SELECT 1 FROM payout WHERE id = $1 FOR UPDATE", row["id"])
                    await claims.cancel_locked(row["id"], actor_id=None)

    async def pay_day(self, sharer: int) -> None:
        """All that leads to money leaving the house, which steps of chance find too seldom."""
        await self.pass_days(14)
        await self.release()
        await self.ask_for_payout(sharer)
        await self.end_payouts(well=True)

    async def put_off(self, facts: int) -> None:
        """The worker is late: so many facts more come before it looks at any of them."""
        self.put_off_for = facts

    async def replay(self, facts: list[OrderTold | RefundTold]) -> None:
        """The shop sends what it sent before, in any order."""
        for fact in facts:
            await self._apply(fact)
        await self._settle()

    async def commissions(self) -> list[Any]:
        """Every commission of the shop with what stands of it, by bucket, straight from the entries."""
        return await db.fetch(
            """SELECT c.*, o.external_id AS order_ref, l.external_id AS line_ref, money.*
                 FROM commission c JOIN orders o ON o.id = c.order_id JOIN order_line l ON l.id = c.order_line_id
                 JOIN LATERAL (
                      SELECT coalesce(sum(e.amount) FILTER (WHERE a.kind = 'commission_expense'), 0)::bigint
                                 AS standing,
                             coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'pending'), 0)::bigint AS in_pending,
                             coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'held'), 0)::bigint AS in_held,
                             coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'available'), 0)::bigint AS in_available
                        FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                        JOIN ledger_account a ON a.id = e.account_id
                       WHERE t.ref_type = 'commission' AND t.ref_id = c.id) money ON true
                WHERE o.store_id = $1 ORDER BY c.id""",
            self.store["id"],
        )

    async def entries(self) -> list[tuple[Any, ...]]:
        """Everything in the books of this shop's sharers and of the shop itself."""
        rows = await db.fetch(
            """SELECT t.id, t.kind, t.reason, a.owner_kind, a.owner_id, a.kind AS bucket, e.amount
                 FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                 JOIN ledger_account a ON a.id = e.account_id
                WHERE t.ref_type = 'commission'
                  AND t.ref_id IN (SELECT c.id FROM commission c JOIN orders o ON o.id = c.order_id
                                    WHERE o.store_id = $1)
                ORDER BY t.id, e.line""",
            self.store["id"],
        )
        return [tuple(row) for row in rows]

    def _known(self, number: int, sharer: int | None) -> Known:
        if number not in self.orders:
            terms = self.terms or Terms()
            self.orders[number] = Known(self.rate, None, cap=terms.caps.order, budget=terms.budget)
            self.orders[number].caps = msgspec.structs.asdict(terms.caps)
            self.orders[number].customer = f"buyer{number % 2}" if self.limits else "buyer"
        known = self.orders[number]
        if not known.tellings and sharer is not None and sharer not in self.erased:
            known.sharer = sharer
        return known

    def _order(self, number: int, happening: Any, known: Known, lines: dict[str, tuple[int, int]] | None) -> OrderTold:
        at = clock.now()
        return OrderTold(
            happening=happening,
            happened_at=at,
            external_id=f"o{number}",
            updated_at=_stamp(self.version),
            currency=self.currency if lines is not None else "",
            lines=[LineTold(name, "", "", 1, gross, discount, 0) for name, (gross, discount) in lines.items()]
            if lines is not None
            else None,
            customer=CustomerTold(known.customer) if lines is not None else None,
            placed_at=at if lines is not None else None,
            gv=self.clicks[known.sharer] if lines is not None and known.sharer is not None else None,
        )

    async def _take(self, fact: OrderTold | RefundTold) -> None:
        self.facts.append(fact)
        await self._apply(fact)
        self.put_off_for = max(0, self.put_off_for - 1)
        if not self.put_off_for:
            await self._settle()

    async def _apply(self, fact: OrderTold | RefundTold) -> None:
        await (apply_order(self.store, fact) if isinstance(fact, OrderTold) else apply_refund(self.store, fact))

    async def _settle(self) -> None:
        if self.buyer is not None:
            await db.execute(
                "UPDATE customer SET member_id = $2 WHERE store_id = $1 AND member_id IS NULL",
                self.store["id"],
                self.buyer.id,
            )
        rows = await db.fetch("SELECT id FROM orders WHERE store_id = $1 ORDER BY id", self.store["id"])
        await self.settle([row["id"] for row in rows])
        if self.limits:
            self.limits.settle(self.orders)

    async def _click(self, sharer: Person) -> UUID:
        now = clock.now()
        link_id = await db.fetch_val(
            """INSERT INTO link (code, owner_id, store_id, target_kind, destination, placement, created_at)
               VALUES ($1, $2, $3, 'url', $4, $1, $5) RETURNING id""",
            uuid4().hex,
            sharer.id,
            self.store["id"],
            self.shop.origin,
            now,
        )
        click_id = ids.new_click_id(now)
        await db.execute(
            "INSERT INTO click (id, link_id, occurred_at, kind) VALUES ($1, $2, $3, 'human')", click_id, link_id, now
        )
        return click_id


async def _settle_each(order_ids: Sequence[int]) -> None:
    for order_id in order_ids:
        await settle(order_id)


def _stamp(version: int) -> datetime:
    """The shop's own clock, which only counts."""
    return clock.now().replace(year=2020, month=1, day=1, hour=0, minute=0, second=0, microsecond=version)
