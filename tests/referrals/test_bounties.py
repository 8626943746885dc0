"""Bounties: offered by a store, handed in with proof, paid once when a person has looked."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, NotFound
from community.media import storage
from referrals.bounties.proofs import sweep
from referrals.bounties.schemas import Verdict
from referrals.bounties.service import decide
from referrals.commissions.service import settle
from referrals.programs.terms import Terms
from tests.community.test_media import a_picture
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_shop_that_pays, sell
from tests.storefront.shop import Shop

pytestmark = pytest.mark.anyio
ADMIN = "/admin/programs/north/bounties"


async def offered(web: Browser, *, most_awards: int = 1, **more: str):
    owner = await a_member("ona")
    shop = await a_shop_that_pays(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    browser = await sign_in(web(), owner)
    day = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    bounty = {"title": "A film", "brief": "One minute on the trail.", "amount": "150.00", "currency": "USD"}
    typed = bounty | {"most_awards": str(most_awards), "closes_on": day} | more
    assert (await submit(browser, ADMIN, typed)).status_code == 303
    return owner, browser, await db.fetch_val("SELECT id FROM bounty")


async def test_work_is_offered_handed_in_looked_at_and_paid(web: Browser):
    _owner, as_owner, bounty = await offered(web)
    kol = await a_member("kol")
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    assert "$150.00" in (await as_kol.get("/earn/bounties")).text
    wrong = await submit(as_kol, page, {"proof_url": "javascript:alert(1)"})
    assert wrong.status_code == 422
    work = {"proof_url": "https://films.example/42", "reach": "1200", "note": "Filmed in rain."}
    assert (await submit(as_kol, page, work)).status_code == 303
    seen = (await as_owner.get(ADMIN)).text
    assert "https://films.example/42" in seen and "1200 people" in seen
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_owner, door, {"verdict": "declined"}, page=ADMIN)).status_code == 422, "say why"
    assert (await submit(as_owner, door, {"verdict": "declined", "reason": "Dark."}, page=ADMIN)).status_code == 303
    assert "Dark." in (await as_kol.get(page)).text
    assert (await submit(as_kol, page, work | {"note": "Brighter."})).status_code == 303
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    assert await standing(kol) == {("pending", "USD"): 15_000}
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 409
    await run_jobs()
    await books_are_right()


async def test_the_last_award_is_given_once(web: Browser):
    owner, _browser, bounty = await offered(web)
    people = [await a_member(f"kol{n}") for n in range(4)]
    for person in people:
        await db.execute(
            """INSERT INTO bounty_submission (bounty_id, member_id, proof_url, note, reach, state, created_at)
               VALUES ($1, $2, 'https://films.example/1', '', 0, 'waiting', now())""",
            bounty,
            person.id,
        )
    ids = [row["id"] for row in await db.fetch("SELECT id FROM bounty_submission")]
    ends = await asyncio.gather(
        *(decide(owner.viewer, "north", one, Verdict("approved")) for one in ids), return_exceptions=True
    )
    assert [end is None for end in ends].count(True) == 1 and all(
        end is None or isinstance(end, Conflict) for end in ends
    )
    assert sum([sum((await standing(person)).values()) for person in people]) == 15_000
    await books_are_right()


async def test_nobody_decides_on_their_own_work_and_strangers_on_none(web: Browser):
    owner, as_owner, bounty = await offered(web)
    assert (
        await submit(as_owner, f"/earn/bounties/{bounty}", {"proof_url": "https://me.example/1"})
    ).status_code == 303
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 403
    stranger = await sign_in(web(), await a_member("sam"))
    answer = await submit(stranger, door, {"verdict": "approved"}, page=f"/earn/bounties/{bounty}")
    assert answer.status_code == 403 and await standing(owner) == {}
    assert (
        await submit(stranger, "/earn/bounties/999", {"proof_url": "https://a.example"}, page="/earn")
    ).status_code == 404


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
API = "/api/v1/earn/bounties"
STORE = "/api/v1/stores/north/bounties"


async def post_work(browser, page: str, files: list, **typed: str):
    return await submit(browser, page, typed, files=[("file", one) for one in files])


async def test_proofs_are_seen_by_the_member_and_the_shop_and_by_nobody_else(web: Browser):
    _owner, as_owner, bounty = await offered(web, needs_proof="on")
    kol = await a_member("kol")
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    link = {"proof_url": "https://films.example/42"}
    refused = await submit(as_kol, page, link)
    assert refused.status_code == 422 and "screenshot or a PDF" in refused.text
    for name, wrong in (("x.html", b"<script>alert(1)</script>"), ("x.pdf", b"%PDF-1.7 cut off"), ("x.svg", b"<svg/>")):
        assert (await post_work(as_kol, page, [(name, wrong)], **link)).status_code == 422
    chosen = [("../../seen <b>.png", a_picture()), ("insights.pdf", PDF)]
    assert (await post_work(as_kol, page, chosen, **link)).status_code == 303
    files = await db.fetch("SELECT * FROM bounty_file WHERE submission_id IS NOT NULL ORDER BY id")
    assert [one["name"] for one in files] == ["seen -b.webp", "insights.pdf"]
    stranger, nobody = await sign_in(web(), await a_member("sam")), web()
    for file, kind, how in zip(files, ("image/webp", "application/pdf"), ("inline", "attachment"), strict=True):
        door = f"/earn/bounties/files/{file['id']}"
        for who in (as_kol, as_owner):
            got = await who.get(door)
            assert got.status_code == 200 and got.headers["content-type"] == kind
            assert got.headers["content-disposition"].startswith(how) and "private" in got.headers["cache-control"]
            assert "sandbox" in got.headers["content-security-policy"]
        assert (await stranger.get(door)).status_code == 404
        assert (await nobody.get(door)).status_code in (303, 401)
        # The public door of pictures does not lead there either, for whoever learns the place.
        assert (await as_owner.get(f"/media/{file['key']}")).status_code == 404
    assert "insights.pdf" in (await as_owner.get(ADMIN)).text
    assert (await post_work(as_kol, page, chosen, **link)).status_code == 409, "it stays as it is looked at"


async def test_what_was_brought_and_never_handed_in_is_gone_after_a_day(web: Browser):
    owner, _as_owner, bounty = await offered(web)
    kol, other = await a_member("kol"), await a_member("other")
    client = web(token=kol.token)
    made = await client.post(f"{API}/{bounty}/files", files={"file": ("a.pdf", PDF)})
    assert made.status_code == 201 and made.json()["media_type"] == "application/pdf"
    address, key = made.json()["url"], await db.fetch_val("SELECT key FROM bounty_file")
    assert (await client.get(address)).content == PDF
    assert (await web(token=owner.token).get(address)).status_code == 404, "not handed in yet"
    stolen = {"proof_url": "https://a.example/1", "files": [made.json()["id"]]}
    taken = await web(token=other.token).put(f"{API}/{bounty}/submission", json=stolen)
    assert taken.status_code == 422 and await db.fetch_val("SELECT count(*) FROM bounty_submission") == 0
    clock.travel(timedelta(days=2))
    await sweep()
    assert (await client.get(address)).status_code == 404
    with pytest.raises(NotFound):
        await storage.get(key)


async def test_a_bounty_of_every_month_pays_once_a_month_and_no_more_often(web: Browser):
    owner = await a_member("ona")
    shop = await a_shop_that_pays(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    as_owner, kol = web(token=owner.token), await a_member("kol")
    offer = {
        "title": "Talk of it",
        "brief": "A post each month, please.",
        "pays": {"amount": 5_000, "currency": "USD"},
        "closes_at": f"{clock.now() + timedelta(days=80):%Y-%m-%dT%H:%M:%SZ}",
        "most_awards": 3,
        "period": "month",
        "metric": "views",
        "least": 1_000,
    }
    assert (await as_owner.post(STORE, json=offer | {"metric": ""})).status_code == 422, "1,000 of what?"
    bounty = (await as_owner.post(STORE, json=offer)).json()["id"]
    door, as_kol = f"{API}/{bounty}/submission", web(token=kol.token)
    work = {"proof_url": "https://posts.example/1", "reach": 999}
    few = await as_kol.put(door, json=work)
    assert few.status_code == 422 and "1,000" in few.json()["detail"]
    for _month in range(2):
        handed = await as_kol.put(door, json=work | {"reach": 1_000})
        assert handed.status_code == 200 and handed.json()["period"] == f"{clock.now():%Y-%m}"
        verdict = f"{STORE}/submissions/{handed.json()['id']}/verdict"
        assert (await as_kol.put(verdict, json={"verdict": "approved"})).status_code == 403
        told = await as_owner.put(verdict, json={"verdict": "approved"})
        assert told.status_code == 200 and told.json()["state"] == "approved"
        assert (await as_kol.put(door, json=work | {"reach": 5_000})).status_code == 409, "paid for this month"
        clock.travel(timedelta(days=31))
    assert sum((await standing(kol)).values()) == 10_000
    shown = (await as_kol.get(f"{API}/{bounty}")).json()
    assert shown["awarded"] == 2 and shown["mine"] is None and shown["state"] == "open"
    listed = (await as_owner.get(f"{STORE}/submissions?show=approved&limit=1")).json()
    assert len(listed["items"]) == 1 and listed["next"]
    rest = (await as_owner.get(f"{STORE}/submissions?show=approved&limit=1&after={listed['next']}")).json()
    assert rest["next"] is None and rest["items"][0]["id"] != listed["items"][0]["id"]
    await books_are_right()


async def test_orders_are_counted_here_and_what_came_back_is_none(web: Browser):
    _owner, as_owner, bounty = await offered(web, metric="orders", least="2")
    kol = await a_member("kol")
    shop = Shop(await db.fetch_val("SELECT id FROM store"), "north", "", "", "")
    as_kol, page = await sign_in(web(), kol), f"/earn/bounties/{bounty}"
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "o1")
    claimed = await submit(as_kol, page, {"proof_url": "https://a.example/1", "reach": "50"})
    assert claimed.status_code == 422 and "there are 1 so far" in claimed.text, "their own word does not count"
    second = await sell(shop, gv, "o2", buyer="carl")
    assert (await submit(as_kol, page, {"proof_url": "https://a.example/1"})).status_code == 303
    assert await db.fetch_val("SELECT reach FROM bounty_submission") == 2
    await db.execute("UPDATE orders SET cancelled_at = now() WHERE id = $1", second)
    await settle(second)
    shown = (await as_owner.get(ADMIN)).text
    assert "<b>1</b> / 2" in shown, "the shop sees what stands now"
