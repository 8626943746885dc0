"""Who earns from a store, and how much it pays: said beside what they wrote because the links say so, never typed."""

from collections.abc import Collection

import asyncpg
import msgspec

from app import clock, db
from app.disclosure import EarningLink, market_of
from app.money import Money, format_money
from referrals.commissions.paid import is_paid_by
from referrals.commissions.reckoning import WHOLE, Buyer, Item, Seller, reckon
from referrals.kit.channels import gift_of
from referrals.programs.terms import Friend
from referrals.programs.terms import Terms as Rules


class Terms(msgspec.Struct, frozen=True):
    """`earners`: those with a live link of their own to the store, or money from it (`paid`: only that, for a bounty or
    a campaign or by what they once shared). `rates`: what each store pays now.

    `codes`: their links to the products of this screen, by member and product. `market`: where all of the stores sell.
    `gift`: what a friend gets who buys by a link ("10%"), when it is one store's.
    """

    earners: frozenset[int] = frozenset()
    rates: dict[int, tuple[int, Rules]] = {}
    codes: dict[tuple[int, int], str] = {}
    market: str = ""
    gift: str = ""
    paid: frozenset[int] = frozenset()

    @property
    def is_paying(self) -> bool:
        return bool(self.rates)

    @property
    def best(self) -> str:
        """The best plain rate, for something about many products; nothing where rules make it differ between them."""
        if any(rules.rules or rules.deny for _plain, rules in self.rates.values()):
            return ""
        return _percent(max((plain for plain, _rules in self.rates.values()), default=0))

    def pays(self, product: asyncpg.Record) -> str:
        """What a sale of this very product pays anybody ("10%", "$5.00"), by the reckoning that settles orders."""
        if product["store_id"] not in self.rates:
            return ""
        plain, rules = self.rates[product["store_id"]]
        item = Item(
            product=product["external_id"],
            slug=product["slug"],
            category=product["category"],
            brand=product["brand"],
            # A product may come without a price: then it is about the rate.
            gross=product["price"] or WHOLE,
        )
        now, currency = clock.now(), product["currency"]
        found = reckon(item, rules, plain, seller=Seller(), buyer=Buyer(), codes=[], at=now, currency=currency)
        if not found.amount:
            return ""
        return _percent(found.how.rate_bps) if found.how.kind == "percent" else _sum(found.amount, currency)

    @property
    def facts(self) -> tuple:
        """All of it, in an order that does not change: what a page was made from."""
        people = sorted(self.earners), sorted(self.paid)
        return *people, sorted(self.rates.items()), sorted(self.codes.items()), self.market, self.gift

    def link_of(self, member_id: int | None, product_id: int) -> EarningLink | None:
        """The member's own way to the shop, with its label."""
        code = self.codes.get((member_id, product_id)) if member_id in self.earners else None
        return EarningLink(f"/r/{code}", self.market) if code else None


