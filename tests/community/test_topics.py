import asyncio
import re
import uuid

import httpx
import pytest

from app import db
from app.db import watch_queries
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def a_topic(
    web: Browser, author: Person, slug: str, title: str = "Boots or shoes?", body: str = "Wet rock."
) -> dict:
    answer = await web(token=author.token).post(f"/api/v1/groups/{slug}/topics", json={"title": title, "body": body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def a_reply(web: Browser, author: Person, topic_id: str, body: str = "Shoes.", **more) -> dict:
    answer = await web(token=author.token).post(f"/api/v1/topics/{topic_id}/posts", json={"body": body, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def in_group(person: Person, slug: str) -> Person:
    from community.groups.service import join

    await join(person.viewer, slug)
    return person


# --- the story ---


async def test_a_member_opens_a_topic_another_answers_and_both_read_it(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    browser = await sign_in(web(), alice)
    opened = await submit(
        browser, f"/g/{slug}/new", {"title": "Boots or shoes?", "body": "Which **grip**?", "kind": "question"}
    )
    assert opened.status_code == 303
    thread = opened.headers["location"]
    assert "<strong>grip</strong>" in (await browser.get(thread)).text
    reader = await sign_in(web(), bob)
    replied = await submit(reader, f"{thread}/posts", {"body": "Shoes, and half a size up."}, page=thread)
    assert replied.status_code == 303 and replied.headers["location"] == f"{thread}#post-2"
    shown = (await web().get(thread)).text
    assert "half a size up" in shown and shown.index("grip") < shown.index("half a size up")
    listed = (await web().get(f"/g/{slug}")).text
    assert "Boots or shoes?" in listed


async def test_a_topic_with_a_chinese_title_is_opened_answered_and_edited(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    browser = await sign_in(web(), alice)
    opened = await submit(
        browser, f"/g/{slug}/new", {"title": "南方人在北方", "body": "靠哪一口？", "kind": "question"}
    )
    assert opened.status_code == 303
    thread = opened.headers["location"]
    assert thread.isascii() and "靠哪一口" in (await browser.get(thread)).text
    replied = await submit(browser, f"{thread}/posts", {"body": "酒酿。"}, page=thread)
    assert replied.status_code == 303 and "酒酿" in (await browser.get(replied.headers["location"])).text
    post_id = re.findall(r'href="/posts/(\d+)/edit', (await browser.get(thread)).text)[0]
    edited = await submit(browser, f"/posts/{post_id}/edit", {"title": "北方人在南方", "body": "靠哪一口？"})
    assert edited.status_code == 303 and edited.headers["location"].isascii()


async def test_an_author_edits_a_post_and_the_title_and_the_old_address_still_leads_there(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    post_id = await db.fetch_val("SELECT id FROM post")
    browser = await sign_in(web(), alice)
    await submit(browser, f"/posts/{post_id}/edit", {"title": "Sandals, then", "body": "Dry rock."})
    moved = await web().get(topic["url"])
    assert moved.status_code == 301 and moved.headers["location"].endswith("-sandals-then")
    shown = (await web().get(moved.headers["location"])).text
    assert "Dry rock." in shown and "edited" in shown and "Wet rock." not in shown


async def test_nobody_else_edits_a_post(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    await a_topic(web, alice, slug)
    post_id = await db.fetch_val("SELECT id FROM post")
    browser = await sign_in(web(), bob)
    assert (await browser.get(f"/posts/{post_id}/edit")).status_code == 403
    answer = await submit(browser, f"/posts/{post_id}/edit", {"body": "Mine now"}, page=f"/g/{slug}")
    assert answer.status_code == 403
    assert await db.fetch_val("SELECT body FROM post") == "Wet rock."


async def test_a_reply_names_the_post_it_answers(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    first = await a_reply(web, alice, topic["id"])
    await a_reply(web, alice, topic["id"], "As said.", reply_to=first["id"])
    assert "answers alice, #2" in (await web().get(topic["url"])).text
    other = await a_topic(web, alice, slug, "Another")
    astray = await web(token=alice.token).post(
        f"/api/v1/topics/{other['id']}/posts", json={"body": "Astray", "reply_to": first["id"]}
    )
    assert astray.status_code == 422
    assert (await web().get(f"/api/v1/topics/{other['id']}")).json()["post_count"] == 1


async def test_a_mention_is_a_link_but_not_in_code(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug, body="Ask @Bob, not `@carol` or me@example.org")
    html = (await web().get(f"/api/v1/topics/{topic['id']}/posts")).json()["items"][0]["html"]
    assert '<a href="/@bob">@Bob</a>' in html
    assert "/@carol" not in html and "/@example" not in html


# --- paging ---


async def test_a_long_thread_pages_by_number_and_a_link_to_a_post_finds_its_page(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    for n in range(2, 46):
        await a_reply(web, alice, topic["id"], f"This is number {n}.")
    first, last = (await web().get(topic["url"])).text, (await web().get(f"{topic['url']}?after=40")).text
    assert 'id="post-20"' in first and 'id="post-21"' not in first and "Page 1 of 3" in first
    assert 'id="post-45"' in last and 'id="post-40"' not in last
    assert 'id="post-33"' in (await web().get(f"{topic['url']}?post=33")).text
    post_id = await db.fetch_val("SELECT id FROM post WHERE number = 33")
    assert (await web().get(f"/posts/{post_id}")).headers["location"] == f"{topic['url']}?after=20#post-33"
    for nonsense in ("?after=-1", "?after=99999999999", "?after=x", "?after=9999", "?post=%00", "?reply_to=77"):
        assert (await web().get(topic["url"] + nonsense)).status_code == 200
    api = await web().get(f"/api/v1/topics/{topic['id']}/posts?limit=30")
    rest = await web().get(f"/api/v1/topics/{topic['id']}/posts?limit=30&after={api.json()['next']}")
    numbers = [post["number"] for post in api.json()["items"] + rest.json()["items"]]
    assert numbers == list(range(1, 46)) and rest.json()["next"] is None


@pytest.mark.parametrize("sort", ["hot", "new", "top"])
async def test_every_order_pages_through_all_topics_once(web: Browser, sort: str):
    alice = await a_member("alice")
    slug = await a_group(alice)
    for n in range(7):
        topic = await a_topic(web, alice, slug, f"Topic number {n}")
        for _ in range(n % 3):
            await a_reply(web, alice, topic["id"])
    seen, after = [], ""
    while True:
        shown = (await web().get(f"/api/v1/groups/{slug}/topics?sort={sort}&limit=3{after}")).json()
        seen += [(topic["id"], topic["post_count"]) for topic in shown["items"]]
        if shown["next"] is None:
            break
        after = f"&after={shown['next']}"
    assert len(seen) == len(set(seen)) == 7
    if sort == "new":
        assert seen == sorted(seen, key=lambda one: -int(one[0]))
    if sort in ("top", "hot"):
        assert [posts for _, posts in seen] == sorted((posts for _, posts in seen), reverse=True)


async def test_a_page_address_that_is_not_ours_is_refused_kindly(web: Browser):
    slug = await a_group(await a_member("alice"))
    for cursor in ("x", "%00", "W10", "'; DROP TABLE topic; --"):
        answer = await web().get(f"/g/{slug}", params={"after": cursor})
        assert answer.status_code == 400


async def test_ten_times_the_talk_is_worth_two_days(web: Browser):
    from community.topics.heat import heat

    moment = "timestamptz '2026-11-22 10:00+00'"
    quiet_and_new = await db.fetch_val(f"SELECT {heat('1', '0', moment, moment)}")
    earlier = f"({moment} - interval '2 days')"
    ten_and_older = await db.fetch_val(f"SELECT {heat('1', '9', earlier, earlier)}")
    assert quiet_and_new == pytest.approx(ten_and_older, abs=1e-3)
    revived = await db.fetch_val(f"SELECT {heat('2', '0', earlier, moment)}")
    assert await db.fetch_val(f"SELECT {heat('2', '0', earlier, earlier)}") < revived


# --- many at once ---


async def test_twenty_replies_at_once_get_twenty_numbers_without_a_hole(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    made = await asyncio.gather(*(a_reply(web, one, topic["id"]) for one in (alice, bob) * 10))
    assert sorted(post["number"] for post in made) == list(range(2, 22))
    assert (await web().get(f"/api/v1/topics/{topic['id']}")).json()["post_count"] == 21


async def test_reactions_count_exactly_however_fast_people_click(web: Browser):
    alice = await a_member("alice")
    people = [await a_member() for _ in range(5)]
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    post_id = await db.fetch_val("SELECT id FROM post")
    door = f"/api/v1/posts/{post_id}/reactions/👍"
    await asyncio.gather(*(web(token=one.token).put(door) for one in people * 4))
    shown = (await web(token=people[0].token).get(f"/api/v1/topics/{topic['id']}/posts")).json()["items"][0]
    assert shown["reactions"] == [{"emoji": "👍", "count": 5, "mine": True}]
    assert (await web().get(f"/api/v1/topics/{topic['id']}")).json()["reaction_count"] == 5
    await asyncio.gather(*(web(token=one.token).delete(door) for one in people[:3] * 3))
    assert (await web().get(f"/api/v1/topics/{topic['id']}")).json()["reaction_count"] == 2


async def test_a_reaction_pressed_twice_on_the_page_stays_one(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    post_id = await db.fetch_val("SELECT id FROM post")
    browser = await sign_in(web(), alice)
    for _ in range(2):
        await submit(browser, f"/posts/{post_id}/reactions", {"emoji": "🎉"}, page=topic["url"])
    assert await db.fetch_val("SELECT count(*) FROM reaction") == 1
    await submit(browser, f"/posts/{post_id}/reactions/end", {"emoji": "🎉"}, page=topic["url"])
    assert await db.fetch_val("SELECT count(*) FROM reaction") == 0
    refused = await submit(browser, f"/posts/{post_id}/reactions", {"emoji": "💣"}, page=topic["url"])
    assert refused.status_code == 422


# --- once and only once ---


def once_in(html: str) -> str:
    return re.search(r'name="_once" value="([^"]+)"', html)[1]  # type: ignore[index]


async def test_a_double_click_posts_once(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    browser = await sign_in(web(), alice)
    shown = (await browser.get(topic["url"])).text
    data = {"body": "Just once.", "_once": once_in(shown), "_csrf": re.search(r'name="_csrf" value="(\w+)"', shown)[1]}
    answers = await asyncio.gather(*(browser.post(f"{topic['url']}/posts", data=data) for _ in range(4)))
    assert {answer.headers["location"] for answer in answers} == {f"{topic['url']}#post-2"}
    assert await db.fetch_val("SELECT count(*) FROM post") == 2
    # The back button shows the old form: another text in it is a new post.
    await browser.post(f"{topic['url']}/posts", data={**data, "body": "And another."})
    assert await db.fetch_val("SELECT count(*) FROM post") == 3


async def test_a_program_that_tries_again_gets_its_first_answer(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    client = web(token=alice.token)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"title": "Once", "body": "Only"}
    answers = await asyncio.gather(
        *(client.post(f"/api/v1/groups/{slug}/topics", json=body, headers=key) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    other = await client.post(f"/api/v1/groups/{slug}/topics", json={**body, "title": "Twice"}, headers=key)
    assert other.status_code == 409 and other.json()["type"].endswith("/key-reused")
    elsewhere = await client.post(f"/api/v1/topics/{answers[0].json()['id']}/posts", json=body, headers=key)
    assert elsewhere.status_code in (409, 422)
    assert await db.fetch_val("SELECT count(*) FROM topic") == 1


async def test_a_request_that_failed_may_be_tried_again_under_its_key(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    client, key, body = web(token=bob.token), {"Idempotency-Key": "k1"}, {"title": "Hello there", "body": "Me"}
    assert (await client.post(f"/api/v1/groups/{slug}/topics", json=body, headers=key)).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM idempotency_key") == 0
    await in_group(bob, slug)
    assert (await client.post(f"/api/v1/groups/{slug}/topics", json=body, headers=key)).status_code == 201


async def test_two_members_may_use_the_same_key(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    for one in (alice, bob):
        answer = await web(token=one.token).post(
            f"/api/v1/groups/{slug}/topics", json={"title": "Same key", "body": "x"}, headers={"Idempotency-Key": "1"}
        )
        assert answer.status_code == 201
    assert await db.fetch_val("SELECT count(*) FROM topic") == 2


# --- who may ---


async def test_a_stranger_reads_a_public_group_but_writes_nothing(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    assert (await web().get(topic["url"])).status_code == 200
    assert (await web().post(f"/api/v1/topics/{topic['id']}/posts", json={"body": "Hi"})).status_code == 401
    assert (await web().get(f"/g/{slug}/new")).headers["location"].startswith("/login?next=")
    without_token = await web().post(f"{topic['url']}/posts", data={"body": "Hi"})
    assert without_token.status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM post") == 1


async def test_an_outsider_reads_but_does_not_write(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    refused = await web(token=bob.token).post(f"/api/v1/topics/{topic['id']}/posts", json={"body": "Hi"})
    assert refused.status_code == 403
    assert "Join the group" in (await (await sign_in(web(), bob)).get(topic["url"])).text
    assert await db.fetch_val("SELECT count(*) FROM post") == 1


@pytest.mark.parametrize("visibility", ["closed", "secret"])
async def test_what_is_said_in_a_closed_group_stays_there(web: Browser, visibility: str):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    slug = await a_group(alice, visibility=visibility)
    topic = await a_topic(web, alice, slug, "A private matter")
    post_id = await db.fetch_val("SELECT id FROM post")
    for client in (web(), web(token=charlie.token), await sign_in(web(), charlie)):
        for door in (topic["url"], f"/g/{slug}", f"/posts/{post_id}"):
            assert "private matter" not in (await client.get(door)).text
        assert (await client.get(topic["url"])).status_code == 404
        assert (await client.get(f"/api/v1/topics/{topic['id']}", headers={})).status_code in (401, 404)
    outsider = web(token=charlie.token)
    assert (await outsider.get(f"/api/v1/topics/{topic['id']}")).status_code == 404
    assert (await outsider.get(f"/api/v1/topics/{topic['id']}/posts")).status_code == 404
    assert (await outsider.put(f"/api/v1/posts/{post_id}/reactions/👍")).status_code == 404
    posted = await outsider.post(f"/api/v1/groups/{slug}/topics", json={"title": "Let me in", "body": "x"})
    assert posted.status_code == (403 if visibility == "closed" else 404)
    assert await db.fetch_val("SELECT count(*) FROM post") == 1


async def test_a_suspended_member_posts_nothing(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    browser = await sign_in(web(), bob)
    shown = (await browser.get(topic["url"])).text
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'Spam', now())", bob.id, alice.id
    )
    refused = await web(token=bob.token).post(f"/api/v1/topics/{topic['id']}/posts", json={"body": "Buy!"})
    assert refused.status_code in (401, 403)
    csrf = re.search(r'name="_csrf" value="(\w+)"', shown)[1]  # type: ignore[index]
    answer = await browser.post(f"{topic['url']}/posts", data={"body": "Buy!", "_csrf": csrf})
    assert answer.status_code in (401, 403)
    assert await db.fetch_val("SELECT count(*) FROM post") == 1


# --- bad input ---


async def test_five_megabytes_are_refused_and_leave_nothing(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    huge = "x" * 5_000_000
    by_api = await web(token=alice.token).post(f"/api/v1/topics/{topic['id']}/posts", json={"body": huge})
    browser = await sign_in(web(), alice)
    by_page = await submit(browser, f"{topic['url']}/posts", {"body": huge}, page=topic["url"])
    assert by_api.status_code == by_page.status_code == 413
    long = await web(token=alice.token).post(f"/api/v1/topics/{topic['id']}/posts", json={"body": "x" * 50_000})
    assert long.status_code == 422 and long.json()["errors"][0]["field"] == "body"
    assert await db.fetch_val("SELECT count(*) FROM post") == 1


async def test_nul_and_broken_utf8_harm_nothing(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug, "A\0B and more", "one\0two \u202e reversed")
    assert (await web().get(f"/api/v1/topics/{topic['id']}")).json()["title"] == "AB and more"
    client, door = web(token=alice.token), f"/api/v1/topics/{topic['id']}/posts"
    assert (await client.post(door, content=b'{"body": "\xff\xfe"}')).status_code == 400
    assert (await client.post(door, content=b'{"body": "\\ud800"}')).status_code in (400, 422)
    assert (await client.post(door, content=b"[" * 100_000)).status_code == 400
    browser = await sign_in(web(), alice)
    csrf = re.search(r'name="_csrf" value="(\w+)"', (await browser.get(topic["url"])).text)[1]  # type: ignore[index]
    answer = await browser.post(
        f"{topic['url']}/posts",
        content=b"body=ok%FF%00ok&_csrf=" + csrf.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code < 500
    for title in ("%00", "%FF", "0-x", "-1", "99999999999999999999999999", "١٢-x"):
        assert (await web().get(f"/g/{slug}/t/{title}")).status_code in (400, 404)


async def test_unknown_json_fields_and_repeated_form_fields_are_named(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    client = web(token=alice.token)
    unknown = await client.post(f"/api/v1/groups/{slug}/topics", json={"title": "Hello", "body": "x", "pinned": True})
    assert unknown.status_code == 422 and "pinned" in unknown.text
    browser = await sign_in(web(), alice)
    repeated = await submit(browser, f"/g/{slug}/new", {"title": ["One", "Two"], "body": "x", "kind": "discussion"})
    assert repeated.status_code == 422 and "more than once" in repeated.text
    empty = await submit(browser, f"/g/{slug}/new", {"title": "  ", "body": "kept in the form", "kind": "discussion"})
    assert empty.status_code == 422 and "kept in the form" in empty.text
    for wrong in ({"title": 5, "body": "x"}, {"title": "Hello"}, {"title": "Hello", "body": "x", "kind": "riot"}, []):
        assert (await client.post(f"/api/v1/groups/{slug}/topics", json=wrong)).status_code in (400, 422)
    assert await db.fetch_val("SELECT count(*) FROM topic") == 0


async def test_dangerous_links_are_inert(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    body = "\n\n".join(
        (
            "[a](javascript:alert(1))",
            "[b](//evil.example/x)",
            "[c](data:text/html;base64,AAAA)",
            "<img src=x onerror=alert(1)><script>alert(1)</script>",
            "[d](JaVaScRiPt:alert(1))",
            "[fine](https://example.org/shoes)",
            '[e](/p/kettle "on\\" onmouseover=alert(1)")',
        )
    )
    topic = await a_topic(web, alice, slug, "<script>alert(1)</script> & co", body)
    shown = (await web().get(topic["url"])).text
    said = shown[shown.index('class="said"') : shown.index('class="acts"', shown.index('class="said"'))]
    assert "<script" not in said and "<img" not in said and "<script>alert" not in shown
    hrefs = re.findall(r'href="([^"]*)"', said)
    assert "https://example.org/shoes" in hrefs and "/p/kettle" in hrefs
    assert not [href for href in hrefs if href.lower().startswith(("javascript:", "data:", "//"))]
    assert 'rel="nofollow ugc noopener"' in said


async def test_a_flood_of_posts_is_slowed_down(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    client = web(token=alice.token)
    answers = [await client.post(f"/api/v1/topics/{topic['id']}/posts", json={"body": "Buy!"}) for _ in range(62)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and int(refused[0].headers["retry-after"]) > 0


async def test_texts_that_are_slow_to_render_count_for_more(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    client = web(token=alice.token)
    slow = {"body": "[" * 10_000 + " " * 29_000 + "x"}
    answers = [await client.post(f"/api/v1/topics/{topic['id']}/posts", json=slow) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [201] * 6 + [429]


# --- what it costs ---


async def test_a_thread_costs_the_same_however_much_was_said(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    browser = await sign_in(web(), alice)
    for page in (topic["url"], f"/g/{slug}"):
        with watch_queries() as few:
            await browser.get(page)
        for _ in range(8):
            await a_reply(web, alice, topic["id"])
        await a_topic(web, alice, slug, "One more")
        with watch_queries() as many:
            await browser.get(page)
        assert len(few) == len(many), page
    with watch_queries() as signed_in:
        await browser.get(topic["url"])
    with watch_queries() as signed_out:
        await web().get(topic["url"])
    assert len(signed_in) == 3 and len(signed_out) == 2


async def test_a_stranger_who_has_the_page_already_gets_304(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    topic = await a_topic(web, alice, slug)
    stranger = web()
    first = await stranger.get(topic["url"])
    again = await stranger.get(topic["url"], headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    await a_reply(web, alice, topic["id"], "Something new")
    changed = await stranger.get(topic["url"], headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200 and "Something new" in changed.text
    mine = await (await sign_in(web(), alice)).get(topic["url"])
    assert "etag" not in mine.headers and "no-store" in mine.headers["cache-control"]


# --- htmx ---


async def test_with_htmx_a_reply_is_appended_with_whatever_came_in_between(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    browser = await sign_in(web(), alice)
    await a_reply(web, bob, topic["id"], "In between")
    answer: httpx.Response = await submit(
        browser,
        f"{topic['url']}/posts",
        {"body": "And me", "shown": "1"},
        page=topic["url"],
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert re.findall(r'id="post-(\d+)"', answer.text) == ["2", "3"]
    assert 'hx-swap-oob="true"' in answer.text and 'name="shown" value="3"' in answer.text
    for _ in range(25):
        await a_reply(web, bob, topic["id"])
    far = await submit(
        browser,
        f"{topic['url']}/posts",
        {"body": "Far away", "shown": "3"},
        page=topic["url"],
        headers={"HX-Request": "true"},
    )
    assert far.headers["hx-redirect"] == f"{topic['url']}?after=20#post-29"
    empty = await submit(
        browser, f"{topic['url']}/posts", {"body": " "}, page=topic["url"], headers={"HX-Request": "true"}
    )
    assert empty.status_code == 422 and empty.headers["hx-retarget"] == "#problems"


async def test_a_preview_is_what_the_post_will_look_like(web: Browser):
    alice = await a_member("alice")
    slug = await a_group(alice)
    browser = await sign_in(web(), alice)
    answer = await submit(browser, "/preview", {"body": "**bold** <script>"}, page=f"/g/{slug}/new")
    assert "<strong>bold</strong>" in answer.text and "<script>" not in answer.text
    assert await db.fetch_val("SELECT count(*) FROM post") == 0
    await run_jobs()


async def test_ids_beyond_every_number_are_simply_not_there(web: Browser):
    from app.paging import encode

    alice = await a_member("alice")
    slug = await a_group(alice)
    client, huge = web(token=alice.token), 10**25
    for door in (f"/posts/{huge}", f"/api/v1/topics/{huge}", f"/api/v1/topics/{huge}/posts", f"/subject/post:{10**17}"):
        assert (await client.get(door)).status_code == 404, door
    assert (await client.put(f"/api/v1/posts/{huge}/reactions/👍")).status_code in (400, 404)
    for sort in ("hot", "new", "top"):
        for cursor in (encode(huge, huge), encode(1e300, 1), encode(2**40, 2**70), encode("2026-01-01T00:00:00Z", 1)):
            answer = await client.get(f"/api/v1/groups/{slug}/topics", params={"sort": sort, "after": cursor})
            assert answer.status_code in (200, 400, 404), (sort, cursor)
