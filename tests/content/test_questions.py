import pytest

from app import db
from tests.content.people import hide
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio


async def test_a_question_is_asked_and_answered_and_the_store_stands_out(web: Browser):
    owner, mia, ben = await a_member("owner"), await a_member("mia"), await a_member("ben")
    slug = await a_product(await a_shop(owner_id=owner.id))
    browser = await sign_in(web(), mia)
    asked = await submit(browser, f"/p/{slug}/questions", {"body": "Does a laptop fit?"}, page=f"/p/{slug}")
    assert asked.status_code == 303
    question_id = await db.fetch_val("SELECT id FROM question")
    door = f"/api/v1/questions/{question_id}/answers"
    assert (await web(token=ben.token).post(door, json={"body": "Mine does."})).status_code == 201
    assert (await web(token=owner.token).post(door, json={"body": "Up to 15 inches."})).status_code == 201
    await run_jobs()
    (told,) = (await web().get(f"/api/v1/products/{slug}/questions")).json()["items"]
    assert [(a["author"], a["official"]) for a in told["answers"]] == [("owner", True), ("ben", False)]
    page = (await web().get(f"/p/{slug}")).text
    assert "Does a laptop fit?" in page and "Up to 15 inches." in page and "The store" in page
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1", mia.id) == 2
    assert "answered your question" in (await browser.get("/notifications")).text


async def test_hidden_questions_and_answers_are_out_of_sight(web: Browser):
    mia, judge = await a_member("mia"), await a_member("judge", role="moderator")
    slug = await a_product(await a_shop())
    client = web(token=mia.token)
    for words in ("Is it waterproof?", "Rude question?"):
        await client.post(f"/api/v1/products/{slug}/questions", json={"body": words})
    rude, good = [row["id"] for row in await db.fetch("SELECT id FROM question ORDER BY body DESC")]
    await client.post(f"/api/v1/questions/{good}/answers", json={"body": "Rude answer"})
    await hide(judge, "question", rude)
    await hide(judge, "answer", await db.fetch_val("SELECT id FROM answer"))
    page = (await web().get(f"/p/{slug}")).text
    assert "Is it waterproof?" in page and "Rude" not in page
    late = await client.post(f"/api/v1/questions/{rude}/answers", json={"body": "Hello"})
    assert late.status_code == 404


async def test_a_stranger_reads_and_signs_in_to_ask(web: Browser):
    slug = await a_product(await a_shop())
    answer = await web().post(f"/api/v1/products/{slug}/questions", json={"body": "Does it fit?"})
    assert answer.status_code == 401
    assert f"/login?next=/p/{slug}" in (await web().get(f"/p/{slug}")).text
    mia = await a_member("mia")
    short = await web(token=mia.token).post(f"/api/v1/products/{slug}/questions", json={"body": "?"})
    assert short.status_code == 422 and await db.fetch_val("SELECT count(*) FROM question") == 0
    assert (await web().get("/api/v1/products/no-such/questions")).status_code == 404