async def terms_of(
    store_ids: Collection[int],
    member_ids: Collection[int | None],
    *,
    product_ids: Collection[int] = (),
    guide_id: int | None = None,
) -> Terms:
    """One query for a whole screen. A link to the guide itself counts as one to each of its stores."""
    row = await db.fetch_one(
        f"""WITH paying AS (
               SELECT DISTINCT ON (p.store_id) p.store_id, v.rate_bps,
                      coalesce(nullif(v.terms->>'market', ''), s.currency) AS place, v.terms->'friend' AS friend,
                      coalesce(nullif(v.terms->>'currency', ''), s.currency) AS currency, v.terms,
                      -- A plain rate of nothing may still pay by a rule, by volume, or what was agreed with one member.
                      v.rate_bps > 0 OR v.terms ?| array['rules', 'volume', 'activation', 'events', 'codes']
                      OR EXISTS (SELECT 1 FROM rate_override o WHERE o.program_id = p.id) AS is_paying
                 FROM program p JOIN program_version v ON v.program_id = p.id JOIN store s ON s.id = p.store_id
                WHERE p.store_id = ANY($1::bigint[]) AND v.published_at <= $3
                ORDER BY p.store_id, v.version DESC)
           SELECT coalesce(jsonb_agg(jsonb_build_array(store_id, rate_bps, terms)) FILTER (WHERE is_paying), '[]')
                      AS rates, array_agg(DISTINCT place) AS places,
                  coalesce(jsonb_agg(jsonb_build_array(friend, currency)) FILTER (
                      WHERE jsonb_typeof(friend) = 'object'), '[]') AS gifts,
                  array(SELECT l.owner_id FROM link l
                         WHERE l.owner_id = ANY($2::bigint[]) AND l.disabled_at IS NULL
                           AND EXISTS (SELECT 1 FROM paying WHERE is_paying)
                           AND (l.store_id IN (SELECT store_id FROM paying WHERE is_paying)
                                OR (l.target_kind = 'guide' AND l.target_id = $4))) AS linked,
                  array(SELECT w.id FROM unnest($2::bigint[]) w (id)
                         WHERE {is_paid_by("w.id", "= ANY($1::bigint[])")}) AS paid,
                  (SELECT coalesce(jsonb_agg(jsonb_build_array(l.owner_id, l.target_id, l.code)
                                             ORDER BY l.id DESC), '[]')
                     FROM link l
                    WHERE l.owner_id = ANY($2::bigint[]) AND l.disabled_at IS NULL
                      AND l.target_kind = 'product' AND l.target_id = ANY($5::bigint[])) AS links
             FROM paying""",
        list(store_ids),
        [member_id for member_id in member_ids if member_id],
        clock.now(),
        guide_id,
        list(product_ids),
    )
    assert row is not None
    # Oldest last: of several links to one product the first one made is kept.
    codes = {(owner_id, product_id): code for owner_id, product_id, code in row["links"]}
    markets = {market_of(place) for place in row["places"] or ()}
    return Terms(
        frozenset(row["linked"] + row["paid"]),
        {store_id: (plain, msgspec.convert(rules, Rules)) for store_id, plain, rules in row["rates"]},
        codes,
        markets.pop() if len(markets) == 1 else "",
        _gift(row["gifts"]) if len(store_ids) == 1 and row["gifts"] else "",
        frozenset(row["paid"]) - frozenset(row["linked"]),
    )


def _gift(gifts: list) -> str:
    friend, currency = gifts[0]
    return gift_of(msgspec.convert(friend, Friend), currency)


def _percent(bps: int) -> str:
    return f"{bps / 100:g}%" if bps else ""


def _sum(amount: int, currency: str) -> str:
    return format_money(Money(amount, currency))


async def earners_among(written: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """Which of these reviews and guides are by somebody who earns from the stores they speak of. One query."""
    rows = await db.fetch(
        f"""WITH said AS (
               SELECT 'review' AS kind, r.id, r.author_id, p.store_id
                 FROM review r JOIN product p ON p.id = r.product_id
                WHERE r.id = ANY($1::bigint[])
               UNION ALL
               SELECT 'guide', g.id, g.author_id, p.store_id
                 FROM guide g JOIN guide_product gp ON gp.guide_id = g.id JOIN product p ON p.id = gp.product_id
                WHERE g.id = ANY($2::bigint[]))
           SELECT DISTINCT s.kind, s.id FROM said s JOIN program pr ON pr.store_id = s.store_id
            WHERE EXISTS (SELECT 1 FROM link l WHERE l.owner_id = s.author_id AND l.disabled_at IS NULL
                             AND (l.store_id = s.store_id
                                  OR (s.kind = 'guide' AND l.target_kind = 'guide' AND l.target_id = s.id)))
               OR {is_paid_by("s.author_id", "= s.store_id")}""",
        [id for kind, id in written if kind == "review"],
        [id for kind, id in written if kind == "guide"],
    )
    return {(row["kind"], row["id"]) for row in rows}
