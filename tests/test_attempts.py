"""What somebody tries who means no good, from outside and across features."""

import re

import msgspec
import pytest

from app import db
from app.main import build
from app.openapi import door_of, doors_of
from tests.content.people import hide, say
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import CHROME, a_link
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio

PREVIEW = {"user-agent": "WhatsApp/2.24"}
OPEN_DOORS = {"/api/v1/members", "/api/v1/tokens", "/api/v1/live/ticket", "/api/v1/apps/first-start"}


async def a_token(member_id: int, *scopes: str) -> str:
    from community.sessions.service import make_token

    return await make_token(member_id, list(scopes))


async def test_a_token_that_may_read_changes_nothing_anywhere(web: Browser):
    admin = await a_member("adele", role="admin")
    group, product = await a_group(admin, "tea"), await a_product(await a_shop(owner_id=admin.id))
    review = await say(await a_member("olaf"), product)
    reader = web(token=await a_token(admin.id, "read", "moderate", "admin"))
    before = await db.fetch_val("SELECT count(*) FROM event")
    numbers = {"room_id": await db.fetch_val("SELECT id FROM room"), "review_id": review}
    refused = []
    for (method, path), handler in doors_of(build()).items():
        if method == "get" or not path.startswith("/api/") or path in OPEN_DOORS:
            continue
        slug = group if "/groups/" in path else product
        path = re.sub(r"\{(\w+)\}", lambda found, slug=slug: str(numbers.get(found[1], slug)), path)
        path = re.sub(r"/(posts|topics|questions|messages)/[a-z-]+", r"/\1/1", path)
        example = door_of(handler).takes
        answer = await reader.request(method, path, json=msgspec.to_builtins(example) if example else {})
        assert answer.status_code in (403, 404), (method, path, answer.text)
        refused.append(answer.status_code)
    assert refused.count(403) > 10
    assert await db.fetch_val("SELECT count(*) FROM event") == before


async def test_moderating_takes_both_the_role_and_the_scope(web: Browser):
    olaf, moderator = await a_member("olaf"), await a_member("mona", role="moderator")
    await a_group(olaf, "tea")
    room = await db.fetch_val("SELECT id FROM room")
    body = {"client_id": "6f1c2f0e-0000-4000-8000-000000000001", "body": "Mine"}
    said = (await web(token=olaf.token).post(f"/api/v1/rooms/{room}/messages", json=body)).json()["id"]
    door = f"/api/v1/rooms/{room}/messages/{said}"
    plain = await a_member("pia")
    for member, scopes, status in (
        (plain, ("read", "write", "moderate", "admin"), 403),
        (moderator, ("read", "write"), 403),
        (moderator, ("read", "moderate"), 403),
        (moderator, ("read", "write", "moderate"), 204),
    ):
        assert (await web(token=await a_token(member.id, *scopes)).delete(door)).status_code == status


async def test_a_preview_never_quotes_what_moderators_hid(web: Browser):
    moderator, mara = await a_member("mona", role="moderator"), await a_member("mara")
    product = await a_product(await a_shop())
    review = await say(mara, product, body="An insult that was taken down.")
    link = await a_link(web, mara, f"review:{review}")
    assert "insult" in (await web().get(f"/r/{link['code']}", headers=PREVIEW)).text
    await hide(moderator, "review", review)
    shown = await web().get(f"/r/{link['code']}", headers=PREVIEW)
    assert shown.status_code == 200 and "insult" not in shown.text


async def test_who_left_a_group_reads_no_new_title_beside_their_link(web: Browser):
    from community.groups.service import admit, join, leave
    from community.topics.schemas import NewTopic
    from community.topics.service import edit, open_topic

    olaf, mara = await a_member("olaf"), await a_member("mara")
    group = await a_group(olaf, "quiet", visibility="closed")
    await join(mara.viewer, group)
    await admit(olaf.viewer, group, mara.id)
    topic = await open_topic(olaf.viewer, group, NewTopic("Old words", "Body."))
    await a_link(web, mara, f"topic:{topic.id}")
    await leave(mara.viewer, group)
    await edit(olaf.viewer, await db.fetch_val("SELECT id FROM post"), "Body.", title="Secret words")
    await run_jobs()
    browser = await sign_in(web(), mara)
    for page in ("/earn", "/earn/links", "/notifications", "/search?q=secret", "/@olaf"):
        assert "Secret words" not in (await browser.get(page)).text


