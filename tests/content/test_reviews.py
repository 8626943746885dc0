import asyncio
import io
from datetime import timedelta

import pytest
from PIL import Image

from app import clock, db
from app.db import watch_queries
from tests.content.people import buy, hide, histogram, say
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.storefront.shop import a_product, a_shop, order, refund, send

pytestmark = pytest.mark.anyio

NONE = {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0}


async def a_shelf(owner_id: int | None = None):
    shop = await a_shop(owner_id=owner_id)
    return shop, await a_product(shop)


async def test_a_review_is_published_at_once_and_counted(web: Browser):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    answer = await web(token=mia.token).post(
        f"/api/v1/products/{slug}/reviews", json={"rating": 4, "title": "Solid", "body": "Carries **nine** kilos."}
    )
    assert answer.status_code == 201
    told = answer.json()
    assert told["evidence"] == {"level": "none", "verified": False, "days": None}
    assert told["author"]["handle"] == "mia" and not told["earns_from_store"]
    assert await histogram(web, slug) == {**NONE, "4": 1}
    page = (await web().get(f"/p/{slug}")).text
    assert "Solid" in page and "<strong>nine</strong>" in page and "Purchase not verified" in page
    assert (await web().get(told["url"])).status_code == 200


async def test_a_second_review_is_refused_with_a_way_to_edit_the_first(web: Browser):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    client = web(token=mia.token)
    body = {"rating": 4, "title": "", "body": "It does what it should."}
    answers = await asyncio.gather(*(client.post(f"/api/v1/products/{slug}/reviews", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await histogram(web, slug) == {**NONE, "4": 1}
    browser = await sign_in(web(), mia)
    again = await submit(browser, f"/p/{slug}/review", {"rating": "1", "body": "Other words"})
    assert again.status_code == 409
    assert "Other words" in again.text and f'href="/p/{slug}/review"' in again.text
    assert "It does what it should." in (await browser.get(f"/p/{slug}/review")).text


async def test_editing_moves_the_star_and_keeps_the_votes(web: Browser):
    _shop, slug = await a_shelf()
    mia, ben = await a_member("mia"), await a_member("ben")
    review_id = await say(mia, slug, 5)
    await web(token=ben.token).put(f"/api/v1/reviews/{review_id}/vote")
    browser = await sign_in(web(), mia)
    answer = await submit(
        browser, f"/reviews/{review_id}", {"rating": "2", "body": "The zip broke."}, page=f"/p/{slug}/review"
    )
    assert answer.status_code == 303
    assert await histogram(web, slug) == {**NONE, "2": 1}
    (told,) = (await web().get(f"/api/v1/products/{slug}/reviews")).json()["items"]
    assert told["rating"] == 2 and told["helpful_count"] == 1 and told["edited_at"]
    foreign = await web(token=ben.token).put(f"/api/v1/reviews/{review_id}", json={"rating": 5, "body": "Mine now"})
    assert foreign.status_code == 403


async def test_the_histogram_is_exact_when_many_write_and_edit_at_once(web: Browser):
    _shop, slug = await a_shelf()
    people = [await a_member() for _ in range(10)]
    clients = [web(token=person.token) for person in people]
    written = await asyncio.gather(
        *(
            client.post(f"/api/v1/products/{slug}/reviews", json={"rating": 1 + n % 5, "body": "Words"})
            for n, client in enumerate(clients)
        )
    )
    assert await histogram(web, slug) == dict.fromkeys(NONE, 2)
    await asyncio.gather(
        *(
            client.put(f"/api/v1/reviews/{made.json()['id']}", json={"rating": 5 - n % 5, "body": "Other words"})
            for n, (client, made) in enumerate(zip(clients, written, strict=True))
        )
    )
    assert await histogram(web, slug) == dict.fromkeys(NONE, 2)


async def test_one_star_and_five_stars_take_the_same_steps(web: Browser):
    """The same queries, the same jobs, the same answer, the same place in the list: only the number differs."""
    shop, slug = await a_shelf()
    other = await a_product(shop, "SKU-2", title="Other pack")
    mia = await a_member("mia")
    # That a key is used at all is noted once.
    await web(token=mia.token).get("/api/v1/me")
    await run_jobs()
    steps = []
    for product, stars in ((slug, 1), (other, 5)):
        with watch_queries() as seen:
            answer = await web(token=mia.token).post(
                f"/api/v1/products/{product}/reviews", json={"rating": stars, "body": "The same words."}
            )
        jobs_run = await run_jobs()
        told = answer.json()
        shown = (await web().get(f"/api/v1/products/{product}/reviews")).json()["items"]
        steps.append((answer.status_code, seen, jobs_run, told["evidence"], len(shown), sorted(told)))
    assert steps[0] == steps[1]


async def test_helpful_counts_each_member_once_however_often_they_press(web: Browser):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    review_id = await say(mia, slug)
    clients = [web(token=(await a_member()).token) for _ in range(6)]
    await asyncio.gather(*(client.put(f"/api/v1/reviews/{review_id}/vote") for client in clients * 3))
    count = await db.fetch_val("SELECT helpful_count FROM review WHERE id = $1", review_id)
    assert count == 6 == await db.fetch_val("SELECT count(*) FROM review_vote")
    await asyncio.gather(*(client.delete(f"/api/v1/reviews/{review_id}/vote") for client in clients[:2] * 3))
    assert await db.fetch_val("SELECT helpful_count FROM review WHERE id = $1", review_id) == 4
    assert (await web(token=mia.token).put(f"/api/v1/reviews/{review_id}/vote")).status_code == 403
    assert (await web().put(f"/api/v1/reviews/{review_id}/vote")).status_code == 401


async def test_the_helpful_button_works_without_javascript_and_answers_htmx_with_itself(web: Browser):
    _shop, slug = await a_shelf()
    review_id = await say(await a_member("mia"), slug)
    ben = await sign_in(web(), await a_member("ben"))
    pressed = await submit(ben, f"/reviews/{review_id}/vote", {}, page=f"/p/{slug}")
    assert pressed.status_code == 303 and pressed.headers["location"] == f"/p/{slug}/reviews/{review_id}"
    back = await submit(ben, f"/reviews/{review_id}/vote/end", {}, page=f"/p/{slug}", headers={"HX-Request": "true"})
    assert back.status_code == 200 and back.text.count("<form") == 1 and 'aria-pressed="false"' in back.text


async def test_an_order_proves_the_purchase_and_follows_its_delivery_and_return(web: Browser):
    shop, slug = await a_shelf()
    mia = await a_member("mia")
    await buy(web, shop, mia)
    review_id = await say(mia, slug)

    async def level() -> tuple[str, int | None]:
        (told,) = (await web().get(f"/api/v1/products/{slug}/reviews")).json()["items"]
        return told["evidence"]["level"], told["evidence"]["days"]

    assert await level() == ("bought", None)
    customer = {"id": f"customer-{mia.id}", "email": "mia@example.org", "name": "mia"}
    delivered = order(customer=customer, delivered_at=clock.now().isoformat())
    assert (await send(web(), shop, "order.delivered", delivered)).status_code == 202
    await run_jobs()
    assert await level() == ("delivered", None)
    clock.travel(timedelta(days=61))
    assert await level() == ("kept", 61)
    assert "kept 61 days" in (await web().get(f"/p/{slug}/reviews/{review_id}")).text
    given_back = refund(lines=[{"id": "l1", "quantity": 1, "amount": 12_000}])
    assert (await send(web(), shop, "order.refunded", given_back)).status_code == 202
    await run_jobs()
    assert await level() == ("returned", None)


async def test_an_order_of_another_member_or_product_proves_nothing(web: Browser):
    shop, slug = await a_shelf()
    other = await a_product(shop, "SKU-2", title="Other pack")
    mia, ben = await a_member("mia"), await a_member("ben")
    await buy(web, shop, mia)
    await say(ben, slug)
    await say(mia, other)
    levels = [row["evidence"] for row in await db.fetch("SELECT evidence FROM review")]
    assert levels == ["none", "none"]


async def test_an_order_that_comes_after_the_review_still_counts(web: Browser):
    shop, slug = await a_shelf()
    mia = await a_member("mia")
    await say(mia, slug)
    await buy(web, shop, mia)
    (told,) = (await web().get(f"/api/v1/products/{slug}/reviews?verified=true")).json()["items"]
    assert told["evidence"]["verified"]


async def test_a_hidden_review_leaves_list_and_histogram_and_the_page_says_so(web: Browser):
    _shop, slug = await a_shelf()
    mia, ben = await a_member("mia"), await a_member("ben")
    judge = await a_member("judge", role="moderator")
    review_id, _other = await say(mia, slug, 1, "Rude words"), await say(ben, slug, 5)
    case_id = await hide(judge, "review", review_id)
    assert await histogram(web, slug) == {**NONE, "5": 1}
    page = (await web().get(f"/p/{slug}")).text
    assert "Rude words" not in page and "1 is hidden:" in page and "/moderation/log" in page
    assert (await web().get(f"/p/{slug}/reviews/{review_id}")).status_code == 404
    own = await (await sign_in(web(), mia)).get(f"/p/{slug}/reviews/{review_id}")
    assert own.status_code == 200 and "A moderator has hidden this review" in own.text
    assert (await web(token=ben.token).put(f"/api/v1/reviews/{review_id}/vote")).status_code == 404
    edited = await web(token=mia.token).put(f"/api/v1/reviews/{review_id}", json={"rating": 3, "body": "Polite words"})
    assert edited.status_code == 200
    assert await histogram(web, slug) == {**NONE, "5": 1}
    from community.moderation.service import restore

    await restore(judge.viewer, case_id, "Polite now")
    await run_jobs()
    assert await histogram(web, slug) == {**NONE, "3": 1, "5": 1}


async def test_pages_of_reviews_neither_skip_nor_repeat_and_filters_hold(web: Browser):
    shop, slug = await a_shelf()
    people = [await a_member() for _ in range(9)]
    for n, person in enumerate(people):
        await say(person, slug, 1 + n % 3)
    await buy(web, shop, people[0])
    for sort in ("helpful", "new", "rating"):
        seen: list[str] = []
        after = ""
        while True:
            answer = (await web().get(f"/api/v1/products/{slug}/reviews?sort={sort}&limit=4&after={after}")).json()
            seen += [item["id"] for item in answer["items"]]
            if not (after := answer["next"]):
                break
        assert len(seen) == len(set(seen)) == 9, sort
    twos = (await web().get(f"/api/v1/products/{slug}/reviews?stars=2")).json()["items"]
    assert [item["rating"] for item in twos] == [2, 2, 2]
    assert len((await web().get(f"/api/v1/products/{slug}/reviews?verified=true")).json()["items"]) == 1
    assert (await web().get(f"/api/v1/products/{slug}/reviews?sort=stars")).status_code == 422
    assert (await web().get(f"/api/v1/products/{slug}/reviews?stars=9")).status_code == 422
    assert (await web().get(f"/api/v1/products/{slug}/reviews?after=nonsense")).status_code == 400
    assert (await web().get(f"/p/{slug}?sort=stars&stars=99&verified=x")).status_code == 200


async def test_the_store_answers_officially_and_nobody_else_does(web: Browser):
    owner, mia = await a_member("owner"), await a_member("mia")
    _shop, slug = await a_shelf(owner.id)
    review_id = await say(mia, slug, 2)
    door = f"/api/v1/reviews/{review_id}/reply"
    assert (await web(token=mia.token).post(door, json={"body": "Me"})).status_code == 403
    for words in ("Sorry about the zip.", "Sorry about the zip. A new one is on its way."):
        assert (await web(token=owner.token).post(door, json={"body": words})).status_code == 201
    await run_jobs()
    page = (await web().get(f"/p/{slug}")).text
    assert "A new one is on its way." in page and "Answer of the store" in page
    assert await db.fetch_val("SELECT count(*) FROM review_reply") == 1
    assert await db.fetch_val("SELECT kind FROM notification WHERE member_id = $1", mia.id) == "review_answered"
    own = await web(token=owner.token).post(f"/api/v1/products/{slug}/reviews", json={"rating": 5, "body": "Great"})
    assert own.status_code == 403 and "You run this store" in own.json()["detail"]


async def test_who_earns_from_the_store_is_told_beside_their_review(web: Browser):
    shop, slug = await a_shelf()
    mia, ben = await a_member("mia"), await a_member("ben")
    await say(mia, slug)
    await say(ben, slug)
    await db.execute("INSERT INTO program (store_id, created_at) VALUES ($1, now())", shop.id)
    await db.execute(
        """INSERT INTO program_version (program_id, version, rate_bps, hold_days, window_days, model, published_at)
           SELECT id, 1, 800, 14, 30, 'last', now() FROM program"""
    )
    await db.execute(
        """INSERT INTO link (code, owner_id, store_id, target_kind, target_id, destination, placement, created_at)
           SELECT 'abc', $1, $2, 'product', id, url, '', now() FROM product""",
        mia.id,
        shop.id,
    )
    told = (await web().get(f"/api/v1/products/{slug}/reviews")).json()["items"]
    assert {item["author"]["handle"]: item["earns_from_store"] for item in told} == {"mia": True, "ben": False}
    page = (await web().get(f"/p/{slug}")).text
    assert page.count('href="/r/abc" rel="sponsored nofollow noopener"') == 1
    assert page.count("Earns from their link") == 1 and "Share &amp; earn 8%" in page


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rating": 6, "body": "x"}, "rating"),
        ({"rating": 0, "body": "x"}, "rating"),
        ({"rating": 4.5, "body": "x"}, "rating"),
        ({"rating": "5", "body": "x"}, "rating"),
        ({"rating": 5, "body": "  \x00 "}, "body"),
        ({"rating": 5, "body": "x" * 10_001}, "body"),
        ({"rating": 5, "body": "x", "evidence": "bought"}, "evidence"),
        ({"rating": 5}, "body"),
    ],
)
async def test_a_review_that_cannot_be_names_its_field_and_leaves_nothing(web: Browser, body: dict, field: str):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    answer = await web(token=mia.token).post(f"/api/v1/products/{slug}/reviews", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await db.fetch_val("SELECT count(*) FROM review") == 0
    assert await db.fetch_val("SELECT count(*) FROM product_rating") == 0


async def test_markup_in_a_review_stays_harmless(web: Browser):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    await say(
        mia, slug, 3, "<script>alert(1)</script> [x](javascript:alert(1)) ![i](//evil.example/x.png)", "</title><b>"
    )
    page = (await web().get(f"/p/{slug}")).text
    assert (
        "<script>alert" not in page and 'href="javascript' not in page and "<b>" not in page.split("&lt;b&gt;")[1][:3]
    )
    assert 'src="//evil' not in page


async def test_a_strangers_product_page_carries_an_etag_and_no_cookie(web: Browser):
    _shop, slug = await a_shelf()
    await say(await a_member("mia"), slug)
    first = await web().get(f"/p/{slug}")
    assert "set-cookie" not in first.headers
    again = await web().get(f"/p/{slug}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_a_click_is_carried_on_to_the_shop(web: Browser):
    shop, _slug = await a_shelf()
    slug = await a_product(shop, "SKU-9", title="Query", url=f"{shop.origin}/p?x=1&gv=old")
    gv = "0b8f2f0e-9a55-4a52-8a0e-0c5a2b7d9f11"
    page = (await web().get(f"/p/{slug}?gv={gv}")).text
    assert f'href="{shop.origin}/p?x=1&amp;gv={gv}&amp;afsrc=1" rel="sponsored nofollow noopener"' in page
    remembered = (await web(Cookie=f"gv={gv}").get(f"/p/{slug}")).text
    assert gv in remembered and gv not in (await web().get(f"/p/{slug}")).text
    plain = (await web().get(f"/p/{slug}?gv=%22onclick")).text
    assert '"onclick' not in plain.split("<main")[1] and f'href="{shop.origin}/p?x=1&amp;gv=old" rel="nofollow' in plain


async def test_the_product_page_costs_the_same_however_much_was_said(web: Browser):
    shop, slug = await a_shelf()
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    await say(mia, slug)
    with watch_queries() as few:
        assert (await browser.get(f"/p/{slug}")).status_code == 200
    for _ in range(7):
        person = await a_member()
        await say(person, slug)
        await web(token=person.token).post(f"/api/v1/products/{slug}/questions", json={"body": "Does it fit?"})
    with watch_queries() as many:
        await browser.get(f"/p/{slug}")
    assert len(few) == len(many) == 8
    with watch_queries() as grid:
        await browser.get("/p/")
    await a_product(shop, "SKU-2", title="Other pack")
    with watch_queries() as longer:
        await browser.get("/p/?category=&brand=")
    assert len(grid) == len(longer) == 3


async def test_the_shelf_narrows_by_category_and_brand_and_pages(web: Browser):
    shop = await a_shop()
    for n in range(27):
        await a_product(
            shop,
            f"P{n}",
            title=f"Pack {n}",
            category="Packs" if n % 2 else "Tents",
            brand="Alder" if n < 5 else "Birch",
        )
    first = (await web().get("/p/")).text
    assert first.count('class="product ') == 24 and "Show more" in first
    after = first.split("after=")[1].split('"')[0]
    rest = (await web().get(f"/p/?after={after}")).text
    assert rest.count('class="product ') == 3
    packs = (await web().get("/p/?category=Packs&brand=Alder")).text
    assert packs.count('class="product ') == 2
    assert (await web().get("/p/?category=Nothing")).status_code == 200


def a_photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(made, "JPEG")
    return made.getvalue()


async def test_photos_stand_beside_the_review_and_leave_when_unticked(web: Browser):
    _shop, slug = await a_shelf()
    mia = await a_member("mia")
    browser = await sign_in(web(), mia)
    words = {"rating": "4", "body": "See for yourself."}
    photo = {"photo": ("pack.jpg", a_photo(), "image/jpeg")}
    written = await submit(browser, f"/p/{slug}/review", words, files=photo)
    assert written.status_code == 303, written.text
    (told,) = (await web().get(f"/api/v1/products/{slug}/reviews")).json()["items"]
    (kept,) = told["media"]
    assert (kept["width"], kept["height"]) == (640, 480) and (await web().get(kept["url"])).status_code == 200
    assert kept["url"] in (await web().get(f"/p/{slug}")).text
    assert f'name="media" value="{kept["id"]}"' in (await browser.get(f"/p/{slug}/review")).text
    door = f"/reviews/{told['id']}"
    await submit(browser, door, {**words, "media": kept["id"]}, page=f"/p/{slug}/review", files=photo)
    assert await db.fetch_val("SELECT count(*) FROM review_photo") == 2
    await submit(browser, door, words, page=f"/p/{slug}/review")
    assert await db.fetch_val("SELECT count(*) FROM review_photo") == 0


async def test_only_ones_own_uploads_can_be_shown(web: Browser):
    _shop, slug = await a_shelf()
    mia, ben = await a_member("mia"), await a_member("ben")
    made = await web(token=ben.token).post("/api/v1/uploads", files={"file": ("a.jpg", a_photo(), "image/jpeg")})
    foreign = made.json()["id"]
    for media in ([foreign], ["0"], ["x"], ["9" * 30], [foreign] * 7):
        answer = await web(token=mia.token).post(
            f"/api/v1/products/{slug}/reviews", json={"rating": 4, "body": "Words", "media": media}
        )
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "media"
    assert await db.fetch_val("SELECT count(*) FROM review") == 0
    own = await web(token=ben.token).post(
        f"/api/v1/products/{slug}/reviews", json={"rating": 4, "body": "Words", "media": [foreign]}
    )
    assert own.status_code == 201 and own.json()["media"][0]["id"] == foreign


async def test_a_file_that_is_no_picture_keeps_what_was_typed(web: Browser):
    _shop, slug = await a_shelf()
    browser = await sign_in(web(), await a_member("mia"))
    answer = await submit(
        browser,
        f"/p/{slug}/review",
        {"rating": "4", "body": "My words stay"},
        files={"photo": ("x.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")},
    )
    assert answer.status_code == 422 and "My words stay" in answer.text
    assert await db.fetch_val("SELECT count(*) FROM review") == 0 == await db.fetch_val("SELECT count(*) FROM upload")
