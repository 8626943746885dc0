"""Every page of earning and of a store's programme, taken from the routes themselves, on the smallest phone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar

from app import clock, db
from app.main import build
from referrals.campaigns.queries import access_campaign
from referrals.campaigns.schemas import NewOffer
from referrals.campaigns.service import offer
from referrals.partners import applying, crm
from referrals.partners.schemas import NewInvite
from referrals.payouts.batches import request_batch
from tests.api_world import World, a_world
from tests.factories import PASSWORD, Browser, a_member, run_jobs
from tests.frontend.test_pages_browser import MOVED, SMALLEST, grapevine, pytestmark

__all__ = ["grapevine", "pytestmark"]
EARNING = ("/earn", "/share", "/admin/", "/hi", "/privacy/")


def _addresses(world: World, values: dict[str, str]) -> list[str]:
    """Each page's address; a page with a new kind of place in its address fails here until it is given a value."""
    framework = build()
    assert isinstance(framework, Litestar)
    formats = {
        route.path_format
        for route in framework.routes
        if "GET" in getattr(route, "methods", ()) and route.path_format.startswith(EARNING)
    }
    # What is no page: files, and the moving part of one.
    no_page = re.compile(r"\.\w+$|/live$|/files/\{file_id\}$|statements/\{month\}/\{name\}")
    pages = sorted(one for one in formats if not no_page.search(one))
    return [_address(one, world, values) for one in pages]


def _address(page: str, world: World, values: dict[str, str]) -> str:
    kinds = {
        "/earn/checks/{case_id}": {"case_id": world.crediting["check_id"]},
        "/earn/partners/join/{code}": {"code": values["invite"]},
        "/admin/programs/{slug}/payouts/{batch_id}": {"slug": "south"},
        "/admin/programs/{slug}/webhooks/{webhook_id}": {"webhook_id": world.crediting["store_webhook_id"]},
    }
    given = {
        name: kinds.get(page, {}).get(name) or values.get(name) or world.path(f"{{{name}}}")
        for name in re.findall(r"\{(\w+)\}", page)
    }
    asked = "store=south&currency=USD&rail=bank&" if page == "/earn/payouts/new" else ""
    return f"{page.format(**given)}?{asked}"


async def _the_rest(world: World) -> dict[str, str]:
    """What only pages speak of: an invitation, a bounty, an offer to Ada, a batch of payouts."""
    root = await a_member("root-of-pages", role="admin")
    await db.execute("UPDATE member SET role = 'admin' WHERE id = $1", world.ada.id)
    north = await applying.access_program("north")
    tomorrow = clock.now() + timedelta(days=1)
    invite = await crm.invite(root.viewer, north["id"], NewInvite(most_uses=5, expires_on=f"{tomorrow:%Y-%m-%d}"))
    await applying.accept_invite(world.ada.viewer, invite)
    campaign = await access_campaign(root.viewer, "north", int(world.crediting["campaign_id"]))
    contract_id = await offer(
        root.viewer, campaign, NewOffer("ada-o", "12", ["A film"], ["80"], [f"{tomorrow:%Y-%m-%d}"])
    )
    bounty_id = await db.fetch_val(
        """INSERT INTO bounty (program_id, title, brief, amount, currency, most_awards, closes_at, by_id, created_at)
           VALUES ($1, 'A film about grinding', 'Two minutes.', 5000, 'USD', 3, $2, $3, $4) RETURNING id""",
        north["id"],
        tomorrow,
        root.id,
        clock.now(),
    )
    batch_id = await request_batch(root.viewer, "south", "USD", clock.now(), 0)
    await run_jobs()
    found = {"bounty_id": bounty_id, "batch_id": batch_id, "contract_id": contract_id, "invite": invite}
    return {"slug": "north"} | {name: str(value) for name, value in found.items()}


async def what_is_wrong(chromium: Any, grapevine: str, lang: str, addresses: list[str]) -> str:
    """What does not fit, moves, complains or fails, when Ada opens each of these pages."""
    wrong: list[str] = []
    context = await chromium.new_context(base_url=grapevine, viewport=SMALLEST, locale=lang)
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    await page.goto("/login")
    await page.fill("[name=login]", "ada-o")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_selector("#bell")
    for address in addresses:
        answer = await page.goto(f"{address}lang={lang}")
        wide, moved = await page.evaluate("document.documentElement.scrollWidth"), await page.evaluate(MOVED)
        if answer.status != 200 or wide > SMALLEST["width"] or moved > 0.05:
            wrong.append(f"{address}: {answer.status}, {wide} px wide, moved by {moved:.3f}")
    return "\n".join(wrong)


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_every_page_of_earning_fits_the_smallest_phone(
    web: Browser, grapevine: str, chromium: Any, lang: str
) -> None:
    world = await a_world(web)
    addresses = _addresses(world, await _the_rest(world))
    assert len(addresses) > 40
    wrong = await what_is_wrong(chromium, grapevine, lang, addresses)
    assert not wrong, wrong