async def test_a_bell_does_not_go_on_quoting_what_moderators_hid(web: Browser):
    from community.topics.schemas import NewTopic
    from community.topics.service import open_topic, reply

    moderator, olaf, mara = await a_member("mona", role="moderator"), await a_member("olaf"), await a_member("mara")
    group = await a_group(olaf, "tea")
    topic = await open_topic(olaf.viewer, group, NewTopic("Which cup?", "The blue one."))
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT id, $1, 'member', 'active', now() FROM groups""",
        mara.id,
    )
    post = await reply(mara.viewer, int(topic.id), "You are an insult, @olaf")
    await run_jobs()
    browser = await sign_in(web(), olaf)
    assert "an insult" in (await browser.get("/notifications")).text
    await hide(moderator, "post", int(post.id))
    shown = await browser.get("/notifications")
    assert "Which cup?" in shown.text and "an insult" not in shown.text


async def test_the_shop_does_not_say_which_reviews_of_its_goods_help(web: Browser):
    owner, mara = await a_member("ines"), await a_member("mara")
    review = await say(mara, await a_product(await a_shop(owner_id=owner.id)), rating=5)
    for member in (owner, mara):
        assert (await web(token=member.token).put(f"/api/v1/reviews/{review}/vote")).status_code == 403
    assert await db.fetch_val("SELECT helpful_count FROM review") == 0


@pytest.mark.parametrize("origin", ["null", "http://[", "https://evil.example", "http://test.example.evil.example"])
async def test_signing_in_from_another_page_is_refused_whatever_it_calls_itself(web: Browser, origin: str):
    await a_member("bob")
    browser = web()
    typed = {"login": "bob", "password": "correct horse battery"}
    answer = await submit(browser, "/login", typed, headers={"Origin": origin, "HX-Request": "true"})
    assert answer.status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM session") == 0


async def test_htmx_s_header_is_no_token(web: Browser):
    bob = await a_member("bob")
    browser = await sign_in(web(), bob)
    answer = await browser.post("/settings/profile", data={"name": "Eve"}, headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert await db.fetch_val("SELECT name FROM member") == "bob"


async def test_nobody_is_locked_out_by_a_name_that_looks_like_their_address(web: Browser):
    await a_member("bob")
    for _ in range(10):
        await submit(web(), "/login", {"login": "127.0.0.1", "password": "wrong words here"}, page="/login")
    for _ in range(9):
        await submit(web(), "/login", {"login": "nobody", "password": "wrong words here"}, page="/login")
    typed = {"login": "bob", "password": "correct horse battery"}
    assert (await submit(web(), "/login", typed, page="/login")).status_code == 303
    assert (await submit(web(), "/login", typed, page="/login")).status_code == 429


async def test_another_host_name_reaches_no_link_of_ours(web: Browser):
    """Absolute addresses come from the settings: a forged Host cannot lead anybody away."""
    mara = await a_member("mara")
    product = await a_product(await a_shop())
    link = await a_link(web, mara, f"page:/p/{product}")
    for path in (f"/p/{product}", "/sitemap.xml", "/robots.txt", "/feeds/reviews.atom", "/login", f"/r/{link['code']}"):
        answer = await web().get(path, headers={"Host": "evil.example", "User-Agent": CHROME})
        assert "evil.example" not in answer.text + answer.headers.get("location", ""), path


async def test_a_flash_from_a_planted_cookie_is_words_and_no_markup(web: Browser):
    page = (await web(Cookie="gv_flash=%3Cscript%3Ealert(1)%3C/script%3E").get("/login")).text
    assert "<script>alert(1)" not in page


async def test_every_answer_carries_the_policy(web: Browser):
    mara = await a_member("mara")
    await run_jobs()
    for path in (
        "/",
        "/nowhere",
        "/settings/",
        "/api/v1/me",
        "/r/nobody",
        "/r/mara/qr.svg",
        "/media/x.webp",
        "/metrics",
    ):
        answer = await web().get(path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        policy = answer.headers["content-security-policy"]
        assert "unsafe-inline" not in policy or "sandbox" in policy, path
    assert mara.id


async def test_a_program_that_votes_without_pause_is_slowed_down(web: Browser):
    mara, olaf = await a_member("mara"), await a_member("olaf")
    review = await say(mara, await a_product(await a_shop()))
    client = web(token=olaf.token)
    answers = [(await client.put(f"/api/v1/reviews/{review}/vote")).status_code for _ in range(121)]
    assert set(answers[:120]) == {200} and answers[120] == 429
    assert await db.fetch_val("SELECT helpful_count FROM review") == 1
