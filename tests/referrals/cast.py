"""A shop with a programme, members who share, people who click and buy."""

from urllib.parse import parse_qs, urlsplit

import httpx

from app import db
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Terms
from tests.factories import Browser, Person, run_jobs
from tests.storefront.shop import Shop, a_product, a_shop, send

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


async def a_paying_shop(
    slug: str = "north", *, currency: str = "USD", terms: Terms | None = None, **rules: object
) -> Shop:
    shop = await a_shop(slug, currency=currency)
    await a_product(shop)
    await publish_rules(slug, Rules(**{"rate_bps": 1000, **rules}), terms=terms)  # type: ignore[arg-type]
    return shop


async def a_link(web: Browser, person: Person, target: str = "product:trail-pack", **more: str) -> dict:
    answer = await web(token=person.token).post("/api/v1/links", json={"target": target, **more})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def click(browser: httpx.AsyncClient, code: str, agent: str = CHROME, **headers: str) -> str:
    """Follow a link; the click's id."""
    answer = await browser.get(f"/r/{code}", headers={"user-agent": agent, **headers})
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["gv"][0]


async def tell(web: Browser, shop: Shop, type_: str, data: dict) -> None:
    """The shop sends a message and the worker reads it."""
    assert (await send(web(), shop, type_, data)).status_code in (200, 202)
    await run_jobs()


async def standing(person: Person) -> dict[tuple[str, str], int]:
    """What a member is owed by bucket and currency, as the entries say."""
    rows = await db.fetch(
        """SELECT a.kind, a.currency, -sum(e.amount)::bigint AS amount
             FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.owner_kind = 'member' AND a.owner_id = $1 GROUP BY 1, 2 HAVING sum(e.amount) <> 0""",
        person.id,
    )
    return {(row["kind"], row["currency"]): row["amount"] for row in rows}


async def books_are_right() -> None:
    from referrals.attribution.audit import check_attributions
    from referrals.commissions.audit import check_commissions
    from referrals.ledger.audit import check_balances, check_entries

    _entries, errors = await check_entries()
    wrong = errors + await check_balances() + await check_commissions() + await check_attributions()
    assert wrong == [], wrong
