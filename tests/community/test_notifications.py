import pytest

from app import db
from app.db import watch_queries
from tests.community.test_topics import a_reply, a_topic, in_group
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def told() -> set[tuple[str, str]]:
    rows = await db.fetch("SELECT m.handle, n.kind FROM notification n JOIN member m ON m.id = n.member_id")
    return {(row["handle"], row["kind"]) for row in rows}


async def test_whoever_is_answered_or_mentioned_hears_of_it_once_and_the_author_never(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug = await a_group(alice)
    for one in (bob, carol):
        await in_group(one, slug)
    topic = await a_topic(web, alice, slug)
    first = await a_reply(web, bob, topic["id"], "Shoes, @bob says.")
    await run_jobs()
    assert await told() == {("alice", "topic_reply")}
    await a_reply(web, alice, topic["id"], "@bob @CAROL @nobody why?", reply_to=first["id"])
    await run_jobs()
    assert await told() == {("alice", "topic_reply"), ("bob", "reply"), ("carol", "mention")}
    assert await db.fetch_val("SELECT count(*) FROM notification") == 3


async def test_running_the_job_twice_tells_nobody_twice(web: Browser):
    from community.topics.events import PostWritten
    from community.topics.jobs import tell_members

    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    post = await a_reply(web, bob, topic["id"])
    event = PostWritten(post_id=int(post["id"]), topic_id=int(topic["id"]), group_id=1, number=2)
    await tell_members(event)
    await tell_members(event)
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification") == 1


async def test_a_mention_in_a_secret_group_tells_no_outsider(web: Browser):
    alice = await a_member("alice")
    await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    await a_topic(web, alice, slug, "About @charlie", "What do we do about @charlie?")
    await run_jobs()
    assert await told() == set()


async def test_a_followed_notification_leads_to_the_post_and_is_read(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    await a_reply(web, bob, topic["id"], "Shoes!")
    await run_jobs()
    browser = await sign_in(web(), alice)
    listed = (await browser.get("/notifications/")).text
    assert "bob wrote in your topic “Boots or shoes?”" in listed and "1 new notification" in listed
    notification_id = await db.fetch_val("SELECT id FROM notification")
    led = await browser.get(f"/notifications/{notification_id}")
    assert led.headers["location"] == f"{topic['url']}#post-2"
    assert "1 new notification" not in (await browser.get("/notifications/")).text
    stranger = await sign_in(web(), bob)
    assert (await stranger.get(f"/notifications/{notification_id}")).status_code == 404
    assert (await web().get("/notifications/")).status_code == 303


async def test_reading_all_leaves_what_came_in_meanwhile(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    await a_reply(web, bob, topic["id"])
    await run_jobs()
    seen = await db.fetch_val("SELECT max(id) FROM notification")
    await a_reply(web, bob, topic["id"])
    await run_jobs()
    browser = await sign_in(web(), alice)
    await submit(browser, "/notifications/read", {"up_to": str(seen)}, page="/notifications/")
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE read_at IS NULL") == 1
    assert (await submit(browser, "/notifications/read", {"up_to": "-1"}, page="/notifications/")).status_code == 422


async def test_many_notifications_page_and_cost_the_same(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    await a_reply(web, bob, topic["id"], "First of all")
    await run_jobs()
    browser = await sign_in(web(), alice)
    with watch_queries() as few:
        await browser.get("/notifications/")
    for _ in range(31):
        await a_reply(web, bob, topic["id"], "And again")
    await run_jobs()
    with watch_queries() as many:
        first = (await browser.get("/notifications/")).text
    assert len(few) == len(many) == 2
    assert "First of all" not in first
    following = first.split('rel="next" href="')[1].split('"')[0]
    assert "First of all" in (await browser.get("/notifications/" + following)).text


async def test_a_kind_nobody_has_words_for_still_shows(web: Browser):
    from community.notifications.service import notify

    alice = await a_member("alice")
    await notify(alice.id, "from_the_future", source="x:1", url="/g/", data={"x": 1})
    await notify(alice.id, "../../base", source="x:2", url="//evil.example", data={})
    browser = await sign_in(web(), alice)
    assert "Something happened that concerns you" in (await browser.get("/notifications/")).text
    evil = await db.fetch_val("SELECT id FROM notification WHERE source = 'x:2'")
    assert (await browser.get(f"/notifications/{evil}")).headers["location"] == "/notifications"
